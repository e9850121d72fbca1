import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPrimary, type Position } from '../../index.ts';
import { putOf } from '../history.ts';
import { heapBytesOf } from './heap.ts';
import { countingPorts } from './ports.ts';
import { between, newTally, type Tally } from './tally.ts';
import { NO_TURNS } from './turns.ts';

export const COMMITS_PER_FRAME = 1_000;
/** Commits that are made one after another behind the others, and followed so. */
export const SINGLE_COMMITS = 100;

/** The history of a primary, and what making it took. */
export interface RecordedHistory {
  readonly clusterId: string;
  readonly wal: Buffer;
  /** Where the part ends that is caught up with. */
  readonly preloadEnd: Position;
  /** Where the frame of each single commit ends, as an LSN. */
  readonly singleEnds: readonly number[];
  readonly preload: Tally;
  readonly preloadHeapBytes: number;
  readonly singles: Tally;
}

/** Makes so many commits, 1,000 a frame, and then the single ones. */
export async function recordHistory(directory: string, documents: number): Promise<RecordedHistory> {
  const tally = newTally();
  const primary = await createPrimary(
    { dataDir: directory, logLevel: 'silent' },
    countingPorts(tally, NO_TURNS),
  );
  // Made before: what is allocated for the documents is not the primary's.
  const puts = Array.from({ length: documents + SINGLE_COMMITS }, (_, n) => [putOf(n)]);
  const commit = (n: number) => primary.commit(puts[n] ?? []);
  const { clusterId } = primary.identity;
  try {
    const start = { ...tally };
    // Commits that are made in one go wait together, and share a frame.
    const { heapBytes: preloadHeapBytes } = await heapBytesOf(async () => {
      for (let first = 0; first < documents; first += COMMITS_PER_FRAME)
        await Promise.all(
          Array.from({ length: Math.min(COMMITS_PER_FRAME, documents - first) }, (_, n) => commit(first + n)),
        );
    });
    const preloadEnd = primary.position() as Position;
    const middle = { ...tally };
    const singleEnds: number[] = [];
    for (let n = 0; n < SINGLE_COMMITS; n += 1) singleEnds.push((await commit(documents + n)).lsn);
    const [preload, singles] = [between(start, middle), between(middle, { ...tally })];
    return {
      clusterId,
      wal: await walOf(directory),
      preloadEnd,
      singleEnds,
      preload,
      preloadHeapBytes,
      singles,
    };
  } finally {
    await primary.stop();
  }
}

async function walOf(directory: string): Promise<Buffer> {
  const wal = join(directory, 'wal');
  const names = (await readdir(wal)).filter((name) => name.endsWith('.wal')).sort();
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(wal, name)))));
}
