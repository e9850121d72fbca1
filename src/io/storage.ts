import { hex } from '../core/bytes.ts';
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
  FIRST_VERSION_KEY,
  KeyMaker,
  newIndexValue,
  versionKey,
  type BaseSlot,
  type IndexedPlace,
  writeIndexValue,
} from '../core/storage/index-entry.ts';
import type { StoredVersion, Version } from '../core/storage/version.ts';
import { forEachOperation } from '../core/wal/payload.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import type { BaseEntry, BaseFile } from './base-file.ts';
import { LatestVersions, type Latest } from './latest-versions.ts';
import { isNamedBy, isOf, versionIn, type IsMeant, type Standing } from './stored-record.ts';
import type { IndexEntry, StagedEntries, TakeEntry, VersionIndex } from './version-index.ts';
import { VersionLog } from './version-log.ts';
import type { WalFiles } from './wal/files.ts';

/** What the index says of its own progress. */
export type CheckpointFound =
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly bytes: string }
  | { readonly state: 'intact'; readonly checkpoint: Checkpoint };

/** A proven batch, and its entries where the index has taken them up already. */
export interface StagedBatch {
  readonly batch: ProvenBatch;
  readonly entries: StagedEntries | null;
}

/**
 * The multi-version storage of a node: the log holds every version once, the index says where. One applier and one
 * read resolver serve primary and replica alike (P5-I7).
 */
export class Storage {
  readonly #index: VersionIndex;
  readonly #log: VersionLog;
  readonly #keys = new KeyMaker();
  readonly #value = newIndexValue();

  readonly #latest = new LatestVersions();
  #found = 0;

  /** The slot that means the node's base file; `null` as long as no checkpoint has said it. */
  #baseSlot: BaseSlot | null = null;
  /** The cut of the node's base file; whoever applies next may not have heard of one that was taken over. */
  #baseCut: number | null = null;
  #moves = 0;
  /** One thing at a time writes a checkpoint. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  /** The last commit in the index; `null` as long as it is not known, or something is being applied. */
  #head: number | null = null;
  #isApplying = false;

  constructor(index: VersionIndex, wal: WalFiles) {
    this.#index = index;
    this.#log = new VersionLog(wal);
  }

  /** Takes up the base file that the checkpoint names. */
  async useBase(base: BaseFile): Promise<void> {
    await this.#log.use(this.#slot, base);
  }

  /** Removes every entry. Only for an index whose checkpoint was never written: nothing in it is anything yet. */
  async discardEntries(): Promise<void> {
    this.#head = null;
    this.#baseSlot = null;
    this.#baseCut = null;
    this.#latest.clear();
    await this.#index.clear();
    // A checkpoint that is written next must not be lost with what was removed before it.
    await this.#index.sync();
  }

  /** Commit id of the cut of the node's base file, 0 without one; `null` before the checkpoint was read. */
  get baseCut(): number | null {
    return this.#baseCut;
  }

  /** Before the files under it are closed: what is still read then is refused, and is no damage. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#log.close();
  }

  async readCheckpoint(): Promise<CheckpointFound> {
    const bytes = await this.#index.get(CHECKPOINT_KEY);
    if (bytes === undefined) return { state: 'absent' };
    const found = decodeCheckpoint(bytes);
    // Whoever asks while a batch is applied is told where the index stood before it.
    if (!this.#isApplying) this.#head ??= found?.commitId ?? null;
    if (found === null) return { state: 'damaged', bytes: hex(bytes) };
    const { baseSlot, ...checkpoint } = found;
    this.#baseSlot ??= baseSlot;
    this.#baseCut ??= checkpoint.snapshotCut;
    return { state: 'intact', checkpoint };
  }

  /** Makes the checkpoint before everything; durable, so that a power cut cannot take the store back before it. */
  async initialise(): Promise<Checkpoint> {
    await this.#index.write([this.#checkpointEntry(GENESIS_CHECKPOINT)], { durable: true });
    return GENESIS_CHECKPOINT;
  }

  /** Takes up the entries of a proven batch ahead of its turn. Nothing of it is written before it is applied. */
  stage(batch: ProvenBatch): StagedBatch {
    assertThat(ProvenBatch.isProven(batch), 'P5-I5: only proven WAL is applied');
    return { batch, entries: this.#index.stage?.((take) => this.#giveEntries(batch, take)) ?? null };
  }

  /**
   * Applies whole commits and the checkpoint after them in one atomic batch. The WAL that holds them must be durable.
   * The batch need not be: what a power cut takes of the index is its end, checkpoint and all, and is applied again.
   */
  apply(batch: ProvenBatch, before: Checkpoint): Promise<Checkpoint> {
    return this.applyStaged(this.stage(batch), before);
  }

  /** The same of a batch that was staged by this storage, and was not applied. */
  applyStaged(staged: StagedBatch, before: Checkpoint): Promise<Checkpoint> {
    return this.#inTurn(() => this.#apply(staged, before));
  }

  async #apply({ batch, entries }: StagedBatch, before: Checkpoint): Promise<Checkpoint> {
    assertThat(ProvenBatch.isProven(batch), 'P5-I5: only proven WAL is applied');
    assertThat(
      batch.from.lsn === before.lsn && batch.from.historyHash === before.historyHash,
      'P5-I4: a batch is applied exactly after the last one',
    );
    const { commitId, lsn, historyHash, segmentIndex } = batch.to;
    const after: Checkpoint = {
      commitId,
      lsn,
      historyHash,
      segmentIndex,
      snapshotCut: this.#baseCut ?? before.snapshotCut,
    };
    this.#head = null;
    this.#isApplying = true;
    this.#latest.forget(batch.frames);
    const options = { durable: false };
    if (entries !== null) await entries.write([this.#checkpointEntry(after)], options);
    else await this.#index.write(this.#entriesOf(batch, after), options);
    this.#isApplying = false;
    this.#head = commitId;
    return after;
  }

  /** An entry for every operation of a batch; each is good until the next is made. */
  #giveEntries({ frames }: ProvenBatch, take: TakeEntry): void {
    for (const { lsn, bytes } of frames)
      forEachOperation(bytes, (commitId, offset, size) => {
        const key = this.#keys.keyOf(bytes, offset, commitId);
        take(key, writeIndexValue(this.#value, key, 'wal', lsn + offset, size));
      });
  }

  *#baseEntriesOf(entries: readonly BaseEntry[], slot: BaseSlot): Generator<IndexEntry> {
    for (const { key, offset, bytes } of entries)
      yield { key, value: writeIndexValue(this.#value, key, slot, offset, bytes) };
  }

  #entriesOf(batch: ProvenBatch, checkpoint: Checkpoint): readonly IndexEntry[] {
    const entries: IndexEntry[] = [];
    this.#giveEntries(batch, (key, value) =>
      entries.push({ key: Buffer.from(key), value: Buffer.from(value) }),
    );
    return [...entries, this.#checkpointEntry(checkpoint)];
  }

  /**
   * Builds the index of a base file: entries first, piece by piece, and once they are durable the checkpoint alone. Until
   * that is written nothing of it counts.
   */
  async install(
    read: (write: (block: readonly BaseEntry[]) => Promise<void>) => Promise<void>,
    checkpoint: Checkpoint,
  ): Promise<Checkpoint> {
    this.#head = null;
    this.#isApplying = true;
    this.#latest.clear();
    await read(async (entries) => {
      await this.#index.write(this.#baseEntriesOf(entries, this.#slot), { durable: false });
    });
    // No entry may be missing below a checkpoint that stands.
    await this.#index.sync();
    await this.#index.write([this.#checkpointEntry(checkpoint)], { durable: true });
    this.#baseCut = checkpoint.snapshotCut;
    this.#isApplying = false;
    return checkpoint;
  }

  get #slot(): BaseSlot {
    return this.#baseSlot ?? 0;
  }

  get #otherSlot(): BaseSlot {
    return this.#slot === 0 ? 1 : 0;
  }

  /** Takes up a second base file, of which some entries may speak already: each is read where its entry says. */
  async useNextBase(base: BaseFile): Promise<void> {
    await this.#log.use(this.#otherSlot, base);
  }

  /**
   * Has entries speak of the next base file, a piece of them. Each version stands there and where it stood before, so every
   * part of this may be lost or done again, and whoever reads meanwhile finds the same.
   */
  async moveToNextBase(entries: readonly BaseEntry[]): Promise<void> {
    await this.#index.write(this.#baseEntriesOf(entries, this.#otherSlot), { durable: false });
  }

  /**
   * Makes the next base file that of the node. Every version up to its cut must have been moved. Durable when it resolves:
   * after that nothing speaks of the base file before it any more, nor of WAL before the cut.
   */
  async finishMove(cutCommitId: number): Promise<void> {
    await this.#index.sync();
    await this.#inTurn(async () => {
      const found = await this.readCheckpoint();
      assertThat(found.state === 'intact', 'a node that works has its checkpoint');
      const before = this.#slot;
      this.#baseSlot = this.#otherSlot;
      this.#baseCut = cutCommitId;
      const checkpoint = { ...found.checkpoint, snapshotCut: cutCommitId };
      await this.#index.write([this.#checkpointEntry(checkpoint)], { durable: true });
      this.#moves += 1;
      this.#latest.clear();
      await this.#log.use(before, null);
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #checkpointEntry(checkpoint: Checkpoint): IndexEntry {
    return { key: CHECKPOINT_KEY, value: encodeCheckpoint({ ...checkpoint, baseSlot: this.#slot }) };
  }

  /** The version of a document that a view sees: the newest with a commit id of at most `bound`. */
  async get(bound: number, collection: Buffer, id: Buffer): Promise<Version | null> {
    const version = await this.newest(bound, collection, id);
    return version === null || version.document === null ? null : version;
  }

  /** The version that a view sees, also where it is a deletion. */
  async newest(bound: number, collection: Buffer, id: Buffer): Promise<StoredVersion | null> {
    const latest = this.#latest.find(collection, id);
    if (latest !== null && latest.commitId <= bound) return this.#readLatest(latest);
    return this.#whileOpen(async () => {
      const head = this.#head;
      const moves = this.#moves;
      const entry = await this.#index.first(versionKey(collection, id, bound), afterDocument(collection, id));
      if (entry === undefined) return null;
      const standing = this.#standing(entry);
      const version = await this.#readAt(standing, entry.key);
      // What a view of an older bound sees, or one that was searched for while something was applied, may not be the newest.
      if (head !== null && bound >= head && this.#head === head && this.#moves === moves)
        this.#latest.keep({ collection: Buffer.from(collection), id: Buffer.from(id), ...standing });
      return version;
    });
  }

  /** The versions of one document with a commit id of at most `bound`, newest first. */
  async *chain(bound: number, collection: Buffer, id: Buffer): AsyncGenerator<StoredVersion> {
    const from = versionKey(collection, id, bound);
    for await (const page of this.#pages(from, afterDocument(collection, id)))
      for (const entry of page) yield await this.#read(entry);
  }

  /**
   * The documents of a collection that a view sees, in id order, after `after`. Deleted ones are left out. Bounded
   * memory: a page of index entries at a time.
   */
  async *scan(bound: number, collection: Buffer, after: Buffer | null): AsyncGenerator<StoredVersion> {
    const bounds = collectionBounds(collection);
    const from = after === null ? bounds.from : afterDocument(collection, after);
    let seen: Buffer = NO_DOCUMENT;
    for await (const page of this.#pages(from, bounds.to))
      for (const entry of page) {
        // Of each key, the first entry within the bound: entries come newest first.
        const document = documentPrefix(entry.key);
        if (commitIdOfKey(entry.key) > bound || seen.equals(document)) continue;
        seen = document;
        const version = this.#readNow(entry) ?? (await this.#read(entry));
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
        if (commitIdOfKey(entry.key) <= bound) yield this.#readNow(entry) ?? (await this.#read(entry));
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

  #read(entry: IndexEntry): Promise<StoredVersion> {
    return this.#readAt(this.#standing(entry), entry.key);
  }

  /** The same at once; `undefined` where something has to be waited for, or is not as it is meant to be. */
  #readNow(entry: IndexEntry): StoredVersion | undefined {
    if (this.#isClosed) return undefined;
    const standing = this.#standing(entry);
    const bytes = this.#log.readNow(standing.place);
    if (bytes === undefined || bytes === null) return undefined;
    try {
      return versionIn(bytes, standing, isNamedBy(entry.key));
    } catch {
      // Read once more, and asked about, before anything is called damage.
      return undefined;
    }
  }

  #readAt(standing: Standing, key: Buffer): Promise<StoredVersion> {
    return this.#whileOpen(() =>
      this.#readHere(standing, key, isNamedBy(key), (place) => this.#log.read(place)),
    );
  }

  #readLatest(latest: Latest): Promise<StoredVersion> {
    this.#found += 1;
    const isAside = this.#found % FOUND_IN_A_ROW_MAX === 0;
    const key = versionKey(latest.collection, latest.id, latest.commitId);
    return this.#whileOpen(() =>
      this.#readHere(latest, key, isOf(latest), (place) =>
        isAside ? this.#log.readAside(place) : this.#log.read(place),
      ),
    );
  }

  /**
   * Reads a version where its entry said that it stands. It may have been moved since: before anything is called damage, the
   * index is asked again.
   */
  async #readHere(
    standing: Standing,
    key: Buffer,
    isMeant: IsMeant,
    read: ReadPlace,
  ): Promise<StoredVersion> {
    try {
      return versionIn(await read(standing.place), standing, isMeant);
    } catch (error) {
      const value = await this.#index.get(key);
      const now = value === undefined ? null : this.#standing({ key, value });
      if (now === null || isSamePlace(now.place, standing.place)) throw error;
      return this.#readHere(now, key, isMeant, read);
    }
  }

  #standing({ key, value }: IndexEntry): Standing {
    const place = decodeIndexValue(key, value);
    if (place !== null) return { commitId: commitIdOfKey(key), place };
    throw new ReplichartError('INDEX_DAMAGED', 'an index entry does not carry its checksum', {
      evidence: { key: hex(key), value: hex(value) },
    });
  }
}

/** One of so many reads waits for the disk: who reads in a loop what is found at once would keep all else from happening. */
const FOUND_IN_A_ROW_MAX = 64;

/** What no document has before its commit ids. */
const NO_DOCUMENT: Buffer = Buffer.alloc(0);

type ReadPlace = (place: IndexedPlace) => Promise<Buffer | null>;

function isSamePlace(one: IndexedPlace, other: IndexedPlace): boolean {
  return one.log === other.log && one.offset === other.offset && one.bytes === other.bytes;
}
