import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/nodes.ts';
import { runProgram } from '../support/programs.ts';

const NUMBER = expect.any(Number) as number;

/** A bench that is no command of the package, in a process of its own. */
async function bench(name: string, options: readonly string[]) {
  const main = fileURLToPath(new URL(`../../dist/bench/${name}/main.js`, import.meta.url));
  return runProgram(main, options);
}

test('peers: Replichart alone does all that its peers do, and leaves nothing behind', async () => {
  const options = [
    '--only',
    'replichart',
    '--documents',
    '1000',
    '--rounds',
    '1',
    '--lag-commits',
    '3',
    '--json',
  ];
  const { out, err, exit, left } = await bench('peers', options);
  expect({ err, exit, left }).toEqual({ err: '', exit: 0, left: [] });
  const { figures, goals } = JSON.parse(out) as { figures: { turns: object[] }; goals: { id: string }[] };
  expect(figures.turns).toMatchObject([
    {
      round: 1,
      contestant: 'replichart',
      catch_up: { milliseconds: NUMBER, documents: 1_000, docs_per_second: NUMBER },
      bootstrap: { milliseconds: NUMBER, prepared_in_milliseconds: NUMBER },
      lag: { commits: 3, lag_milliseconds: { count: 3 }, write_milliseconds: { count: 3 } },
    },
  ]);
  expect(goals.map(({ id }) => id)).toEqual(['P3-p99', 'P4']);
});

test('index-stores: every store keeps what it was given, with and without waiting for the disk', async () => {
  const results = join(await temporaryDirectory(), 'results');
  const options = ['--documents', '4000', '--rounds', '1', '--reads', '50', '--json', '--record', results];
  const { out, err, exit, left } = await bench('index-stores', options);
  expect({ err, exit, left }).toEqual({
    err: `${join(results, 'index-stores.json')} written\n${join(results, 'index-stores.md')} written\n`,
    exit: 0,
    left: [],
  });
  const { figures } = JSON.parse(out) as { figures: { runs: object[] } };
  const kept = { applied: { entries_per_second: NUMBER }, after_kill: { documents_kept: 4_000 } };
  expect(figures.runs).toMatchObject([
    { store: 'classic-level', durable: true, ...kept },
    { store: 'classic-level', durable: false, ...kept },
    { store: 'lmdb', durable: true, ...kept },
    { store: 'lmdb', durable: false, ...kept },
    { store: 'lmdb-sync', durable: true, ...kept },
    { store: 'lmdb-sync', durable: false, ...kept },
    { store: 'memory', durable: false, after_kill: null, disk_bytes: null },
  ]);
  expect(await readFile(join(results, 'index-stores.md'), 'utf8')).toContain(
    'Written by `npm run bench:index-stores -- --record`',
  );
});

test('a system that is not there is a mistake of use', async () => {
  const { err, exit } = await bench('peers', ['--only', 'oracle']);
  expect(exit).toBe(1);
  expect(err).toContain('"oracle" is none of postgresql, redis, replichart.');
});
