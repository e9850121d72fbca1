import { hex, hex32 } from '../core/bytes.ts';
import { assertThat, ReplichartError } from '../core/errors.ts';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  GENESIS_CHECKPOINT,
  type Checkpoint,
} from '../core/storage/checkpoint.ts';
import {
  afterDocument,
  AFTER_VERSION_KEYS,
  CHECKPOINT_KEY,
  collectionBounds,
  commitIdOfKey,
  decodeIndexValue,
  documentPrefix,
  encodeIndexValue,
  FIRST_VERSION_KEY,
  versionKey,
} from '../core/storage/index-entry.ts';
import type { StoredVersion, Version } from '../core/storage/version.ts';
import { OP_DELETE, OP_PUT, readOperation, type OperationRecord } from '../core/wal/operation.ts';
import { forEachOperation } from '../core/wal/payload.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import type { BaseEntry, BaseFile } from './base-file.ts';
import type { IndexEntry, VersionIndex } from './version-index.ts';
import type { WalFiles } from './wal/files.ts';

/** What the index says of its own progress. */
export type CheckpointFound =
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly bytes: string }
  | { readonly state: 'intact'; readonly checkpoint: Checkpoint };

/**
 * The multi-version storage of a node: the log holds every version once, the index says where. One applier and one
 * read resolver serve primary and replica alike (P5-I7).
 */
export class Storage {
  readonly #index: VersionIndex;
  readonly #wal: WalFiles;

  #base: BaseFile | null = null;
  #isClosed = false;

  constructor(index: VersionIndex, wal: WalFiles) {
    this.#index = index;
    this.#wal = wal;
  }

  /** Takes up the base file that a checkpoint names. */
  async useBase(base: BaseFile): Promise<void> {
    await this.#base?.close();
    this.#base = base;
  }

  /** Removes every entry. Only for an index whose checkpoint was never written: nothing in it is anything yet. */
  async discardEntries(): Promise<void> {
    await this.#index.clear();
  }

  /** Before the files under it are closed: what is still read then is refused, and is no damage. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#base?.close();
    this.#base = null;
  }

  async readCheckpoint(): Promise<CheckpointFound> {
    const bytes = await this.#index.get(CHECKPOINT_KEY);
    if (bytes === undefined) return { state: 'absent' };
    const checkpoint = decodeCheckpoint(bytes);
    return checkpoint === null ? { state: 'damaged', bytes: hex(bytes) } : { state: 'intact', checkpoint };
  }

  /** Makes the checkpoint before everything; durable, so that a power cut cannot take the store back before it. */
  async initialise(): Promise<Checkpoint> {
    await this.#index.write([checkpointEntry(GENESIS_CHECKPOINT)], { durable: true });
    return GENESIS_CHECKPOINT;
  }

  /**
   * Applies whole commits and the checkpoint after them in one atomic batch. The WAL that holds them must be durable.
   * The batch is synced: a store that replays its own log after a power cut may skip a damaged stretch and take up what
   * stands behind it, and a checkpoint that came back without an entry below it would be a lie that nobody sees.
   */
  async apply(batch: ProvenBatch, before: Checkpoint): Promise<Checkpoint> {
    assertThat(ProvenBatch.isProven(batch), 'P5-I5: only proven WAL is applied');
    assertThat(
      batch.from.lsn === before.lsn && batch.from.historyHash === before.historyHash,
      'P5-I4: a batch is applied exactly after the last one',
    );
    const entries: IndexEntry[] = [];
    for (const { lsn, bytes } of batch.frames) {
      forEachOperation(bytes, (commitId, offset, size) => {
        const idAt = offset + 12 + (bytes[offset + 1] as number);
        const key = versionKey(
          bytes.subarray(offset + 12, idAt),
          bytes.subarray(idAt, idAt + bytes.readUInt16LE(offset + 2)),
          commitId,
        );
        entries.push({ key, value: encodeIndexValue(key, 'wal', lsn + offset, size) });
      });
    }
    const { commitId, lsn, historyHash, segmentIndex } = batch.to;
    const after: Checkpoint = {
      commitId,
      lsn,
      historyHash,
      segmentIndex,
      snapshotCut: before.snapshotCut,
    };
    entries.push(checkpointEntry(after));
    await this.#index.write(entries, { durable: true });
    return after;
  }

  /**
   * Builds the index of a base file: entries first, piece by piece and durably, then the checkpoint alone. Until
   * that is written nothing of it counts.
   */
  async install(
    read: (write: (block: readonly BaseEntry[]) => Promise<void>) => Promise<void>,
    checkpoint: Checkpoint,
  ): Promise<Checkpoint> {
    await read(async (entries) => {
      const batch = entries.map(({ key, offset, bytes }) => ({
        key,
        value: encodeIndexValue(key, 'base', offset, bytes),
      }));
      await this.#index.write(batch, { durable: true });
    });
    await this.#index.write([checkpointEntry(checkpoint)], { durable: true });
    return checkpoint;
  }

  /** The version of a document that a view sees: the newest with a commit id of at most `bound`. */
  async get(bound: number, collection: Buffer, id: Buffer): Promise<Version | null> {
    const version = await this.newest(bound, collection, id);
    return version === null || version.document === null ? null : version;
  }

  /** The version that a view sees, also where it is a deletion. */
  async newest(bound: number, collection: Buffer, id: Buffer): Promise<StoredVersion | null> {
    return this.#whileOpen(async () => {
      const entry = await this.#index.first(versionKey(collection, id, bound), afterDocument(collection, id));
      return entry === undefined ? null : this.#read(entry);
    });
  }

  /** The versions of one document with a commit id of at most `bound`, newest first. */
  async *chain(bound: number, collection: Buffer, id: Buffer): AsyncGenerator<StoredVersion> {
    const from = versionKey(collection, id, bound);
    for await (const page of this.#pages(from, afterDocument(collection, id)))
      for (const entry of page) yield await this.#whileOpen(() => this.#read(entry));
  }

  /**
   * The documents of a collection that a view sees, in id order, after `after`. Deleted ones are left out. Bounded
   * memory: a page of index entries at a time.
   */
  async *scan(bound: number, collection: Buffer, after: Buffer | null): AsyncGenerator<StoredVersion> {
    const bounds = collectionBounds(collection);
    const from = after === null ? bounds.from : afterDocument(collection, after);
    for await (const entry of this.#visible(bound, from, bounds.to)) {
      const version = await this.#whileOpen(() => this.#read(entry));
      if (version.document !== null) yield version;
    }
  }

  /**
   * Every retained version with a commit id of at most `bound`, in key order, newest first within a key; of those with
   * keys after `after`, if that is given.
   */
  async *versions(bound: number, after?: Buffer): AsyncGenerator<StoredVersion> {
    // The shortest key after a key is that key and a zero byte.
    const from = after === undefined ? FIRST_VERSION_KEY : Buffer.concat([after, Buffer.from([0])]);
    for await (const page of this.#pages(from, AFTER_VERSION_KEYS))
      for (const entry of page)
        if (commitIdOfKey(entry.key) <= bound) yield await this.#whileOpen(() => this.#read(entry));
  }

  async *#pages(from: Buffer, to: Buffer): AsyncGenerator<readonly IndexEntry[]> {
    const pages = this.#index.pages(from, to)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#whileOpen(() => pages.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await pages.return?.();
    }
  }

  /** A view may outlive its node: what files that were closed say of themselves is no answer and no fault. */
  async #whileOpen<Found>(read: () => Promise<Found>): Promise<Found> {
    try {
      return await read();
    } catch (error) {
      if (!this.#isClosed) throw error;
      throw new ReplichartError('READS_BLOCKED', 'the node closed its files while the view was read', {
        cause: error,
      });
    }
  }

  /** Of each key, the first entry within the bound: entries come newest first. */
  async *#visible(bound: number, from: Buffer, to: Buffer): AsyncGenerator<IndexEntry> {
    let seen: Buffer | null = null;
    for await (const page of this.#pages(from, to)) {
      for (const entry of page) {
        const document = documentPrefix(entry.key);
        if (seen !== null && document.equals(seen)) continue;
        if (commitIdOfKey(entry.key) > bound) continue;
        seen = Buffer.from(document);
        yield entry;
      }
    }
  }

  /** Reads the version behind an index entry and verifies both checksums, and that one is the other's. */
  async #read(entry: IndexEntry): Promise<StoredVersion> {
    const place = decodeIndexValue(entry.key, entry.value);
    if (place === null)
      throw new ReplichartError('INDEX_DAMAGED', 'an index entry does not carry its checksum', {
        evidence: { key: hex(entry.key), value: hex(entry.value) },
      });
    const bytes =
      place.log === 'wal'
        ? await this.#wal.readRecord(place.offset, place.bytes)
        : (this.#base?.readRecord(place.offset, place.bytes) ?? null);
    const commitId = commitIdOfKey(entry.key);
    const record = bytes === null ? null : readOperation(bytes, commitId);
    if (bytes === null || record === null || !isVersionOf(entry.key, commitId, record))
      throw new ReplichartError('INDEX_DAMAGED', 'a stored version does not carry its checksum', {
        evidence: {
          log: place.log,
          offset: place.offset,
          bytes: place.bytes,
          commit_id: commitId,
          expected_crc32c: record === null ? null : hex32(record.crcComputed),
          found_crc32c: record === null ? null : hex32(record.crcStored),
        },
      });
    return {
      commitId,
      collection: record.collection,
      id: record.id,
      document: record.op === OP_DELETE ? null : record.document,
      record: bytes,
      place,
    };
  }
}

function isVersionOf(key: Buffer, commitId: number, record: OperationRecord): boolean {
  return (
    record.crcStored === record.crcComputed &&
    (record.op === OP_PUT || record.op === OP_DELETE) &&
    versionKey(record.collection, record.id, commitId).equals(key)
  );
}

function checkpointEntry(checkpoint: Checkpoint): IndexEntry {
  return { key: CHECKPOINT_KEY, value: encodeCheckpoint(checkpoint) };
}
