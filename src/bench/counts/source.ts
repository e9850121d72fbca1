import type { Position } from '../../index.ts';
import { FORMAT_VERSION } from '../../core/limits.ts';
import type { SourceFailure } from '../../core/ingress.ts';
import type { WalChunk, WalSource } from '../../io/wal-source.ts';
import type { RecordedHistory } from './history.ts';

const CHUNK_BYTES = 64 * 1024;
const NO_SNAPSHOT: SourceFailure = { kind: 'unreachable', message: 'this source has no snapshot' };

/** A source that holds the whole history: over a socket, chance would say how much of it comes at a time. */
export interface RecordedSource {
  readonly source: WalSource;
  /** Hands out the next commit of those that are followed alone. */
  release(): void;
}

/** `onOpened`: called when the stream is opened. */
export function recordedSource(history: RecordedHistory, onOpened: () => void): RecordedSource {
  const { clusterId, preloadEnd, wal } = history;
  const ends = new Set<() => void>();
  let released = 0;
  let wake: () => void = () => undefined;
  const until = async (index: number) => {
    while (released <= index) await new Promise<void>((resolve) => (wake = resolve));
  };
  async function* chunks(from: Position): AsyncGenerator<WalChunk> {
    for (let lsn = from.lsn; lsn < preloadEnd.lsn; lsn += CHUNK_BYTES)
      yield { kind: 'wal', lsn, bytes: wal.subarray(lsn, Math.min(lsn + CHUNK_BYTES, preloadEnd.lsn)) };
    let lsn = preloadEnd.lsn;
    for (const [index, end] of history.singleEnds.entries()) {
      await until(index);
      yield { kind: 'wal', lsn, bytes: wal.subarray(lsn, end) };
      lsn = end;
    }
    await new Promise<void>((resolve) => ends.add(resolve));
  }
  return {
    release() {
      released += 1;
      wake();
    },
    source: {
      async identify() {
        return {
          kind: 'met',
          primary: { clusterId, formatVersion: FORMAT_VERSION, oldestLsn: 0, durable: preloadEnd },
        };
      },
      async openWal(from) {
        onOpened();
        return {
          kind: 'opened',
          stream: {
            clusterId,
            startLsn: from.lsn,
            durable: preloadEnd,
            chunks: chunks(from),
            close: () => ends.forEach((end) => end()),
          },
        };
      },
      listSnapshots: async () => ({ kind: 'listed', snapshotIds: [] }),
      snapshotManifest: async () => NO_SNAPSHOT,
      snapshotBlock: async () => NO_SNAPSHOT,
      close: async () => ends.forEach((end) => end()),
    },
  };
}
