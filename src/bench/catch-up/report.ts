import { rounded } from '../statistics.ts';
import type { Proof } from '../prove.ts';
import { DOCUMENT_BYTES, KEY_BYTES, type WorkFacts } from '../w1.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import type { CatchUp } from './measure.ts';
import { megabytes, pacesOf, type Paces } from './pace.ts';
import type { ProfileShares } from './profile.ts';

const DOCS_PER_SECOND_MIN = 600_000;
/** Megabytes are millions of bytes, here as in every figure. */
export const PEAK_RSS_MEGABYTES_MAX = 200;
const STATECHART_SHARE_MAX = 0.02;
const GROUPS_SHOWN = 15;

export interface CatchUpFigures {
  readonly workload: WorkFacts;
  readonly rounds: readonly CatchUp[];
  readonly proofs: readonly Proof[];
  readonly profile: ProfileShares;
}

export function measuredOf(figures: CatchUpFigures): Measured {
  const { workload, rounds, profile } = figures;
  const paces = pacesOf(rounds, workload.documents * (KEY_BYTES + DOCUMENT_BYTES));
  return {
    goals: [
      paceGoal(paces, workload.documents),
      memoryGoal('P4', paces.peak_rss_bytes, workload.documents),
      chartGoal(profile),
    ],
    figures: { ...figures, summary: paces },
    tables: [
      roundTable(
        'round by round, from the spawn of the replica until it admits a read of the last commit',
        rounds,
      ),
      profileTable(profile),
    ],
  };
}

function paceGoal({ docs_per_second: pace }: Paces, documents: number): Goal {
  return {
    id: 'P1',
    goal: `an empty replica catches up with at least ${DOCS_PER_SECOND_MIN} documents/s, on a machine where PostgreSQL does half of it`,
    met: pace.median !== null && pace.median >= DOCS_PER_SECOND_MIN,
    found: `${pace.median ?? 'unknown'} documents/s (${pace.min ?? '?'} to ${pace.max ?? '?'}) with ${documents} documents`,
  };
}

export function memoryGoal(id: string, bytes: number | null, documents: number): Goal {
  const peak = megabytes(bytes);
  return {
    id,
    goal: `a replica that catches up takes at most ${PEAK_RSS_MEGABYTES_MAX} MB of memory`,
    met: peak === null ? null : peak <= PEAK_RSS_MEGABYTES_MAX,
    found: `the peak of all rounds is ${peak ?? 'unknown'} MB with ${documents} documents`,
  };
}

function chartGoal({ statechart_share: share, samples }: ProfileShares): Goal {
  return {
    id: 'P7',
    goal: `the statechart and its logging take at most ${STATECHART_SHARE_MAX * 100} % of the processor`,
    met: share <= STATECHART_SHARE_MAX,
    found: `${percent(share)} % of ${samples} samples`,
  };
}

export function roundTable(title: string, rounds: readonly CatchUp[]): TitledTable {
  const bytes = KEY_BYTES + DOCUMENT_BYTES;
  return {
    title,
    head: ['round', 'documents', 's', 'documents/s', 'MB/s', 'documents/s from start', 'peak MB', 'CPU s'],
    rows: rounds.map((one, index) => [
      index + 1,
      one.documents,
      seconds(one.milliseconds),
      one.docs_per_second,
      rounded((one.docs_per_second * bytes) / 1e6),
      one.docs_per_second_from_start,
      megabytes(one.peak_rss_bytes),
      seconds(one.cpu_milliseconds),
    ]),
  };
}

/** For people; `null` stays what is not known. */
export function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : rounded(milliseconds / 1_000);
}

function profileTable({ groups }: ProfileShares): TitledTable {
  return {
    title: 'where the profiled replica spent its time, without what it was idle',
    head: ['part', 'counts as', 'samples', '%'],
    rows: groups
      .slice(0, GROUPS_SHOWN)
      .map(({ group, side, samples, share }) => [group, side, samples, percent(share)]),
  };
}

function percent(share: number): number {
  return Math.round(share * 10_000) / 100;
}
