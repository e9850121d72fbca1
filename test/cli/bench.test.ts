import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { QUESTIONS } from '../../src/bench/dx/questions.ts';
import { documentKey } from '../../src/bench/w1.ts';
import { cli } from '../support/cli.ts';
import { afterTest, temporaryDirectory } from '../support/nodes.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const NUMBER = expect.any(Number) as number;
const TEXT = expect.any(String) as string;
const NODES = ['primary', 'replica'];
const ASKING = [1, 8];

interface Shown {
  readonly directory: string | null;
  readonly failure: { readonly message: string } | null;
  readonly goals: readonly object[];
  readonly figures: {
    readonly windows: readonly Record<string, number>[];
    readonly costs: readonly { readonly commits_kept: { readonly rounds: readonly number[] } }[];
    readonly milliseconds: readonly Record<string, number | string>[];
  };
}

/** The program in a process of its own, its temporary files in a directory of this test. */
async function bench(options: readonly string[], onStart = (_temporary: string, _child: ChildProcess) => {}) {
  const temporary = await temporaryDirectory();
  const child = spawn(process.execPath, [MAIN, 'bench', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  afterTest(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  onStart(temporary, child);
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { exit, out, err, temporary };
}

test('dx: every figure of every question on both nodes, as one JSON object', async () => {
  const results = join(await temporaryDirectory(), 'results');
  const note = 'a run of the tests';
  const options = ['dx', '--seconds', '0.05', '--rounds', '1', '--json', '--record', results, '--note', note];
  const { exit, out, err, temporary } = await bench(options);
  expect({ exit, err }).toEqual({
    exit: 0,
    err: `${join(results, 'dx.json')} written\n${join(results, 'dx.md')} written\n`,
  });
  expect(out.trimEnd()).not.toContain('\n');
  const shown = JSON.parse(out) as Shown;
  expect(shown).toEqual({
    workload: 'dx',
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    note,
    machine: {
      cpu: TEXT,
      cores: NUMBER,
      memory_bytes: NUMBER,
      system: TEXT,
      node: process.version,
      file_system: TEXT,
    },
    load_averages: { before: [NUMBER, NUMBER, NUMBER], after: [NUMBER, NUMBER, NUMBER] },
    seconds: 0.05,
    rounds: 1,
    documents: 2_000,
    milliseconds: NUMBER,
    directory: null,
    limits: expect.arrayContaining([TEXT]) as string[],
    failure: null,
    goals: ASKING.map((connections) => ({
      id: `dx-median-${connections}`,
      goal: TEXT,
      met: expect.any(Boolean) as boolean,
      found: TEXT,
    })),
    figures: {
      workload: {
        name: 'W1',
        key_bytes: 23,
        document_bytes: 256,
        preload_commits: NUMBER,
        connections: NUMBER,
        commits_per_request: NUMBER,
      },
      windows: [0, ...ASKING].map((connections) => ({
        round: 1,
        connections_per_node: connections,
        seconds: NUMBER,
        commits: NUMBER,
        commits_per_second: NUMBER,
        asks_per_second: NUMBER,
        lag_commits: NUMBER,
        lag_bytes: NUMBER,
      })),
      costs: ASKING.map((connections) => ({
        connections_per_node: connections,
        asks_per_second: NUMBER,
        commits_kept: { median: NUMBER, rounds: [NUMBER] },
      })),
      milliseconds: ASKING.flatMap((connections) =>
        NODES.flatMap((node) =>
          QUESTIONS.map(({ name, path }) => ({
            node,
            connections_per_node: connections,
            question: name,
            path,
            count: NUMBER,
            min: NUMBER,
            median: NUMBER,
            p90: NUMBER,
            p99: NUMBER,
            max: NUMBER,
          })),
        ),
      ),
    },
  });
  const { windows, milliseconds } = shown.figures;
  expect(windows.filter(({ asks_per_second: asks }) => (asks ?? 0) > 0)).toHaveLength(ASKING.length);
  for (const { count, min, median, p90, p99, max } of milliseconds) {
    expect([min, median, p90, p99, max]).toEqual(
      [min, median, p90, p99, max].sort((a, b) => Number(a) - Number(b)),
    );
    expect([count, min].every((value) => Number(value) > 0)).toBe(true);
  }
  expect(JSON.parse(await readFile(join(results, 'dx.json'), 'utf8'))).toEqual(shown);
  const document = await readFile(join(results, 'dx.md'), 'utf8');
  expect(document).toContain(note);
  for (const { name } of QUESTIONS)
    expect(document.split('\n').filter((line) => line.includes(`| ${name} |`))).toHaveLength(4);
  expect(await readdir(temporary)).toEqual([]);
});

test('dx asks every DX endpoint that answers JSON, and beside them /readyz and /metrics', () => {
  expect(QUESTIONS.map(({ path }) => path)).toEqual([
    '/readyz',
    '/v1/status',
    '/v1/replication',
    '/v1/wal',
    '/v1/wal?after=0&limit=10',
    '/v1/mvcc',
    '/v1/mvcc/versions',
    '/v1/snapshots',
    '/v1/checkpoints',
    '/v1/machine',
    '/v1/machine?chart=0',
    '/v1/explain/replication',
    '/v1/explain/recovery',
    `/v1/explain/read?collection=w1&id=${documentKey(0)}`,
    '/v1/explain/read?collection=w1&id=nobody',
    '/metrics',
    '/openapi.json',
  ]);
});

test('a run that is interrupted ends its nodes, removes its files and says so with exit code 1', async () => {
  let pid: number | null = null;
  const { exit, out, temporary } = await bench(['dx', '--seconds', '600', '--json'], (directory, child) =>
    whenRunning('replica', directory, (running) => {
      pid = running;
      child.kill('SIGINT');
    }),
  );
  const { failure, figures, directory } = JSON.parse(out) as Shown;
  expect({ exit, failure, figures, directory }).toEqual({
    exit: 1,
    failure: { code: null, message: 'ended by SIGINT; every node was ended too' },
    figures: null,
    directory: null,
  });
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
  expect(await readdir(temporary)).toEqual([]);
});

test('a run whose primary dies says so with exit code 1, and keeps the files', async () => {
  const { exit, out, err, temporary } = await bench(['dx', '--seconds', '600', '--json'], (directory) =>
    whenRunning('replica', directory, () => {
      process.kill(pidOf('primary', directory) ?? 0, 'SIGKILL');
    }),
  );
  const { failure, figures, directory, goals } = JSON.parse(out) as Shown;
  expect({ exit, figures, goals }).toEqual({ exit: 1, figures: null, goals: [] });
  expect(failure?.message).not.toBe('');
  expect(err).toContain(`the files of the run are kept in ${directory}`);
  expect(err).toContain(`replichart bench: ${failure?.message}`);
  expect(directory).toBe(join(temporary, (await readdir(temporary))[0] ?? ''));
});

/** Calls back once, with the process of a node, when that has begun to write its log. */
function whenRunning(node: string, temporary: string, then: (pid: number) => void): void {
  const looking = setInterval(() => {
    const pid = pidOf(node, temporary);
    if (pid === null) return;
    clearInterval(looking);
    then(pid);
  }, 5);
  afterTest(async () => clearInterval(looking));
}

/** The process of a node, as it says itself in its log; `null` before there is one. */
function pidOf(node: string, temporary: string): number | null {
  const [run] = readdirSync(temporary);
  const log = run === undefined ? null : join(temporary, run, `${node}.log`);
  if (log === null || !existsSync(log)) return null;
  const pid = /"pid":(\d+)/.exec(readFileSync(log, 'utf8'))?.[1];
  return pid === undefined ? null : Number(pid);
}

test('--help lists the workloads', async () => {
  const { out } = await cli(['bench', '--help']);
  expect(out).toMatch(/^Workloads:\n {2}goals {2}every goal /m);
  expect(out).toMatch(/^ {2}dx {2}how fast /m);
});

test.each([
  [
    ['bench', 'p99'],
    "'p99' is invalid for argument 'workload'. Allowed choices are goals, catch-up, bootstrap, lag, commits, reads, growth, scaling, counts, dx, flight.",
  ],
  [['bench', '--seconds', '0'], 'It must be a number of seconds above 0, at most 3600.'],
  [['bench', '--documents', '999'], 'It must be a whole number from 1000 to 100000000.'],
  [['bench', '--rounds', '1.5'], 'It must be a whole number from 1 to 1000.'],
])('%j is a mistake of use', async (args, message) => {
  const { exit, out, err } = await cli(args);
  expect([exit, out]).toEqual([2, '']);
  expect(err).toContain(message);
});
