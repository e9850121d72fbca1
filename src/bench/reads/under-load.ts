import { setImmediate as giveWay, setTimeout as wait } from 'node:timers/promises';
import { ReplichartError, type Replica } from '../../index.ts';
import { BenchFailure } from '../failure.ts';
import { randomNumbers } from '../random.ts';
import { untilApplied } from '../replica-here.ts';
import { summaryOf, type Summary } from '../statistics.ts';
import { pickOf, readPick } from './documents.ts';

/** How it is read while the replica catches up. */
export const READINGS = ['without a pause', 'one each millisecond'] as const;
export type Reading = (typeof READINGS)[number];

export const READERS = 8;
const INTERVAL_MILLISECONDS = 1;

export interface LoadedReads {
  readonly round: number;
  readonly reading: Reading;
  readonly documents: number;
  /** Of the catching up, from the first commit that was applied to the last one. */
  readonly catch_up_milliseconds: number;
  readonly catch_up_documents_per_second: number;
  readonly admitted: number;
  /** Refusals by error code and rule of the gate. */
  readonly refused: Readonly<Record<string, number>>;
  readonly reads_per_second: number;
  readonly read_ms: Summary | null;
}

interface Counting {
  readonly replica: Replica;
  readonly random: (bound: number) => number;
  readonly times: number[];
  readonly refused: Record<string, number>;
  isOver: boolean;
}

/** Reads random documents of what is applied, from the first applied commit on until the last is applied. */
export async function readUnderLoad(
  replica: Replica,
  {
    round,
    reading,
    documents,
    signal,
  }: {
    readonly round: number;
    readonly reading: Reading;
    readonly documents: number;
    readonly signal: AbortSignal;
  },
): Promise<LoadedReads> {
  const counting: Counting = {
    replica,
    random: randomNumbers(round),
    times: [],
    refused: {},
    isOver: false,
  };
  const began = await untilApplied(replica, 1, signal);
  const before = replica.position()?.commitId ?? 0;
  const caughtUp = untilApplied(replica, documents, signal).finally(() => (counting.isOver = true));
  const readers =
    reading === 'without a pause'
      ? Array.from({ length: READERS }, () => readAgainAndAgain(counting))
      : [readEachMillisecond(counting)];
  const [ended] = await Promise.all([caughtUp, ...readers]);
  const milliseconds = ended - began;
  const { times, refused } = counting;
  return {
    round,
    reading,
    documents,
    catch_up_milliseconds: Math.round(milliseconds),
    catch_up_documents_per_second: Math.round(((documents - before) / milliseconds) * 1_000),
    admitted: times.length,
    refused,
    reads_per_second: Math.round((times.length / milliseconds) * 1_000),
    read_ms: summaryOf(times),
  };
}

/** Each read waits for its turn of the event loop first, as one that comes from outside does: that is part of its time. */
async function readAgainAndAgain(counting: Counting): Promise<void> {
  while (!counting.isOver) {
    const wantedAt = performance.now();
    await giveWay();
    await readOnce(counting, wantedAt);
  }
}

/**
 * Reads come at their own pace, whether the ones before are answered or not, and the time of each counts from when it
 * was due: what delays many of them shows in each of them.
 */
async function readEachMillisecond(counting: Counting): Promise<void> {
  const reads: Promise<void>[] = [];
  for (let due = performance.now(); !counting.isOver;) {
    for (; due <= performance.now(); due += INTERVAL_MILLISECONDS) reads.push(readOnce(counting, due));
    await wait(INTERVAL_MILLISECONDS);
  }
  await Promise.all(reads);
}

async function readOnce({ replica, random, times, refused }: Counting, wantedAt: number): Promise<void> {
  try {
    await replica.read((view) => readPick(view, pickOf(random(view.commitId))));
    times.push(performance.now() - wantedAt);
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    const rule = error.evidence['rule'];
    const reason = typeof rule === 'string' ? `${error.code}: ${rule}` : error.code;
    refused[reason] = (refused[reason] ?? 0) + 1;
    // A replica that refuses everything would be asked for ever.
    if (error.code !== 'READS_BLOCKED') throw new BenchFailure(`a read failed: ${reason}`, { cause: error });
  }
}
