import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPackage, createPackageFromTarballData, type ResolutionKind } from '@arethetypeswrong/core';
import { filterProblems } from '@arethetypeswrong/core/problems';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packPackage, unpack, type Packed } from '../support/installed.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let directory: string;
let packed: Packed;
let unpacked: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'replichart-packed-'));
  packed = await packPackage(directory);
  unpacked = join(directory, 'unpacked');
  await unpack(packed.tarball, unpacked);
});
afterAll(() => rm(directory, { recursive: true }));

/** An ESM-only package is resolved in these two ways; the others are those of CommonJS, which it does not claim to serve. */
const ESM: readonly ResolutionKind[] = ['node16-esm', 'bundler'];

/** What two linters of packages, one of its manifest and one of its types, have against a tarball. */
async function problemsOf(tarball: string): Promise<readonly string[]> {
  const bytes = new Uint8Array(await readFile(tarball));
  const [linted, analysis] = await Promise.all([
    publint({ pack: { tarball: bytes.buffer }, strict: true }),
    checkPackage(createPackageFromTarballData(bytes)),
  ]);
  if (analysis.types === false) throw new Error('the package has no types');
  const ofTypes = ESM.flatMap((resolutionKind) => filterProblems(analysis, { resolutionKind }));
  return [
    ...linted.messages.map(({ code, path }) => `${code} ${path.join(' ')}`),
    ...new Set(
      ofTypes.map((problem) => `${problem.kind} ${'entrypoint' in problem ? problem.entrypoint : ''}`),
    ),
  ];
}

describe('the tarball', () => {
  test('has no problem that a linter of packages knows', async () => {
    expect(await problemsOf(packed.tarball)).toEqual([]);
  });

  test('is linted by what finds types that are missing, and entries that do not exist', async () => {
    const broken = join(directory, 'broken');
    await unpack(packed.tarball, join(broken, 'package'));
    await rm(join(broken, 'package/dist/src/api/create-replica.d.ts'));
    await rename(
      join(broken, 'package/dist/src/api/create-primary.js'),
      join(broken, 'package/dist/src/api/elsewhere.js'),
    );
    await run('tar', ['-czf', 'broken.tgz', 'package'], { cwd: broken });
    expect(await problemsOf(join(broken, 'broken.tgz'))).toEqual(
      expect.arrayContaining([
        'FILE_DOES_NOT_EXIST exports ./replica types',
        'FILE_DOES_NOT_EXIST exports ./primary default',
        'UntypedResolution ./replica',
      ]),
    );
  });

  test('is small, and holds nothing that only those need who develop it', () => {
    expect(packed.unpackedBytes).toBeLessThan(6_000_000);
    expect(packed.packedBytes).toBeLessThan(1_500_000);
    const rooms = new Set(packed.files.map((file) => file.replace(/^(dist\/[^/]*|[^/]*).*$/, '$1')));
    expect([...rooms].sort()).toEqual([
      'README.md',
      'dist/machines',
      'dist/page',
      'dist/src',
      'docs',
      'package.json',
      'visualizations',
    ]);
  });

  test('holds no module whose source is gone', () => {
    const modules = packed.files.filter((file) => /^dist\/(?:src|machines)\/.*\.js$/.test(file));
    const source = (file: string) => join(ROOT, file.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
    expect(modules.filter((file) => !existsSync(source(file)))).toEqual([]);
  });

  test('runs nothing when it is installed', async () => {
    const { scripts } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const lifecycle = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare'];
    expect(lifecycle.filter((name) => name in scripts)).toEqual([]);
    // npm builds one where it finds one, without being told to by a script.
    expect(packed.files.filter((file) => file.endsWith('binding.gyp'))).toEqual([]);
  });

  test('has a source map beside every module, with the source in it, and types beside it', () => {
    const modules = packed.files.filter((file) => file.endsWith('.js'));
    expect(modules.length).toBeGreaterThan(300);
    const wanting = modules.filter((file) => {
      const map = JSON.parse(readFileSync(join(unpacked, `${file}.map`), 'utf8')) as {
        sources: readonly string[];
        sourcesContent?: readonly (string | null)[];
      };
      const whole = map.sources.every((_, index) => typeof map.sourcesContent?.[index] === 'string');
      return !whole || !existsSync(join(unpacked, file.replace(/\.js$/, '.d.ts')));
    });
    expect(wanting).toEqual([]);
  });
});

describe('the lockfile', () => {
  // Without a network: what it says is compared with what the manifest asks for, and nothing is fetched or written.
  const dryRun = (directory: string) =>
    run('npm', ['ci', '--dry-run', '--offline', '--ignore-scripts'], { cwd: directory });

  test('is what `npm ci` accepts', async () => {
    await dryRun(ROOT);
  });

  test('is refused by `npm ci` where the manifest asks for something else', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    manifest.dependencies['xstate'] = '4.0.0';
    const place = await mkdtemp(join(directory, 'manifest-'));
    await writeFile(join(place, 'package.json'), JSON.stringify(manifest));
    await writeFile(join(place, 'package-lock.json'), await readFile(join(ROOT, 'package-lock.json')));
    await expect(dryRun(place)).rejects.toThrow(/npm ci/);
  });
});
