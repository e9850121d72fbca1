import { rounded } from '../../src/bench/statistics.ts';
import { DOCUMENT_BYTES, KEY_BYTES } from '../../src/bench/w1.ts';
import type { Measured, TitledTable } from '../../src/bench/workload.ts';
import { goalsOf } from './goals.ts';
import type { PeersOptions } from './peers.ts';
import { compare, type Comparison, type Figure, type Rate, type Turn } from './turns.ts';

interface Taken {
  readonly documents: number;
  readonly options: PeersOptions;
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  readonly turns: readonly Turn[];
  readonly rates: readonly Rate[];
  readonly seconds: number;
}

const MEBIBYTE = 2 ** 20;

/** Every comparison there is: the name of its figures in JSON, its title for people, and what it compares. */
const COMPARED = {
  catch_up_docs_per_second: {
    title: 'P1, an empty follower catches up with the log: documents/s',
    figure: ({ catch_up: up }) => up?.docs_per_second ?? null,
  },
  catch_up_from_ready_milliseconds: {
    title: 'P1, the same from the moment at which the follower takes connections: milliseconds',
    figure: ({ catch_up: up }) => up?.milliseconds_from_ready ?? null,
  },
  bootstrap_milliseconds: {
    title: 'P2, an empty follower begins from a copy of the state: milliseconds',
    figure: ({ bootstrap }) => bootstrap?.milliseconds ?? null,
  },
  bootstrap_with_preparation_milliseconds: {
    title: 'P2, the same with the making of the snapshot before it: milliseconds',
    figure: ({ bootstrap: one }) =>
      one === null ? null : rounded(one.milliseconds + one.prepared_in_milliseconds),
  },
  lag_p50_milliseconds: {
    title: 'P3, from the acknowledgement to the first answer of the follower, p50: milliseconds',
    figure: ({ lag }) => lag?.lag_milliseconds?.median ?? null,
  },
  lag_p99_milliseconds: {
    title: 'P3, the same, p99: milliseconds',
    figure: ({ lag }) => lag?.lag_milliseconds?.p99 ?? null,
  },
  lag_poll_p50_milliseconds: {
    title: 'P3, one question to the follower and its answer, p50: milliseconds',
    figure: ({ lag }) => lag?.poll_milliseconds?.median ?? null,
  },
  lag_write_p50_milliseconds: {
    title: 'P3, from a commit to its acknowledgement, p50: milliseconds',
    figure: ({ lag }) => lag?.write_milliseconds?.median ?? null,
  },
  peak_memory_mebibytes: {
    title: 'P4, the most memory of the follower while it catches up: MiB',
    figure: ({ catch_up: up }) =>
      up === null || up.peak_memory_bytes === null ? null : Math.round(up.peak_memory_bytes / MEBIBYTE),
  },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly figure: Figure }>>;

export type Comparisons = Readonly<Record<keyof typeof COMPARED, readonly Comparison[]>>;

export function measuredOf({ documents, options, versions, turns, rates, seconds }: Taken): Measured {
  const { goals, lagCommits, systems } = options;
  // A follower has to catch up before its lag can be seen: what was not asked for is not told.
  const asked = turns.map((turn) =>
    goals.includes('P1') || goals.includes('P4') ? turn : { ...turn, catch_up: null },
  );
  const comparisons = Object.fromEntries(
    Object.entries(COMPARED).map(([name, { figure }]) => [name, compare(asked, figure)]),
  ) as unknown as Comparisons;
  return {
    goals: goalsOf(comparisons),
    figures: {
      workload: {
        name: 'W1',
        key_bytes: KEY_BYTES,
        document_bytes: DOCUMENT_BYTES,
        documents,
        lag_commits: lagCommits,
      },
      systems,
      goals_asked: goals,
      versions,
      comparisons,
      durable_commits: rates,
      turns: asked,
    },
    tables: [
      {
        title: 'the systems',
        head: ['system', 'version'],
        rows: versions.map((one) => [one.name, one.version]),
      },
      ...tablesOf(comparisons),
      ...(rates.length === 0 ? [] : [rateTable(rates, seconds)]),
    ],
  };
}

function tablesOf(comparisons: Comparisons): readonly TitledTable[] {
  return Object.entries(COMPARED).flatMap(([name, { title }]) => {
    const all = comparisons[name as keyof Comparisons];
    return all.length === 0 ? [] : [comparisonTable(title, all)];
  });
}

function comparisonTable(title: string, all: readonly Comparison[]): TitledTable {
  return {
    title,
    head: ['system', 'median', 'min', 'max', 'Replichart by it, median of the rounds', 'each round'],
    rows: all.map(({ contestant, median, min, max, ratio }) => [
      contestant,
      median,
      min,
      max,
      ratio.median,
      ratio.rounds.length === 0 ? null : ratio.rounds.join(', '),
    ]),
  };
}

function rateTable(rates: readonly Rate[], seconds: number): TitledTable {
  return {
    title: `P5, durable commits/s of the primary, windows of ${seconds} s`,
    head: ['system', 'clients', 'commits/s'],
    rows: rates.map((rate) => [rate.contestant, rate.clients, rate.commits_per_second]),
  };
}
