import { join } from 'node:path';
import type { FileSystem } from '../file-system.ts';
import type { LevelDamage } from './format.ts';
import type { LevelManifest } from './manifest.ts';
import { damageInTable } from './table.ts';

/**
 * Looks for damage that LevelDB would pass over, before it is opened and writes its files anew: it reads tables without their
 * checksums, and entries below a checkpoint that stands would be missing. Reads every table that the manifest names once, one
 * at a time. `null` as a manifest: none that can be read.
 */
export async function damageOf(
  files: FileSystem,
  directory: string,
  manifest: LevelManifest | null,
): Promise<LevelDamage | null> {
  return manifest === null
    ? storeWithoutName(files, directory)
    : damageInTables(files, directory, manifest.tables);
}

/** Where `CURRENT` is gone LevelDB would begin a new store, and take up the logs of the old one without its tables. */
async function storeWithoutName(files: FileSystem, directory: string): Promise<LevelDamage | null> {
  const names = await files.list(directory);
  // Any other fault of it, or of the manifest, is told by LevelDB.
  if (names.includes('CURRENT')) return null;
  for (const name of names.filter((one) => /^\d+\.(log|ldb|sst)$/.test(one)))
    // A store that was never whole has an empty log at most.
    if (((await files.stat(join(directory, name)))?.bytes ?? 0) > 0)
      return { file: 'CURRENT', expected: 'the name of a manifest', found: `no file, and ${name} beside it` };
  return null;
}

async function damageInTables(
  files: FileSystem,
  directory: string,
  tables: ReadonlyMap<number, number>,
): Promise<LevelDamage | null> {
  for (const [number, bytes] of tables) {
    const names = ['ldb', 'sst'].map((kind) => `${String(number).padStart(6, '0')}.${kind}`);
    for (const file of names) {
      const found = (await files.stat(join(directory, file)))?.bytes;
      // A table that is not there is told by LevelDB.
      if (found === undefined) continue;
      if (found !== bytes) return { file, expected: `${bytes} bytes`, found: `${found} bytes` };
      const handle = await files.open(join(directory, file), 'read');
      try {
        const damage = await damageInTable(file, handle, bytes);
        if (damage !== null) return damage;
      } finally {
        await handle.close();
      }
    }
  }
  return null;
}
