import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as testing from '../../src/testing/index.ts';
import { installPackage, loadedBy, printedBy } from '../support/installed.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as Record<string, unknown>;

describe('the package', () => {
  test('pins every dependency exactly', () => {
    const manifest = read('package.json');
    const ranges = Object.entries({
      ...(manifest['dependencies'] as Record<string, string>),
      ...(manifest['devDependencies'] as Record<string, string>),
      ...(manifest['overrides'] as Record<string, string>),
    });
    expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(ranges.length).toBeGreaterThan(10);
  });

  test('has a lockfile that names no registry', () => {
    const lockfile = JSON.stringify(read('package-lock.json'));
    expect(lockfile).not.toContain('"resolved"');
    expect(lockfile).not.toMatch(/https?:\/\/[^"]*registry/);
  });
});

describe('the package, installed', () => {
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'replichart-installed-'));
    await installPackage(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const main = 'node_modules/replichart/dist/src/cli/main.js';
  const models = (urls: readonly string[]) =>
    urls.filter((url) => /machines\/model|@xstate\/graph|src\/testing/.test(url));

  test('has replichart/testing with the names of its source, and it checks a chart', async () => {
    const source = `
      import * as testing from 'replichart/testing';
      const { machine, role } = testing.charts.primary;
      const { counterexample } = testing.checkChart(machine, role, { units: 1 });
      console.log(JSON.stringify({ names: Object.keys(testing), counterexample }));`;
    expect(await printedBy(directory, source)).toEqual({
      names: Object.keys(testing).sort(),
      counterexample: null,
    });
  });

  test('gives nothing away that it does not export', async () => {
    const source = `
      const error = await import('replichart/dist/machines/model/rules.js').catch(({ code }) => code);
      console.log(JSON.stringify(error));`;
    expect(await printedBy(directory, source)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  test('loads the model, and what explores it, only for those who ask for it', async () => {
    const importing = (name: string) => ['--input-type=module', '--eval', `import '${name}'`];
    expect(models(await loadedBy(directory, importing('replichart')))).toEqual([]);
    expect(models(await loadedBy(directory, [main, 'machine', '--chart', 'primary', '--json']))).toEqual([]);
    expect(models(await loadedBy(directory, importing('replichart/testing'))).length).toBeGreaterThan(10);
  });

  test('has types for both of its names', () => {
    const file = join(directory, 'host.ts');
    writeFileSync(
      file,
      `import type { NodeSnapshot } from 'replichart';
       import { RULES, type Rule } from 'replichart/testing';
       export const known: NodeSnapshot | undefined = undefined;
       export const rules: readonly Rule[] = [...RULES, { invariant: 'ours', says: 'so' }];
       export const wrong: Rule = { says: 'nothing else' };`,
    );
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    });
    const found = ts.getPreEmitDiagnostics(program).map(({ messageText }) => JSON.stringify(messageText));
    expect(found).toEqual([expect.stringContaining("Property 'invariant' is missing")]);
  });
});
