import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every file below a directory with the SHA-256 of its bytes; the index store is left out unless asked for. */
export async function fingerprint(root: string, skip: RegExp = /^index\//): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const prints: Record<string, string> = {};
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (skip.test(name)) continue;
    prints[name] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return prints;
}
