import { hex } from '../core/bytes.ts';
import { assertThat } from '../core/errors.ts';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  GENESIS_CHECKPOINT,
  type Checkpoint,
} from '../core/storage/checkpoint.ts';
import {
  CHECKPOINT_KEY,
  KeyMaker,
  newIndexValue,
  writeIndexValue,
  type BaseSlot,
} from '../core/storage/index-entry.ts';
import { forEachOperation } from '../core/wal/payload.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import type { BaseEntry, BaseFile } from './base-file.ts';
import { ReadResolver } from './read-resolver.ts';
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
 * The multi-version storage of a node: the log holds every version once, the index says where. One applier and one read
 * resolver serve primary and replica alike (P5-I7).
 */
export class Storage {
  readonly #index: VersionIndex;
  readonly #log: VersionLog;
  /** What is stored, as views see it. */
  readonly resolver: ReadResolver;
  readonly #keys = new KeyMaker();
  readonly #value = newIndexValue();

  /** The slot that means the node's base file; `null` as long as no checkpoint has said it. */
  #baseSlot: BaseSlot | null = null;
  /** The cut of the node's base file; whoever applies next may not have heard of one that was taken over. */
  #baseCut: number | null = null;
  /** One thing at a time writes a checkpoint. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(index: VersionIndex, wal: WalFiles) {
    this.#index = index;
    this.#log = new VersionLog(wal);
    this.resolver = new ReadResolver(index, this.#log);
  }

  /** Takes up the base file that the checkpoint names. */
  async useBase(base: BaseFile): Promise<void> {
    await this.#log.use(this.#slot, base);
  }

  /** Removes every entry. Only for an index whose checkpoint was never written: nothing in it is anything yet. */
  async discardEntries(): Promise<void> {
    this.#baseSlot = null;
    this.#baseCut = null;
    this.resolver.clear();
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
    this.resolver.close();
    await this.#log.close();
  }

  async readCheckpoint(): Promise<CheckpointFound> {
    const bytes = await this.#index.get(CHECKPOINT_KEY);
    if (bytes === undefined) return { state: 'absent' };
    const found = decodeCheckpoint(bytes);
    this.resolver.standsAt(found?.commitId ?? null);
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
    this.resolver.applies(batch.frames);
    const options = { durable: false };
    if (entries !== null) await entries.write([this.#checkpointEntry(after)], options);
    else await this.#index.write(this.#entriesOf(batch, after), options);
    this.resolver.applied(commitId);
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
    // Of its own: a batch may be applied while these are taken.
    const value = newIndexValue();
    for (const { key, offset, bytes } of entries)
      yield { key, value: writeIndexValue(value, key, slot, offset, bytes) };
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
    this.resolver.applies(null);
    await read(async (entries) => {
      await this.#index.write(this.#baseEntriesOf(entries, this.#slot), { durable: false });
    });
    // No entry may be missing below a checkpoint that stands.
    await this.#index.sync();
    await this.#index.write([this.#checkpointEntry(checkpoint)], { durable: true });
    this.#baseCut = checkpoint.snapshotCut;
    this.resolver.applied(null);
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
      this.resolver.moved();
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
}
