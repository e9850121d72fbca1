import { medianOf, rounded } from '../statistics.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import type { FlightWindow } from './measure.ts';

/** What is left of the speed, by the median of the rounds, is to be at least this. */
const KEPT_MIN = 0.8;

const KINDS = ['following', 'catch_up'] as const;
type Kind = (typeof KINDS)[number];
const NAMES: Readonly<Record<Kind, string>> = {
  following: 'following single commits',
  catch_up: 'catching up',
};

export function measuredOf(workload: object, windows: readonly FlightWindow[]): Measured {
  const costs = KINDS.map((kind) => costOf(kind, windows));
  const bytes = bytesPerCommit(windows);
  return {
    goals: costs.map(goalOf),
    figures: { workload, windows, costs, journal_bytes_per_commit: bytes },
    tables: [costTable(costs, bytes), windowTable(windows)],
  };
}

/** Each round against its own window without the recorder. */
function costOf(kind: Kind, windows: readonly FlightWindow[]) {
  const rounds = [...new Set(windows.map(({ round }) => round))];
  const ratios = (figure: 'commits_per_second' | 'cpu_microseconds_per_commit') =>
    rounds.flatMap((round) => {
      const paceIn = (recorder: FlightWindow['recorder']) =>
        windows.find((one) => one.round === round && one.recorder === recorder)?.[kind][figure] ?? 0;
      const [off, on] = [paceIn('disabled'), paceIn('enabled')];
      return off === 0 || on === 0 ? [] : [rounded(on / off)];
    });
  const [kept, cpu] = [ratios('commits_per_second'), ratios('cpu_microseconds_per_commit')];
  return {
    kind,
    kept: { median: medianOf(kept), rounds: kept },
    cpu: { median: medianOf(cpu), rounds: cpu },
  };
}

type Cost = ReturnType<typeof costOf>;

function goalOf({ kind, kept }: Cost): Goal {
  return {
    id: `flight-${kind}`,
    goal: `${NAMES[kind]}, a replica that records keeps at least ${KEPT_MIN} of its speed`,
    met: kept.median !== null && kept.median >= KEPT_MIN,
    found: `the median of the rounds is ${kept.median ?? 'unknown'}`,
  };
}

/** What one commit that is followed alone takes in the journal; what catching up takes is little beside it. */
function bytesPerCommit(windows: readonly FlightWindow[]): number | null {
  const each = windows.flatMap(({ journal_bytes: bytes, journal_commits: commits }) =>
    bytes === null || commits === 0 ? [] : [bytes / commits],
  );
  return medianOf(each.map(Math.round));
}

function costTable(costs: readonly Cost[], bytes: number | null): TitledTable {
  return {
    title: 'what recording costs: with the recorder by without, of the same round',
    head: ['work', 'commits/s', 'each round', 'processor time', 'each round', 'journal bytes a commit'],
    rows: costs.map(({ kind, kept, cpu }) => [
      NAMES[kind],
      kept.median,
      kept.rounds.join(', '),
      cpu.median,
      cpu.rounds.join(', '),
      kind === 'following' ? bytes : null,
    ]),
  };
}

function windowTable(windows: readonly FlightWindow[]): TitledTable {
  return {
    title: 'window by window',
    head: [
      'round',
      'recorder',
      'caught up',
      'commits/s',
      'µs/commit',
      'followed',
      'commits/s',
      'µs/commit',
      'journal',
    ],
    rows: windows.map(({ round, recorder, catch_up: up, following, journal_bytes: bytes }) => [
      round,
      recorder,
      up.commits,
      up.commits_per_second,
      up.cpu_microseconds_per_commit,
      following.commits,
      following.commits_per_second,
      following.cpu_microseconds_per_commit,
      bytes,
    ]),
  };
}
