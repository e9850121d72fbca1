import { medianOf, rounded } from '../statistics.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import { BARE_CALLS, type BareCalls } from './bare.ts';
import { WRITERS, type Round } from './rounds.ts';
import type { Writing } from './writers.ts';

/** One writer is to reach this part of the bare rate, by the median of the rounds. */
const PART_OF_BARE_MIN = 0.8;
/** What many writers are to reach together. */
const COMMITS_PER_SECOND_MIN = 100_000;

type Way = 'in_process' | 'over_http';
const WAYS: Readonly<Record<Way, string>> = { in_process: 'in process', over_http: 'over HTTP' };

export function measuredOf(workload: object, rounds: readonly Round[]): Measured {
  const parts = BARE_CALLS.map((calls) => partOf(calls, rounds));
  const rates = (Object.keys(WAYS) as Way[]).flatMap((way) =>
    WRITERS.map((writers) => rateOf(way, writers, rounds)),
  );
  return {
    goals: [oneWriterGoal(parts), manyWritersGoal(rates)],
    figures: { workload, parts_of_bare: parts, rates, rounds },
    tables: [rateTable(rates), partTable(parts), timesTable(rounds)],
  };
}

function partOf(calls: BareCalls, rounds: readonly Round[]) {
  const bare = rounds.map((round) => round.bare.find((one) => one.calls === calls)?.appends_per_second ?? 0);
  const each = rounds.flatMap((round, index) => {
    const [one, appends] = [writingOf(round, 'in_process', WRITERS[0])?.commits_per_second, bare[index] ?? 0];
    return one === undefined || appends === 0 ? [] : [rounded(one / appends)];
  });
  return { calls, appends_per_second: medianOf(bare), part: { median: medianOf(each), rounds: each } };
}

function rateOf(way: Way, writers: number, rounds: readonly Round[]) {
  const each = rounds.flatMap((round) => writingOf(round, way, writers)?.commits_per_second ?? []);
  return { way, writers, commits_per_second: { median: medianOf(each), rounds: each } };
}

type Part = ReturnType<typeof partOf>;
type Rate = ReturnType<typeof rateOf>;

function writingOf(round: Round, way: Way, writers: number): Writing | undefined {
  return round[way].find((one) => one.writers === writers);
}

function oneWriterGoal(parts: readonly Part[]): Goal {
  const { part, appends_per_second: appends } = parts.find(({ calls }) => calls === 'blocking') as Part;
  return {
    id: 'P5-one-writer',
    goal: `one writer: commits/s at least ${PART_OF_BARE_MIN} of bare write + fdatasync`,
    met: part.median !== null && part.median >= PART_OF_BARE_MIN,
    found: `${part.median ?? 'unknown'}, beside ${appends ?? 'unknown'} bare appends/s (medians of the rounds)`,
  };
}

function manyWritersGoal(rates: readonly Rate[]): Goal {
  const [, writers] = WRITERS;
  const found = rates.find((one) => one.way === 'in_process' && one.writers === writers);
  const median = found?.commits_per_second.median ?? null;
  return {
    id: 'P5-64-writers',
    goal: `${writers} writers: at least ${COMMITS_PER_SECOND_MIN} durable commits/s`,
    met: median !== null && median >= COMMITS_PER_SECOND_MIN,
    found: `${median ?? 'unknown'}/s (median of the rounds)`,
  };
}

function rateTable(rates: readonly Rate[]): TitledTable {
  return {
    title: 'durable commits a second',
    head: ['way', 'writers', 'median of the rounds', 'each round'],
    rows: rates.map(({ way, writers, commits_per_second: found }) => [
      WAYS[way],
      writers,
      found.median,
      found.rounds.join(', '),
    ]),
  };
}

function partTable(parts: readonly Part[]): TitledTable {
  return {
    title: 'one writer beside bare appends of the same round',
    head: ['bare calls', 'appends/s', 'commits by appends', 'each round'],
    rows: parts.map(({ calls, appends_per_second: appends, part }) => [
      calls,
      appends,
      part.median,
      part.rounds.join(', '),
    ]),
  };
}

function timesTable(rounds: readonly Round[]): TitledTable {
  return {
    title: 'milliseconds from the call to the acknowledgement, round by round',
    head: ['round', 'way', 'writers', 'commits', 'median', 'p90', 'p99', 'max'],
    rows: rounds.flatMap((round) =>
      (Object.keys(WAYS) as Way[]).flatMap((way) =>
        round[way].map(({ writers, commits, commit_ms: ms }) => [
          round.round,
          WAYS[way],
          writers,
          commits,
          ms?.median ?? null,
          ms?.p90 ?? null,
          ms?.p99 ?? null,
          ms?.max ?? null,
        ]),
      ),
    ),
  };
}
