import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { open, TransactionFlags, type RootDatabase } from 'lmdb';
import type { IndexEntry, VersionIndex, VersionIndexStore } from '../../src/io/version-index.ts';

const PAGE_ENTRIES = 1_000;
const COMMIT_NOW = TransactionFlags.ABORTABLE | TransactionFlags.SYNCHRONOUS_COMMIT;

/** Where a batch is committed: on the thread that LMDB has for it, or on the one that asks, which then waits for the disk. */
export type CommittedOn = 'its thread' | 'the thread that asks';

/** The index on LMDB, for the comparison only. */
export function lmdbVersionIndex(directory: string, committedOn: CommittedOn): VersionIndexStore {
  return {
    exists: async () => existsSync(join(directory, 'data.mdb')),
    open: async () =>
      new LmdbVersionIndex(
        open<Buffer, Buffer>({
          path: directory,
          // Without it LMDB takes a path with a dot in its last name for a file.
          noSubdir: false,
          keyEncoding: 'binary',
          encoding: 'binary',
          compression: false,
        }),
        committedOn,
      ),
  };
}

class LmdbVersionIndex implements VersionIndex {
  readonly #database: RootDatabase<Buffer, Buffer>;
  readonly #committedOn: CommittedOn;

  constructor(database: RootDatabase<Buffer, Buffer>, committedOn: CommittedOn) {
    this.#database = database;
    this.#committedOn = committedOn;
  }

  async write(entries: Iterable<IndexEntry>, { durable }: { readonly durable: boolean }): Promise<void> {
    if (this.#committedOn === 'the thread that asks') this.#writeHere(entries, durable);
    else await this.#writeOnItsThread(entries, durable);
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    return this.#database.get(key);
  }

  async first(from: Buffer, to: Buffer): Promise<IndexEntry | undefined> {
    for (const entry of this.#database.getRange({ start: from, end: to, limit: 1 })) return entry;
    return undefined;
  }

  async *pages(from: Buffer, to: Buffer): AsyncIterable<readonly IndexEntry[]> {
    let page: IndexEntry[] = [];
    for (const entry of this.#database.getRange({ start: from, end: to })) {
      page.push(entry);
      if (page.length < PAGE_ENTRIES) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  async sync(): Promise<void> {
    await this.#database.flushed;
  }

  async clear(): Promise<void> {
    await this.#database.clearAsync();
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #writeOnItsThread(entries: Iterable<IndexEntry>, durable: boolean): Promise<void> {
    await this.#database.batch(() => {
      // LMDB copies a key at once, but of a value it keeps the address until its thread has written it.
      for (const { key, value } of entries) void this.#database.put(key, Buffer.from(value));
    });
    // It syncs every batch in any case; a batch that is not durable is not waited for.
    if (durable) await this.#database.flushed;
  }

  #writeHere(entries: Iterable<IndexEntry>, durable: boolean): void {
    this.#database.transactionSync(
      () => {
        for (const { key, value } of entries) this.#database.putSync(key, value);
      },
      durable ? COMMIT_NOW : COMMIT_NOW | TransactionFlags.NO_SYNC_FLUSH,
    );
  }
}
