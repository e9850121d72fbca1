import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/bench/counts/limits.ts';
import { IDLE_READS } from '../../src/bench/reads/idle.ts';
import { READINGS } from '../../src/bench/reads/under-load.ts';
import { runProgram } from '../support/programs.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const NUMBER = expect.any(Number) as number;
const SUMMARY = { count: NUMBER, min: NUMBER, median: NUMBER, p90: NUMBER, p99: NUMBER, max: NUMBER };

interface Shown {
  readonly goals: readonly { readonly id: string }[];
  readonly figures: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
}

/** The smallest run of a workload; what it leaves behind is nothing. */
async function small(workload: string): Promise<Shown> {
  const options = ['bench', workload, '--seconds', '0.2', '--rounds', '1', '--documents', '1000', '--json'];
  const { out, err, exit, left } = await runProgram(MAIN, options);
  expect({ exit, err, left }).toEqual({ exit: 0, err: '', left: [] });
  return JSON.parse(out) as Shown;
}

const idsOf = ({ goals }: Shown) => goals.map(({ id }) => id);

test('lag: every commit of both ways of writing is acknowledged and visible', async () => {
  const shown = await small('lag');
  expect(idsOf(shown)).toEqual(['P3-p99', 'P3-p99-every-5-ms']);
  const { writings = [], windows = [] } = shown.figures;
  expect(writings).toEqual(
    [0, 5].map((interval) => ({
      interval_ms: interval,
      commits: NUMBER,
      visible_before_acknowledged: NUMBER,
      lag_ms: SUMMARY,
      acknowledged_ms: SUMMARY,
      visible_ms: SUMMARY,
    })),
  );
  for (const { interval_ms: interval, commits, lag_ms: lag } of writings) {
    const ofWindows = windows.filter((one) => one['interval_ms'] === interval).map((one) => one['commits']);
    expect([lag, ofWindows]).toEqual([{ ...SUMMARY, count: commits }, [commits]]);
  }
});

test('commits: one writer and many beside bare appends, in process and over HTTP, and a WAL that is proved', async () => {
  const shown = await small('commits');
  expect(idsOf(shown)).toEqual(['P5-one-writer', 'P5-64-writers']);
  const writing = (writers: number) => ({
    writers,
    commits: NUMBER,
    milliseconds: NUMBER,
    commits_per_second: NUMBER,
    commit_ms: SUMMARY,
  });
  const bare = (calls: string) => ({
    calls,
    appends: NUMBER,
    milliseconds: NUMBER,
    appends_per_second: NUMBER,
  });
  const { rounds = [] } = shown.figures;
  expect(rounds).toEqual([
    {
      round: 1,
      // A frame, a commit and an operation with their headers: 72 + 16 + 12 + 2 + 23 + 256.
      frame_bytes: 381,
      bare: [bare('blocking'), bare('asynchronous')],
      in_process: [writing(1), writing(64)],
      over_http: [writing(1), writing(64)],
      verified_wal_bytes: NUMBER,
    },
  ]);
});

test('reads: what is read under load and idle, and what was refused', async () => {
  const shown = await small('reads');
  expect(idsOf(shown)).toEqual(['P6-admitted', 'P6-p99', 'P6-p99-each-ms', 'P6-hot-set', 'P6-scan']);
  const { under_load: loaded = [], idle = [], scans = [] } = shown.figures;
  expect(loaded.map(({ reading, documents }) => [reading, documents])).toEqual(
    READINGS.map((reading) => [reading, 1_000]),
  );
  expect(idle.map(({ name }) => name)).toEqual(IDLE_READS.map(({ name }) => name));
  for (const { reads } of idle) expect(reads).toBeGreaterThan(0);
  expect(scans).toEqual([{ round: 1, rows: 1_000, milliseconds: NUMBER, rows_per_second: NUMBER }]);
});

test('counts: each beside its limit; of another history nothing is said of the goal', async () => {
  const shown = await small('counts');
  expect(shown.goals).toMatchObject([{ id: 'counts', met: null }]);
  expect(shown.figures['counts']?.map(({ name }) => name)).toEqual(Object.keys(LIMITS));
});
