import { largestOf, megabytes, pacesOf, spreadOf } from '../catch-up/pace.ts';
import { memoryGoal, seconds } from '../catch-up/report.ts';
import { medianOf, rounded } from '../statistics.ts';
import { DOCUMENT_BYTES, KEY_BYTES, type WorkFacts } from '../w1.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import { CROWD, CROWD_KINDS, type CrowdRound } from './crowd.ts';
import type { SizeFigures } from './sizes.ts';

/** For ten times the documents. */
const TIMES_MAX = 11;
const RESTART_MILLISECONDS_MAX = 500;
/** What is independent of the length of the WAL takes as long; chance is given this much. */
const RESTART_TIMES_MAX = 1.2;
const REPLICA_MEGABYTES_MAX = 1;

export interface GrowthFigures {
  readonly workload: WorkFacts;
  readonly small: SizeFigures;
  readonly large: SizeFigures;
  readonly crowds: readonly CrowdRound[];
}

export function measuredOf(figures: GrowthFigures): Measured {
  const [small, large] = [summaryOf(figures.small), summaryOf(figures.large)];
  const sizes = [small, large];
  const crowds = CROWD_KINDS.map((kind) => ({
    kind,
    rss_bytes_per_replica: medianOfKnown(
      figures.crowds.filter((one) => one.kind === kind).map((one) => one.rss_bytes_per_replica),
    ),
  }));
  return {
    goals: [
      growthGoal(small, large),
      ...restartGoals(small, large),
      crowdGoal(crowds),
      memoryGoal('P4-small', small.catch_up.peak_rss_bytes, figures.small.documents),
      memoryGoal('P4-large', large.catch_up.peak_rss_bytes, figures.large.documents),
    ],
    figures: { ...figures, summary: { sizes, crowds } },
    tables: [sizeTable(sizes), crowdTable(figures.crowds)],
  };
}

function summaryOf({ documents, wal_bytes: bytes, catch_up: rounds, restart }: SizeFigures) {
  return {
    documents,
    wal_bytes: bytes,
    catch_up: pacesOf(rounds, documents * (KEY_BYTES + DOCUMENT_BYTES)),
    catch_up_milliseconds_from_start: spreadOf(rounds.map((one) => one.milliseconds_from_start)),
    restart_milliseconds: spreadOf(restart.map((one) => one.milliseconds)),
    restart_milliseconds_from_start: spreadOf(restart.map((one) => one.milliseconds_from_start)),
    restart_peak_rss_bytes: largestOf(restart.map((one) => one.peak_rss_bytes)),
  };
}

type Summary = ReturnType<typeof summaryOf>;
type Crowds = readonly { readonly kind: string; readonly rss_bytes_per_replica: number | null }[];

/** By the time from the start: what loading the program takes is the same at both, and would make it look better. */
function growthGoal(small: Summary, large: Summary): Goal {
  const [one, ten] = [
    small.catch_up_milliseconds_from_start.median,
    large.catch_up_milliseconds_from_start.median,
  ];
  const times = ratioOf(ten, one);
  return {
    id: 'P8-growth',
    goal: `catching up with 10 times the documents takes at most ${TIMES_MAX} times as long`,
    met: times === null ? null : times <= TIMES_MAX,
    found: `${times ?? 'unknown'} times: ${seconds(one)} s with ${small.documents} documents, ${seconds(ten)} s with ${large.documents}`,
  };
}

function restartGoals(small: Summary, large: Summary): readonly Goal[] {
  const [one, ten] = [small.restart_milliseconds.median, large.restart_milliseconds.median];
  const times = ratioOf(ten, one);
  return [
    {
      id: 'P8-restart',
      goal: `a caught-up replica that starts again is read-safe within ${RESTART_MILLISECONDS_MAX} ms of its spawn`,
      met: one === null ? null : one <= RESTART_MILLISECONDS_MAX,
      found: `${one ?? 'unknown'} ms with ${small.documents} documents`,
    },
    {
      id: 'P8-restart-length',
      goal: `starting again does not depend on the length of the WAL: at most ${RESTART_TIMES_MAX} times as long with 10 times of it`,
      met: times === null ? null : times <= RESTART_TIMES_MAX,
      found: `${times ?? 'unknown'} times: ${ten ?? 'unknown'} ms with ${large.documents} documents`,
    },
  ];
}

/** The kind in which a replica costs the most decides. */
function crowdGoal(crowds: Crowds): Goal {
  const largest = largestOf(crowds.map((one) => one.rss_bytes_per_replica));
  const each = crowds.map(
    ({ kind, rss_bytes_per_replica: bytes }) =>
      `${kind.replace('_', ' ')} ${megabytesExactly(bytes) ?? 'unknown'} MB`,
  );
  return {
    id: 'P8-replicas',
    goal: `with ${CROWD} replicas, each takes at most ${REPLICA_MEGABYTES_MAX} MB of the primary’s memory`,
    met: largest === null ? null : largest <= REPLICA_MEGABYTES_MAX * 1e6,
    found: each.join(', '),
  };
}

function ratioOf(one: number | null, other: number | null): number | null {
  return one === null || other === null || other === 0 ? null : rounded(one / other);
}

function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : medianOf(known);
}

function megabytesExactly(bytes: number | null): number | null {
  return bytes === null ? null : rounded(bytes / 1e6);
}

function sizeTable(sizes: readonly Summary[]): TitledTable {
  return {
    title: 'size by size: catching up and starting again, medians of the rounds',
    head: [
      'documents',
      'WAL MB',
      'caught up s',
      's from start',
      'documents/s',
      'peak MB',
      'again ms',
      'ms from start',
      'peak MB',
    ],
    rows: sizes.map((size) => [
      size.documents,
      megabytes(size.wal_bytes),
      seconds(size.catch_up.milliseconds.median),
      seconds(size.catch_up_milliseconds_from_start.median),
      size.catch_up.docs_per_second.median,
      megabytes(size.catch_up.peak_rss_bytes),
      size.restart_milliseconds.median,
      size.restart_milliseconds_from_start.median,
      megabytes(size.restart_peak_rss_bytes),
    ]),
  };
}

function crowdTable(crowds: readonly CrowdRound[]): TitledTable {
  return {
    title: `the primary’s memory with 1 and with ${CROWD} replicas`,
    head: ['replicas are', 'round', 'MB with 1', `MB with ${CROWD}`, 'MB read by all', 'MB each'],
    rows: crowds.map(({ kind, round, alone, crowd, rss_bytes_per_replica: each }) => [
      kind.replace('_', ' '),
      round,
      megabytes(alone.rss_bytes?.median ?? null),
      megabytes(crowd.rss_bytes?.median ?? null),
      megabytes(crowd.wal_bytes_read),
      megabytesExactly(each),
    ]),
  };
}
