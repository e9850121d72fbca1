/** The package as a host gets it: packed, unpacked, and with nothing beside it but what it says that it needs. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** What `npm pack` says of the tarball that it wrote. */
export interface Packed {
  readonly tarball: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly files: readonly string[];
}

/** Packs the built package into a directory. */
export async function packPackage(directory: string): Promise<Packed> {
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    { cwd: ROOT, maxBuffer: 1 << 26 },
  );
  const [packed] = JSON.parse(stdout) as [
    { filename: string; size: number; unpackedSize: number; files: readonly { path: string }[] },
  ];
  return {
    tarball: join(directory, packed.filename),
    packedBytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    files: packed.files.map(({ path }) => path),
  };
}

/** Unpacks a tarball of npm, whose files lie in a folder of their own, into a directory. */
export async function unpack(tarball: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', directory, '--strip-components=1']);
}

/** Installs the built package into a directory, without a registry; the bytes of its dependencies are those of this project. */
export async function installPackage(directory: string): Promise<Packed> {
  const packed = await packPackage(directory);
  const place = join(directory, 'node_modules', 'replichart');
  await unpack(packed.tarball, place);
  const manifest = JSON.parse(await readFile(join(place, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(directory, 'node_modules', name);
    await mkdir(join(link, '..'), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link);
  }
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  return packed;
}

/** What a module prints that runs in a directory; a JSON document. */
export async function printedBy(directory: string, source: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: directory,
  });
  return JSON.parse(stdout);
}

const WATCHING = `
import { writeSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  writeSync(2, 'loaded ' + found.url + '\\n');
  return found;
}`;
const url = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
const REGISTER = url(`import { register } from 'node:module'; register(${JSON.stringify(url(WATCHING))});`);

/** Every module that Node loads for a command line of its own. */
export async function loadedBy(directory: string, args: readonly string[]): Promise<readonly string[]> {
  const { stderr } = await run(process.execPath, ['--import', REGISTER, ...args], { cwd: directory });
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, one]) => one as string);
}
