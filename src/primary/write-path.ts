import { ReplichartError } from '../core/errors.ts';
import { FRAME_HEADER_BYTES } from '../core/limits.ts';
import type { Position } from '../core/position.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import type { SnapshotCut } from '../core/storage/base-format.ts';
import type { ChainState } from '../core/wal/chain.ts';
import { encodeFrame } from '../core/wal/frame.ts';
import type { PreparedCommit } from '../core/wal/operation.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import type { Fence } from '../io/fence.ts';
import type { Storage } from '../io/storage.ts';
import type { WalFiles } from '../io/wal/files.ts';
import { rollSegment } from './segment-roll.ts';

/** Commits that wait are taken into a frame until it reaches this size; a larger commit gets a frame of its own. */
const FRAME_BYTES_TARGET = 1024 * 1024;

interface WaitingCommit {
  readonly commit: PreparedCommit;
  readonly resolve: (position: Position) => void;
  readonly reject: (error: unknown) => void;
}

interface WaitingCut {
  readonly resolve: (cut: SnapshotCut) => void;
  readonly reject: (error: unknown) => void;
}

export interface WritePathPorts {
  readonly wal: WalFiles;
  readonly storage: Storage;
  readonly fence: Fence;
  readonly segmentBytesMax: number;
  /** Told once, when a file operation failed; nothing is acknowledged after that. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * The one writer of history. Commits that arrive while a frame is being synced share the next frame and its fsync.
 * A commit is acknowledged when its frame is durable and its index entries are applied.
 */
export class WritePath {
  readonly #ports: WritePathPorts;
  #chain: ChainState;
  #checkpoint: Checkpoint;
  #waiting: WaitingCommit[] = [];
  #waitingCuts: WaitingCut[] = [];
  #working: Promise<void> | null = null;
  #failure: unknown = null;
  #accepting = true;
  #durableListeners = new Set<() => void>();
  #appliedListeners = new Set<() => void>();

  constructor(ports: WritePathPorts, chain: ChainState, checkpoint: Checkpoint) {
    this.#ports = ports;
    this.#chain = chain;
    this.#checkpoint = checkpoint;
  }

  /** Where durable history ends. */
  get durable(): ChainState {
    return this.#chain;
  }

  /** How far durable history is applied, so that a read can see it. */
  get applied(): Checkpoint {
    return this.#checkpoint;
  }

  /**
   * Makes one commit, all or nothing.
   *
   * @returns the position of the commit: its id, and LSN and history hash of the end of its frame.
   * @throws ReplichartError `NOT_WRITABLE` (nothing is written), `STORAGE_FAILED` (never acknowledged; a restart says
   *   whether it became durable).
   */
  commit(commit: PreparedCommit): Promise<Position> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) throw failed(this.#failure);
      if (!this.#accepting) throw new ReplichartError('NOT_WRITABLE', 'the primary is stopping');
      this.#waiting.push({ commit, resolve, reject });
      this.#start();
    });
  }

  /**
   * Cuts history for a snapshot: a cut frame, a seal, and the next segment. Every commit that was acknowledged lies
   * before the cut.
   */
  cut(): Promise<SnapshotCut> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) throw failed(this.#failure);
      if (!this.#accepting) throw new ReplichartError('NOT_WRITABLE', 'the primary is stopping');
      this.#waitingCuts.push({ resolve, reject });
      this.#start();
    });
  }

  /** Calls the listener whenever durable history has grown; returns how to end that. */
  onDurable(listener: () => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  /** Calls the listener whenever more is applied, and so can be read; returns how to end that. */
  onApplied(listener: () => void): () => void {
    this.#appliedListeners.add(listener);
    return () => this.#appliedListeners.delete(listener);
  }

  /** Takes no more commits, and finishes those that were taken. */
  async stop(): Promise<void> {
    this.#accepting = false;
    await this.#working;
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
      if (this.#hasWork) this.#start();
    });
  }

  async #work(): Promise<void> {
    // One turn of the event loop, so that commits made together share a frame.
    await Promise.resolve();
    while (this.#hasWork) {
      const cut = this.#waitingCuts.shift();
      const taken = cut === undefined ? this.#take() : [];
      try {
        if (cut === undefined) await this.#write(taken);
        else cut.resolve(await this.#roll(['cut']));
      } catch (error) {
        this.#fail(error, [...taken, ...(cut === undefined ? [] : [cut])]);
      }
    }
  }

  get #hasWork(): boolean {
    return this.#failure === null && this.#waiting.length + this.#waitingCuts.length > 0;
  }

  /** As many waiting commits as fit into one frame. */
  #take(): readonly WaitingCommit[] {
    let bytes = FRAME_HEADER_BYTES;
    let count = 0;
    for (const { commit } of this.#waiting) {
      if (count > 0 && bytes + commit.bytes > FRAME_BYTES_TARGET) break;
      bytes += commit.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(taken: readonly WaitingCommit[]): Promise<void> {
    const { wal, storage, fence, segmentBytesMax } = this.#ports;
    const from = this.#chain;
    const firstCommitId = from.commitId + 1;
    const frame = encodeFrame({
      lsn: from.lsn,
      kind: 'commits',
      firstCommitId,
      previousHash: from.historyHash,
      commits: taken.map(({ commit }) => commit),
    });
    const to: ChainState = {
      ...from,
      commitId: from.commitId + taken.length,
      lsn: from.lsn + frame.bytes.length,
      historyHash: frame.historyHash,
    };
    const durable = wal.append([frame.bytes]).then(() => wal.datasync());
    // The index takes the entries up while the frame is on its way to the disk, and writes them when it is there.
    const staged = storage.stage(ProvenBatch.authored(from, to, [{ lsn: from.lsn, bytes: frame.bytes }]));
    await durable;
    this.#becomeDurable(to);
    this.#becomeApplied(await fence.write(() => storage.applyStaged(staged, this.#checkpoint)));
    for (const [index, { resolve }] of taken.entries())
      resolve({ commitId: firstCommitId + index, lsn: to.lsn, historyHash: to.historyHash });
    if (to.lsn - to.segmentStartLsn >= segmentBytesMax) await this.#roll([]);
  }

  /** Ends the segment; returns where the next one begins. */
  async #roll(before: readonly 'cut'[]): Promise<SnapshotCut> {
    const { wal, storage, fence } = this.#ports;
    const from = this.#chain;
    const to = await rollSegment(wal, from, before);
    this.#becomeDurable(to);
    const batch = ProvenBatch.authored(from, to, []);
    this.#becomeApplied(await fence.write(() => storage.apply(batch, this.#checkpoint)));
    const { commitId, segmentStartLsn: lsn, historyHash, segmentIndex } = to;
    return { commitId, lsn, historyHash, segmentIndex };
  }

  #becomeDurable(chain: ChainState): void {
    this.#chain = chain;
    for (const listener of this.#durableListeners) listener();
  }

  #becomeApplied(checkpoint: Checkpoint): void {
    this.#checkpoint = checkpoint;
    for (const listener of this.#appliedListeners) listener();
  }

  /** A failed write is final: whether its bytes are on disk is unknown, and only a restart can tell. */
  #fail(error: unknown, taken: readonly { reject(error: unknown): void }[]): void {
    this.#failure = error;
    this.#ports.fence.close(error);
    for (const one of [...taken, ...this.#waiting.splice(0), ...this.#waitingCuts.splice(0)])
      one.reject(failed(error));
    this.#ports.onFailure(error);
  }
}

function failed(cause: unknown): ReplichartError {
  return new ReplichartError(
    'STORAGE_FAILED',
    'a write failed, and nothing is acknowledged after it; the primary has stopped taking commits',
    { cause },
  );
}
