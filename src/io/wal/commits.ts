import { assertThat, ReplichartError } from '../../core/errors.ts';
import { SEGMENT_HEADER_BYTES } from '../../core/limits.ts';
import type { Position } from '../../core/position.ts';
import { stopEvidence } from '../../core/recovery/survey.ts';
import { advance, chainAtSegment, type ChainState } from '../../core/wal/chain.ts';
import { FRAME_KIND } from '../../core/wal/frame.ts';
import { OP_PUT, readOperation } from '../../core/wal/operation.ts';
import { commitsOf, operationsOf, type CommitPlace } from '../../core/wal/payload.ts';
import type { ProofStop, ProvenUnit } from '../../core/wal/proof.ts';
import { readSegmentHeader } from '../../core/wal/segment-header.ts';
import type { WalFiles } from './files.ts';
import { walkWal } from './walk.ts';

/** What a commit did to one document. The bytes are those that the primary was given. */
export type Change =
  | { readonly op: 'put'; readonly collection: Buffer; readonly id: Buffer; readonly document: Buffer }
  | { readonly op: 'delete'; readonly collection: Buffer; readonly id: Buffer };

/** One commit of history. */
export interface CommittedChanges {
  /** Where history stands with this commit: what `commit` gave when it was made. Commits of one frame share an LSN. */
  readonly position: Position;
  /** In the order in which they were made; at least one. */
  readonly changes: readonly Change[];
}

/**
 * Reads the commits behind a position in their order, each once, however often it is asked to go on. Every unit is proved
 * again as it is read, from the segment on in which the position lies. Memory: one piece of WAL.
 */
export class CommitReader {
  readonly #after: Position;
  #chain: ChainState | null = null;
  #read: number;

  constructor(after: Position) {
    this.#after = after;
    this.#read = after.commitId;
  }

  /** The newest commit that was read. */
  get commitId(): number {
    return this.#read;
  }

  /** @throws ReplichartError `WAL_PRUNED` where what comes next is no longer kept. */
  assertKept(wal: WalFiles): void {
    if ((this.#chain ?? this.#after).lsn < wal.startLsn) throw pruned(this.#read, wal.startLsn);
  }

  /**
   * Goes on to `endLsn`, which must be the end of a unit.
   *
   * @throws ReplichartError `WAL_PRUNED` where what comes next is no longer kept, `WAL_CORRUPT` where it does not prove.
   */
  async *upTo(wal: WalFiles, endLsn: number): AsyncGenerator<CommittedChanges> {
    this.assertKept(wal);
    this.#chain ??= await this.#beginning(wal);
    for await (const { batch, units, stop } of walkWal(wal, this.#chain, endLsn)) {
      for (const unit of units) yield* this.#commitsOf(unit);
      this.#chain = batch.to;
      if (stop !== null)
        throw this.#chain.lsn < wal.startLsn ? pruned(this.#read, wal.startLsn) : broken(stop);
    }
  }

  async #beginning(wal: WalFiles): Promise<ChainState> {
    try {
      return await chainBefore(wal, this.#after.lsn);
    } catch (error) {
      // It may have been pruned while it was looked up.
      this.assertKept(wal);
      throw error;
    }
  }

  *#commitsOf({ facts, bytes }: ProvenUnit): Generator<CommittedChanges> {
    if (facts.unit !== 'frame' || facts.header.kind !== FRAME_KIND.commits) return;
    const { lsn, historyHash } = advance(facts);
    for (const commit of commitsOf(bytes)) {
      const { commitId } = commit;
      if (commitId <= this.#read) continue;
      this.#read = commitId;
      yield { position: { commitId, lsn, historyHash }, changes: changesIn(bytes, commit) };
    }
  }
}

/** The chain at the start of the segment in which the byte before a position lies, or of the first one. */
async function chainBefore(wal: WalFiles, lsn: number): Promise<ChainState> {
  const segment = wal.segmentAt(lsn - 1) ?? wal.segmentAt(lsn);
  assertThat(segment !== undefined, `LSN ${lsn} lies within the WAL that is kept`);
  return chainAtSegment(readSegmentHeader(await wal.read(segment.startLsn, SEGMENT_HEADER_BYTES)));
}

function changesIn(frame: Buffer, commit: CommitPlace): readonly Change[] {
  return [...operationsOf(frame, commit)].map(({ offset, bytes }): Change => {
    const operation = readOperation(frame.subarray(offset, offset + bytes), commit.commitId);
    assertThat(operation !== null, 'the lengths of an operation that was proved add up');
    const { op, collection, id, document } = operation;
    return op === OP_PUT ? { op: 'put', collection, id, document } : { op: 'delete', collection, id };
  });
}

function pruned(read: number, oldestLsn: number): ReplichartError {
  return new ReplichartError('WAL_PRUNED', `the WAL at the position of commit ${read} is no longer kept`, {
    evidence: { read_commit_id: read, oldest_lsn: oldestLsn },
  });
}

function broken(stop: ProofStop): ReplichartError {
  const { rule, lsn, file, byte, evidence } = stopEvidence(stop);
  return new ReplichartError('WAL_CORRUPT', `the WAL does not prove at LSN ${lsn}: ${rule} does not hold`, {
    evidence: { rule, lsn, file, byte, ...evidence },
  });
}
