import { describe, expect, test } from 'vitest';
import { goalsOf } from '../../bench/peers/goals.ts';
import { measuredOf } from '../../bench/peers/report.ts';
import { compare, type Turn } from '../../bench/peers/turns.ts';

const MEBIBYTE = 2 ** 20;

const summary = (median: number, p99: number) => ({ count: 1, min: median, median, p90: p99, p99, max: p99 });

function turn(round: number, contestant: string, rate: number, rest: Partial<Turn> = {}): Turn {
  return {
    round,
    contestant,
    catch_up: {
      milliseconds: 1_000_000 / rate,
      milliseconds_from_ready: 1,
      documents: 1_000,
      docs_per_second: rate,
      peak_memory_bytes: 100 * MEBIBYTE,
    },
    bootstrap: { milliseconds: rate / 10, prepared_in_milliseconds: 5 },
    lag: {
      commits: 1,
      lag_milliseconds: summary(0.5, 1.5),
      poll_milliseconds: summary(0.1, 0.2),
      write_milliseconds: summary(1, 2),
    },
    ...rest,
  };
}

const TURNS = [
  turn(1, 'postgresql', 100),
  turn(1, 'redis-everysec', 400),
  turn(1, 'replichart', 300),
  turn(2, 'redis-everysec', 100),
  turn(2, 'replichart', 300),
  turn(2, 'postgresql', 200),
];
const options = { lagCommits: 1, systems: ['postgresql', 'redis', 'replichart'], goals: ['P1'] } as const;
const measured = (turns: readonly Turn[]) =>
  measuredOf({ documents: 1_000, options, versions: [], turns, rates: [], seconds: 1 });

describe('peers', () => {
  test('a ratio is Replichart by the peer of the same round, and the median is that of the rounds', () => {
    const rates = compare(TURNS, ({ catch_up: up }) => up?.docs_per_second ?? null);
    expect(rates).toEqual([
      {
        contestant: 'postgresql',
        median: 150,
        min: 100,
        max: 200,
        ratio: { median: 2.25, rounds: [3, 1.5] },
      },
      {
        contestant: 'redis-everysec',
        median: 250,
        min: 100,
        max: 400,
        ratio: { median: 1.875, rounds: [0.75, 3] },
      },
      { contestant: 'replichart', median: 300, min: 300, max: 300, ratio: { median: null, rounds: [] } },
    ]);
  });

  test('what was not measured has no comparison, no table and no goal', () => {
    const none = TURNS.map((one) => ({ ...one, catch_up: null, bootstrap: null, lag: null }));
    const { goals, tables } = measured(none);
    expect({ goals, tables: tables.map(({ title }) => title) }).toEqual({
      goals: [],
      tables: ['the systems'],
    });
  });

  test('a peer alone has figures, and no goal is decided by it', () => {
    const { goals, tables } = measured(TURNS.filter(({ contestant }) => contestant === 'postgresql'));
    expect(goals).toEqual([]);
    expect(tables.length).toBeGreaterThan(1);
  });

  test('each goal is met or not by the median of its rounds', () => {
    expect(measured(TURNS).goals.map(({ id, met }) => [id, met])).toEqual([
      ['P1-postgresql', true],
      ['P1-redis', true],
      ['P2', false],
      ['P3-p50', true],
      ['P3-p99', true],
      ['P4', true],
    ]);
    const slow = measured(
      TURNS.map((one) => (one.contestant === 'replichart' ? turn(one.round, 'replichart', 90) : one)),
    );
    expect(slow.goals.filter(({ met }) => met === false).map(({ id }) => id)).toEqual([
      'P1-postgresql',
      'P1-redis',
    ]);
  });

  test('the memory goal is decided by the most of any round', () => {
    const catchUp = {
      ...(TURNS[2]?.catch_up as NonNullable<Turn['catch_up']>),
      peak_memory_bytes: 300 * MEBIBYTE,
    };
    const { figures } = measured([...TURNS, turn(3, 'replichart', 300, { catch_up: catchUp })]);
    const { comparisons } = figures as { comparisons: Parameters<typeof goalsOf>[0] };
    expect(goalsOf(comparisons).find(({ id }) => id === 'P4')).toMatchObject({
      met: false,
      found: 'the most in any round is 300 MiB',
    });
  });
});
