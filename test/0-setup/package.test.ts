import { spawnSync } from 'node:child_process';
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

  test('has a command line that knows its version', () => {
    const { status, stdout } = spawnSync(process.execPath, [main, '--version'], { cwd: directory });
    expect([status, stdout.toString()]).toEqual([0, `${String(read('package.json')['version'])}\n`]);
  });

  test('gives nothing away that it does not export', async () => {
    const source = `
      const error = await import('replichart/dist/machines/model/rules.js').catch(({ code }) => code);
      console.log(JSON.stringify(error));`;
    expect(await printedBy(directory, source)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  test('loads the model, and what explores it, only for those who ask for it', async () => {
    expect(models(await loadedBy(directory, importing('replichart')))).toEqual([]);
    expect(models(await loadedBy(directory, [main, 'machine', '--chart', 'primary', '--json']))).toEqual([]);
    expect(models(await loadedBy(directory, importing('replichart/testing'))).length).toBeGreaterThan(10);
  });

  const importing = (name: string) => ['--input-type=module', '--eval', `import '${name}'`];

  test.each(
    Object.keys(read('package.json')['exports'] as object).map((name) => name.replace('.', 'replichart')),
  )('%s can be imported, and names something', async (name) => {
    const source = `console.log(JSON.stringify(Object.keys(await import('${name}'))));`;
    expect(((await printedBy(directory, source)) as string[]).length).toBeGreaterThan(0);
  });

  test('P5-I16: who imports only the primary, or starts one, loads nothing of a replica', async () => {
    const ofReplica = (urls: readonly string[]) =>
      urls.filter((url) => /src\/(replica|actors)\/|machines\/(node|[2-7]-)|create-replica|undici/.test(url));
    expect(ofReplica(await loadedBy(directory, importing('replichart/primary')))).toEqual([]);
    expect(ofReplica(await loadedBy(directory, importing('replichart/replica'))).length).toBeGreaterThan(10);
    const data = join(directory, 'data');
    const source = `
      const { createPrimary } = await import('replichart/primary');
      const primary = await createPrimary({ dataDir: ${JSON.stringify(data)}, listen: '127.0.0.1:0', logLevel: 'silent' });
      await primary.commit([{ op: 'put', collection: 'c', id: 'a', document: '1' }]);
      await fetch(primary.url + '/readyz');
      await primary.stop();`;
    expect(ofReplica(await loadedBy(directory, ['--input-type=module', '--eval', source]))).toEqual([]);
  });

  test('has types for its names', () => {
    const file = join(directory, 'host.ts');
    writeFileSync(
      file,
      `import type { NodeSnapshot } from 'replichart';
       import { createPrimary, type Primary } from 'replichart/primary';
       import { createReplica } from 'replichart/replica';
       import { replicaMachine, chartOf } from 'replichart/machine';
       import { replichartPlugin, requestHandler } from 'replichart/fastify';
       import { RULES, type Rule } from 'replichart/testing';
       export const all = [createPrimary, createReplica, replicaMachine, chartOf, replichartPlugin, requestHandler];
       export const primary: Primary | undefined = undefined;
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
