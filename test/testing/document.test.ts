import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string) => readFile(`${ROOT}/${path}`, 'utf8');

describe('docs/TESTING.md', () => {
  test('has the files of the example host, whole and as they are tested', async () => {
    const document = await text('docs/TESTING.md');
    const shown = [...document.matchAll(/^\*\*`([^`]+)`\*\*\n\n```ts\n([^]*?)^```$/gm)];
    const files = await readdir(`${ROOT}/test/testing/host`);
    expect(shown.map(([, name]) => name).sort()).toEqual(files.sort());
    for (const [, name, code] of shown) expect(code).toBe(await text(`test/testing/host/${name}`));
  });

  test('the host knows the package by its public names only', async () => {
    for (const name of await readdir(`${ROOT}/test/testing/host`)) {
      const code = await text(`test/testing/host/${name}`);
      const imported = [...code.matchAll(/ from '([^']+)'/g)].map(([, from]) => from);
      const allowed = /^(replichart(\/testing)?|node:[\w/]+|fastify|pino|vitest|xstate|\.\/[\w-]+\.ts)$/;
      expect(imported.filter((from) => !allowed.test(from ?? ''))).toEqual([]);
    }
  });

  test('says of every name that replichart/testing exports what it is for, and of no other', async () => {
    const source = await text('src/testing/index.ts');
    const exported = [...source.matchAll(/export (?:type )?\{([^}]+)\}/g)].flatMap(([, names]) =>
      (names ?? '')
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter((name) => name !== ''),
    );
    const document = await text('docs/TESTING.md');
    const table = document.slice(document.indexOf('| name '), document.indexOf('What takes how long'));
    const documented = [...table.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(documented.sort()).toEqual(exported.sort());
    expect(documented.length).toBeGreaterThan(50);
  });
});
