import { setImmediate as giveWay } from 'node:timers/promises';
import type { Replica } from '../../index.ts';
import { BenchFailure } from '../failure.ts';
import { randomNumbers } from '../random.ts';
import { COLLECTION, DOCUMENT_BYTES } from '../w1.ts';
import { pickOf, proveDocument, readPick, readPicks, type Pick } from './documents.ts';

export const HOT_DOCUMENTS = 1_000;
const COLD_DOCUMENTS_MAX = 100_000;
const DOCUMENTS_PER_VIEW = 100;
/** So many reads of one reader before the event loop goes on: a signal must be heard. */
const READS_PER_TURN = 256;

export const IDLE_READS = [
  { name: 'hot set, one reader', set: 'hot', readers: 1, documents_per_view: 1 },
  { name: 'hot set, 16 readers', set: 'hot', readers: 16, documents_per_view: 1 },
  { name: 'hot set, 100 documents a view', set: 'hot', readers: 1, documents_per_view: DOCUMENTS_PER_VIEW },
  { name: 'all documents at random, one reader', set: 'all', readers: 1, documents_per_view: 1 },
  { name: 'all documents at random, 16 readers', set: 'all', readers: 16, documents_per_view: 1 },
] as const;

export interface IdleReads {
  readonly round: number;
  readonly name: string;
  readonly reads: number;
  readonly milliseconds: number;
  readonly reads_per_second: number;
}

export interface IdleScan {
  readonly round: number;
  readonly rows: number;
  readonly milliseconds: number;
  readonly rows_per_second: number;
}

/** Every document of the hot set is read once before it counts; of all documents each is read at most once. */
export async function idleReads(
  replica: Replica,
  {
    round,
    documents,
    seconds,
    signal,
  }: {
    readonly round: number;
    readonly documents: number;
    readonly seconds: number;
    readonly signal: AbortSignal;
  },
): Promise<IdleReads[]> {
  const random = randomNumbers(round);
  const picks = (count: number) => Array.from({ length: count }, () => pickOf(random(documents)));
  const found: IdleReads[] = [];
  for (const { name, set, readers, documents_per_view: perView } of IDLE_READS) {
    const isHot = set === 'hot';
    const chosen = picks(isHot ? HOT_DOCUMENTS : Math.min(documents, COLD_DOCUMENTS_MAX));
    if (isHot) await replica.read((view) => readPicks(view, chosen));
    const times = isHot ? Infinity : 1;
    found.push({
      round,
      name,
      ...(await readFor(replica, { chosen, times, readers, perView, seconds, signal })),
    });
  }
  return found;
}

interface ReadFor {
  readonly chosen: readonly Pick[];
  /** How often all of them are read at most. */
  readonly times: number;
  readonly readers: number;
  readonly perView: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

async function readFor(replica: Replica, { chosen, times, readers, perView, seconds, signal }: ReadFor) {
  let next = 0;
  const began = performance.now();
  const end = began + seconds * 1_000;
  const reader = async () => {
    for (let turn = 1; next < chosen.length * times && performance.now() < end; turn += 1) {
      const picks = Array.from(
        { length: perView },
        (_, index) => chosen[(next + index) % chosen.length] as Pick,
      );
      next += perView;
      const [pick] = picks;
      await replica.read((view) => (perView === 1 ? readPick(view, pick as Pick) : readPicks(view, picks)));
      signal.throwIfAborted();
      if (turn % READS_PER_TURN === 0) await giveWay();
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  const milliseconds = performance.now() - began;
  return {
    reads: next,
    milliseconds: Math.round(milliseconds),
    reads_per_second: Math.round((next / milliseconds) * 1_000),
  };
}

/** The whole collection in the order of its ids. What costs much to prove is proved by `proveScan`. */
export async function idleScan(replica: Replica, round: number, documents: number): Promise<IdleScan> {
  const began = performance.now();
  const rows = await replica.read(async (view) => {
    let count = 0;
    for await (const { document } of view.scan(COLLECTION))
      if (document.length === DOCUMENT_BYTES) count += 1;
    return count;
  });
  const milliseconds = performance.now() - began;
  if (rows !== documents) throw new BenchFailure(`a scan gives ${rows} documents of ${documents}`);
  return {
    round,
    rows,
    milliseconds: Math.round(milliseconds),
    rows_per_second: Math.round((rows / milliseconds) * 1_000),
  };
}

/** Proves every row of a scan: each is the document that it says it is, in order, and none is missing or twice there. */
export async function proveScan(replica: Replica, documents: number): Promise<void> {
  const rows = await replica.read(async (view) => {
    let count = 0;
    let before = '';
    for await (const found of view.scan(COLLECTION)) {
      const pick = pickOf(found.commitId - 1);
      const id = found.id.toString();
      if (id <= before || id !== pick.key)
        throw new BenchFailure(
          `a scan gives ${id} after ${before}; commit ${found.commitId} is of ${pick.key}`,
        );
      proveDocument(pick, found);
      before = id;
      count += 1;
    }
    return count;
  });
  if (rows !== documents) throw new BenchFailure(`a scan gives ${rows} documents of ${documents}`);
}
