import type { JsonObject } from '../core/bytes.ts';

/** One entry: the key of a version and where the version stands (`core/storage/index-entry.ts`). */
export interface IndexEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface WriteOptions {
  readonly durable: boolean;
}

/** Copies an entry. */
export type TakeEntry = (key: Buffer, value: Buffer) => void;

/** Entries that a store has taken up and not written. They are of no use after it is closed. */
export interface StagedEntries {
  /** Writes them and the rest as one `VersionIndex.write`. Once only. */
  write(rest: Iterable<IndexEntry>, options: WriteOptions): Promise<void>;
}

/**
 * An embedded, ordered key-value store; bytewise order. It is trusted for nothing but atomic batches: entries and
 * checkpoint carry checksums of their own.
 */
export interface VersionIndex {
  /**
   * All of it or nothing, also across a crash. `durable`: survives a power cut once resolved. The bytes of an entry are
   * copied before the next one is asked for, so that entries can be made in memory that is used again.
   */
  write(entries: Iterable<IndexEntry>, options: WriteOptions): Promise<void>;
  /**
   * A store that can take copies of entries ahead of their turn does so here; without it they are taken in `write`. It is
   * given them by calls and not one by one: for a million entries that is half of the time.
   */
  stage?(give: (take: TakeEntry) => void): StagedEntries;
  get(key: Buffer): Promise<Buffer | undefined>;
  /** The first entry at or after `from` and before `to`. */
  first(from: Buffer, to: Buffer): Promise<IndexEntry | undefined>;
  /** Entries from `from` on and before `to`, in order, a page at a time. */
  pages(from: Buffer, to: Buffer): AsyncIterable<readonly IndexEntry[]>;
  /** Makes durable all that was written. */
  sync(): Promise<void>;
  /** Removes every entry. Used only where nothing that stands in it is authoritative. */
  clear(): Promise<void>;
  close(): Promise<void>;
  /** What was not whole of the newest that was written, and was left out when it was opened; for people. */
  readonly leftOut?: JsonObject | null;
}

/** Opens the index of a data directory; `create` makes one where there is none. */
export interface VersionIndexStore {
  exists(): Promise<boolean>;
  open(): Promise<VersionIndex>;
}

/** For whoever keeps entries, or waits before writing them: each is good only until the next one is asked for. */
export function copiesOf(entries: Iterable<IndexEntry>): readonly IndexEntry[] {
  return Array.from(entries, ({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
}
