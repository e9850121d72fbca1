import { GENESIS } from '../core/position.ts';
import { httpWalSource } from '../io/http-wal-source.ts';
import { BenchFailure } from './failure.ts';

/** Where a reader begins: with all there is, or behind it. */
export type ReadFrom = 'start' | 'end';

/** Reads the WAL of a primary as a replica does, over a connection of its own, and keeps nothing of it. */
export interface LightReader {
  /** The bytes of WAL that it has read so far. */
  readonly bytes: () => number;
  /** @throws BenchFailure when the stream has ended. */
  requireOpen(): void;
  /** @throws BenchFailure when the stream ended before. */
  close(): Promise<void>;
}

/** @throws BenchFailure when the primary refuses. */
export async function connectReader(url: string, from: ReadFrom): Promise<LightReader> {
  const source = httpWalSource({ url });
  const met = await source.identify();
  if (met.kind !== 'met') throw new BenchFailure(`${url} is no primary: ${met.message}`);
  const opened = await source.openWal(from === 'start' ? GENESIS : met.primary.durable);
  if (opened.kind !== 'opened') throw new BenchFailure(`${url} gives no WAL: ${opened.message}`);
  let bytes = 0;
  let closing = false;
  let lost: string | null = null;
  const read = async () => {
    try {
      for await (const chunk of opened.stream.chunks) if (chunk.kind === 'wal') bytes += chunk.bytes.length;
      // What ends a stream that is being closed is the closing.
      if (!closing) lost = 'it ended';
    } catch (error) {
      if (!closing) lost = String(error);
    }
  };
  const reading = read();
  const requireOpen = () => {
    if (lost !== null) throw new BenchFailure(`a stream of ${url} was lost: ${lost}`);
  };
  return {
    bytes: () => bytes,
    requireOpen,
    async close() {
      closing = true;
      opened.stream.close();
      await source.close();
      await reading;
      requireOpen();
    },
  };
}

/** So many readers at once, for as long as `use` takes. */
export async function withReaders<Result>(
  url: string,
  { count, from }: { readonly count: number; readonly from: ReadFrom },
  use: (readers: readonly LightReader[]) => Promise<Result>,
): Promise<Result> {
  const readers: LightReader[] = [];
  try {
    while (readers.length < count) readers.push(await connectReader(url, from));
    const result = await use(readers);
    await Promise.all(readers.splice(0).map((reader) => reader.close()));
    return result;
  } finally {
    // Something has failed where there are any left: that is what is told, and not how they end.
    await Promise.allSettled(readers.map((reader) => reader.close()));
  }
}
