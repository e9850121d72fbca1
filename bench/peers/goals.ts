import type { Goal } from '../../src/bench/workload.ts';
import type { Comparisons } from './report.ts';
import { OURS, type Comparison } from './turns.ts';

/** 200 MB in the unit of the figure. */
const PEAK_MEBIBYTES_MAX = 200e6 / 2 ** 20;
const LAG_P99_MILLISECONDS_MAX = 2;

/** The goals of the project that name a peer, or that are measured beside one; none where nothing was measured. */
export function goalsOf(comparisons: Comparisons): readonly Goal[] {
  return [
    ratioGoal('P1-postgresql', 'the log catch-up is at least 2 times as fast as that of PostgreSQL', {
      ratio: ratioIn(comparisons.catch_up_docs_per_second, 'postgresql'),
      isMet: (ratio) => ratio >= 2,
    }),
    ratioGoal('P1-redis', 'the log catch-up is faster than that of Redis with everysec', {
      ratio: ratioIn(comparisons.catch_up_docs_per_second, 'redis-everysec'),
      isMet: (ratio) => ratio > 1,
    }),
    ratioGoal('P2', 'the bootstrap takes at most 0.7 of the time of pg_basebackup and start', {
      ratio: ratioIn(comparisons.bootstrap_milliseconds, 'postgresql'),
      isMet: (ratio) => ratio <= 0.7,
    }),
    ratioGoal('P3-p50', 'the p50 of the lag is at most that of PostgreSQL', {
      ratio: ratioIn(comparisons.lag_p50_milliseconds, 'postgresql'),
      isMet: (ratio) => ratio <= 1,
    }),
    figureGoal('P3-p99', `the p99 of the lag is at most ${LAG_P99_MILLISECONDS_MAX} ms`, {
      found: oursIn(comparisons.lag_p99_milliseconds)?.median,
      max: LAG_P99_MILLISECONDS_MAX,
      text: (value) => `the median of the rounds is ${value} ms`,
    }),
    figureGoal('P4', 'the follower takes at most 200 MB of memory while it catches up', {
      found: oursIn(comparisons.peak_memory_mebibytes)?.max,
      max: PEAK_MEBIBYTES_MAX,
      text: (value) => `the most in any round is ${value} MiB`,
    }),
  ].flat();
}

function ratioGoal(
  id: string,
  goal: string,
  { ratio, isMet }: { readonly ratio: number | null; readonly isMet: (ratio: number) => boolean },
): readonly Goal[] {
  if (ratio === null) return [];
  return [{ id, goal, met: isMet(ratio), found: `Replichart by it is ${ratio}, the median of the rounds` }];
}

function figureGoal(
  id: string,
  goal: string,
  figure: {
    readonly found: number | null | undefined;
    readonly max: number;
    readonly text: (found: number) => string;
  },
): readonly Goal[] {
  const { found, max, text } = figure;
  return found === null || found === undefined ? [] : [{ id, goal, met: found <= max, found: text(found) }];
}

function ratioIn(comparisons: readonly Comparison[], contestant: string): number | null {
  return comparisons.find((one) => one.contestant === contestant)?.ratio.median ?? null;
}

function oursIn(comparisons: readonly Comparison[]): Comparison | undefined {
  return comparisons.find((one) => one.contestant === OURS);
}
