import { ReplichartError } from '../core/errors.ts';
import { effectFault } from '../core/halt.ts';
import { mayPruneTo, type RetentionLimits } from '../core/retention.ts';
import type { SnapshotCut } from '../core/storage/base-format.ts';
import { SEGMENT_HEADER_BYTES } from '../core/limits.ts';
import { chainAtSegment } from '../core/wal/chain.ts';
import { readSegmentHeader } from '../core/wal/segment-header.ts';
import { BaseFile } from '../io/base-file.ts';
import { cutIn, nextCut } from '../io/base-files.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import { dropCovered, makeBase, placeBase, provePlaced, takeOver, type PrunedFiles } from '../io/prune.ts';
import type { WalFiles } from '../io/wal/files.ts';
import type { OpenStorage } from './node-storage.ts';

export interface PruneRequest {
  /** The commits from this one on stay in the WAL, for those who still ask for them. Left out: none need to. */
  readonly upTo?: number;
}

/** What a prune did. */
export interface Pruned {
  /** Where the WAL begins that is kept; all before stands in the base file. `null`: the node holds history from its first byte. */
  readonly cut: SnapshotCut | null;
  /** Segments that were removed, and the bytes in them. */
  readonly segments: number;
  readonly bytes: number;
}

/** What a node says of itself when it is to be pruned. */
export interface PrunableNode {
  readonly clusterId: string;
  readonly open: OpenStorage;
  readonly limits: Omit<RetentionLimits, 'upToCommitId'>;
}

export interface PrunerPorts {
  readonly directory: DataDirectory;
  /** Asked before each prune. @throws ReplichartError where the node does not work, or may not be pruned. */
  readonly node: () => Promise<PrunableNode>;
  /** Told where the index could not be written: what it holds then only a restart can tell. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Replaces history by its outcome: a base file at the newest segment boundary that may be one, and then the WAL before it
 * goes. One at a time, while the node goes on.
 */
export class Pruner {
  readonly #ports: PrunerPorts;
  #last: Promise<unknown> = Promise.resolve();
  /** Why files could not be put in place or removed; which of them are, only a restart can tell. */
  #failure: unknown = null;
  #isStopping = false;

  constructor(ports: PrunerPorts) {
    this.#ports = ports;
  }

  /**
   * @throws ReplichartError `NOT_WRITABLE` or `READS_BLOCKED` where the node does not work, `REQUEST_INVALID` where it may not be
   *   pruned, `STORAGE_FAILED`, `WAL_CORRUPT`, `SNAPSHOT_CORRUPT`, `INDEX_DAMAGED`; nothing is removed then.
   */
  prune({ upTo }: PruneRequest = {}): Promise<Pruned> {
    if (upTo !== undefined && !(Number.isSafeInteger(upTo) && upTo >= 0))
      return Promise.reject(new ReplichartError('REQUEST_INVALID', 'upTo: must be a commit id'));
    const pruned = this.#last.then(() => this.#prune(upTo ?? null));
    // Whoever asked is told of a failure; the next one begins all the same.
    this.#last = pruned.catch(() => undefined);
    return pruned;
  }

  async #prune(upToCommitId: number | null): Promise<Pruned> {
    this.#proceed();
    if (this.#failure !== null) throw failureOf(this.#failure);
    const { directory, node } = this.#ports;
    const { clusterId, open, limits: own } = await node();
    const files: PrunedFiles = { directory, clusterId, ...open, proceed: () => this.#proceed() };
    const limits = { ...own, upToCommitId };
    try {
      const found = await open.storage.readCheckpoint();
      const checkpoint = found.state === 'intact' ? found.checkpoint : null;
      const next = nextCut(await directory.files.list(directory.baseDirectory), checkpoint);
      const begun = next === null ? null : await this.#cutOf(next);
      const finished = begun === null ? null : await this.#goOn(files, mayBeFinished(begun, limits));
      const cut = await newestCut(open.wal, limits);
      if (cut === null) {
        const present = checkpoint === null || checkpoint.snapshotCut === 0 ? null : checkpoint.snapshotCut;
        return (
          finished ?? { cut: present === null ? null : await this.#cutOf(present), segments: 0, bytes: 0 }
        );
      }
      await makeBase(files, cut);
      await this.#namesOf(() => placeBase(files, cut));
      const more = await this.#finish(files, cut);
      return {
        cut,
        segments: more.segments + (finished?.segments ?? 0),
        bytes: more.bytes + (finished?.bytes ?? 0),
      };
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Ends a prune that is under way at its next step, and begins none any more: a node is stopped. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#last;
  }

  #proceed(): void {
    if (this.#isStopping) throw new ReplichartError('NOT_WRITABLE', 'the node is stopping');
  }

  async #goOn(files: PrunedFiles, cut: SnapshotCut): Promise<Pruned> {
    await provePlaced(files, cut);
    return this.#finish(files, cut);
  }

  async #finish(files: PrunedFiles, cut: SnapshotCut): Promise<Pruned> {
    await takeOver(files, cut, (error) => this.#ports.onFailure(error));
    return { cut, ...(await this.#namesOf(() => dropCovered(files, cut))) };
  }

  /** Of files that could not be named or removed nobody knows whether they are there: only a restart looks again. */
  async #namesOf<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async #cutOf(cutCommitId: number): Promise<SnapshotCut> {
    const { directory } = this.#ports;
    const base = await BaseFile.open(directory.files, directory.baseFile(cutCommitId));
    try {
      const cut = cutIn(base);
      if (cut !== null) return cut;
    } finally {
      await base.close();
    }
    throw new ReplichartError('SNAPSHOT_CORRUPT', 'the header of a base file is damaged', {
      evidence: { file: `base/${cutCommitId}.base` },
    });
  }
}

/** A prune that was interrupted is finished before another one begins: no more than two base files are ever spoken of. */
function mayBeFinished(cut: SnapshotCut, limits: RetentionLimits): SnapshotCut {
  if (mayPruneTo(cut, limits)) return cut;
  throw new ReplichartError(
    'REQUEST_INVALID',
    `a prune to commit ${cut.commitId} was interrupted and comes first: what is asked to be kept lies before it`,
    { evidence: { cut_commit_id: cut.commitId, up_to_commit_id: limits.upToCommitId } },
  );
}

/** The last segment boundary behind the beginning to which history may be pruned. Reads headers from the newest on. */
async function newestCut(wal: WalFiles, limits: RetentionLimits): Promise<SnapshotCut | null> {
  for (const { startLsn } of [...wal.segments].reverse()) {
    if (startLsn <= wal.startLsn) return null;
    // By its LSN alone first: most are not looked at.
    if (!mayPruneTo({ lsn: startLsn, commitId: 0 }, limits)) continue;
    const header = readSegmentHeader(await wal.read(startLsn, SEGMENT_HEADER_BYTES));
    const { commitId, historyHash, segmentIndex } = chainAtSegment(header);
    const cut = { commitId, lsn: startLsn, historyHash, segmentIndex };
    if (mayPruneTo(cut, limits)) return cut;
  }
  return null;
}

/** A disk that is full or broken is expected: nothing was removed, or only what the base file covers. */
function failureOf(error: unknown): unknown {
  if (error instanceof ReplichartError) return error;
  const { code, message, error: described } = effectFault('prune', error);
  return new ReplichartError(code, `the node cannot be pruned: ${message}`, {
    evidence: { error: described },
    cause: error,
  });
}
