import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackage } from '../support/installed.ts';
import { blocksOf } from '../support/markdown.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { onFreePorts } from '../support/ports.ts';
import { runProgram } from '../support/programs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const BLOCKS = blocksOf(README);

/** The snippets, as a newcomer has them: beside the installed package. What they print stands in the block behind. */
const SNIPPETS = BLOCKS.flatMap(({ language, body }, at) => {
  const next = BLOCKS[at + 1];
  return language === 'ts' ? [{ source: body, printed: next?.language === 'text' ? next.body : '' }] : [];
});

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'replichart-readme-'));
  await installPackage(place);
});
afterAll(() => rm(place, { recursive: true }));

/** Compiles a module against the types of the package; gives what is wrong with it. */
async function compiled(name: string, source: string): Promise<readonly string[]> {
  const file = join(place, `${name}.ts`);
  await writeFile(file, source);
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    strict: true,
    skipLibCheck: true,
  });
  program.emit();
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the snippets of the README', { timeout: 120_000 }, () => {
  test('are there, and none is longer than what is read at a glance', () => {
    expect(SNIPPETS.length).toBeGreaterThan(0);
    const lines = SNIPPETS.map(({ source }) => source.split('\n').filter((line) => line.trim() !== ''));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(15);
  });

  test.each(SNIPPETS.map((snippet, at) => [at + 1, snippet] as const))(
    'snippet %s fits the types of the package and prints what is shown',
    async (at, { source, printed }) => {
      const here = await onFreePorts(source);
      expect(await compiled(`snippet-${at}`, here(source))).toEqual([]);
      const directory = await temporaryDirectory();
      const { out, err, exit } = await runProgram(join(place, `snippet-${at}.js`), [], directory);
      expect({ out, err, exit }).toEqual({ out: printed, err: '', exit: 0 });
    },
  );

  test('would not compile with a name or a field that the package does not have', async () => {
    const [{ source } = { source: '' }] = SNIPPETS;
    const named = await compiled('wrong-name', source.replaceAll('createReplica', 'createWitness'));
    expect(named[0]).toContain("no exported member 'createWitness'");
    const field = await compiled('wrong-field', source.replace('primaryUrl', 'primaryAddress'));
    expect(field[0]).toContain("'primaryAddress' does not exist");
  });
});
