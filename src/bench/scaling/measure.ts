import { rm } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { DemoNode } from '../../demo/processes.ts';
import { measureCatchUp } from '../catch-up/measure.ts';
import { largestOf } from '../catch-up/pace.ts';
import { makeHistory } from '../history.ts';
import { withReaders } from '../light-reader.ts';
import { peakRssBytes } from '../process-facts.ts';
import { positionsEqual } from '../prove.ts';
import { rounded } from '../statistics.ts';
import type { Surroundings } from '../workload.ts';
import { READERS, type ScalingCase } from './cases.ts';

const POLL_MILLISECONDS = 5;

export interface ScalingRound {
  /** Until the last of them had everything. */
  readonly milliseconds: number;
  /** The largest of them; `null` where the system does not tell it, and of readers, which are no processes. */
  readonly replica_peak_rss_bytes: number | null;
  /** So far, since the primary was started for the case. */
  readonly primary_peak_rss_bytes: number | null;
}

/** The rounds of one row of the table. */
export interface ScalingRow {
  readonly of: ScalingCase;
  readonly wal_bytes: number;
  readonly replicas: number;
  /** Whether they are replica processes, or readers of the WAL that keep nothing. */
  readonly kind: 'replicas' | 'readers';
  readonly rounds: readonly ScalingRound[];
}

/** A row for each number of replicas of a case; the first case has one of readers too. */
export async function measureCase(
  surroundings: Surroundings,
  of: ScalingCase,
  withReadersToo: boolean,
): Promise<readonly ScalingRow[]> {
  const { processes, signal, say } = surroundings;
  const name = 'primary';
  const directory = processes.directoryOf(name);
  const end = await makeHistory({
    directory,
    documents: of.documents,
    documentBytes: of.document_bytes,
    operationsPerCommit: of.operations_per_commit,
    operationOf: of.operationOf,
    signal,
    say: (text) => say(`${of.name}: ${text}`),
  });
  const primary = await processes.start(name, 'primary');
  const rows: ScalingRow[] = [];
  for (const count of of.replicas) {
    const round = () => replicaRound(surroundings, primary, end.commitId, of.documents, count);
    rows.push(await row(surroundings, { of, wal_bytes: end.lsn, replicas: count, kind: 'replicas' }, round));
  }
  if (withReadersToo) {
    const round = () => readerRound(surroundings, primary, end.lsn);
    rows.push(await row(surroundings, { of, wal_bytes: end.lsn, replicas: READERS, kind: 'readers' }, round));
  }
  await processes.end(name);
  await rm(directory, { recursive: true });
  return rows;
}

async function row(
  { rounds, say }: Surroundings,
  head: Omit<ScalingRow, 'rounds'>,
  measure: () => Promise<ScalingRound>,
): Promise<ScalingRow> {
  const taken: ScalingRound[] = [];
  while (taken.length < rounds) {
    say(`${head.of.name}, ${head.replicas} ${head.kind}: round ${taken.length + 1} of ${rounds}`);
    taken.push(await measure());
  }
  return { ...head, rounds: taken };
}

async function replicaRound(
  surroundings: Surroundings,
  primary: DemoNode,
  commitId: number,
  documents: number,
  count: number,
): Promise<ScalingRound> {
  const { processes, signal } = surroundings;
  const names = Array.from({ length: count }, (_, index) => `replica-${index + 1}`);
  const taken = await Promise.all(
    names.map((name) =>
      measureCatchUp(surroundings, {
        name,
        primary,
        commitId,
        documents,
        then: async (replica) => {
          await positionsEqual(primary, replica, signal);
        },
      }),
    ),
  );
  const primaryPeak = await peakRssBytes(processes.pidOf(primary.name));
  await Promise.all(names.map((name) => rm(processes.directoryOf(name), { recursive: true })));
  return {
    milliseconds: Math.max(...taken.map((one) => one.milliseconds)),
    replica_peak_rss_bytes: largestOf(taken.map((one) => one.peak_rss_bytes)),
    primary_peak_rss_bytes: primaryPeak,
  };
}

async function readerRound(
  { processes, signal }: Surroundings,
  primary: DemoNode,
  walBytes: number,
): Promise<ScalingRound> {
  const began = performance.now();
  await withReaders(primary.url, { count: READERS, from: 'start' }, async (readers) => {
    while (readers.some((reader) => reader.bytes() < walBytes)) {
      await wait(POLL_MILLISECONDS, undefined, { signal });
      for (const reader of readers) reader.requireOpen();
    }
  });
  return {
    milliseconds: rounded(performance.now() - began),
    replica_peak_rss_bytes: null,
    primary_peak_rss_bytes: await peakRssBytes(processes.pidOf(primary.name)),
  };
}
