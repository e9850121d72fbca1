/** One entry: the key of a version and where the version stands (`core/storage/index-entry.ts`). */
export interface IndexEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * An embedded, ordered key-value store; bytewise order. It is trusted for nothing but atomic batches: entries and
 * checkpoint carry checksums of their own.
 */
export interface VersionIndex {
  /** All of it or nothing, also across a crash. `durable`: survives a power cut once resolved. */
  write(entries: readonly IndexEntry[], options: { readonly durable: boolean }): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  /** The first entry at or after `from` and before `to`. */
  first(from: Buffer, to: Buffer): Promise<IndexEntry | undefined>;
  /** Entries from `from` on and before `to`, in order, a page at a time. */
  pages(from: Buffer, to: Buffer): AsyncIterable<readonly IndexEntry[]>;
  /** Removes every entry. Used only where nothing that stands in it is authoritative. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the index of a data directory; `create` makes one where there is none. */
export interface VersionIndexStore {
  exists(): Promise<boolean>;
  open(): Promise<VersionIndex>;
}
