/** Removes what an earlier build made of a source that is gone since: the compiler leaves it, and the package would have it. */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What `tsconfig.build.json` includes; the page in `dist` is made of something else. */
const COMPILED = ['src', 'machines', 'scripts', 'bench', 'examples'];
const OUTPUT = /\.(?:js|js\.map|d\.ts)$/;

for (const folder of COMPILED) {
  const outputs = await readdir(join(ROOT, 'dist', folder), { recursive: true });
  const stale = outputs.filter(
    (file) => OUTPUT.test(file) && !existsSync(join(ROOT, folder, file.replace(OUTPUT, '.ts'))),
  );
  await Promise.all(stale.map((file) => rm(join(ROOT, 'dist', folder, file))));
}
