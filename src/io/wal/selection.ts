import { advance, type FrameFacts } from '../../core/wal/chain.ts';
import { readOperation } from '../../core/wal/operation.ts';
import { commitsOf, operationsOf, type CommitPlace } from '../../core/wal/payload.ts';
import type { ProvenUnit } from '../../core/wal/proof.ts';
import {
  commitRecord,
  frameRecord,
  operationRecord,
  RECORD_LEVELS,
  segmentRecord,
  type RecordLevel,
  type WalRecord,
} from '../../core/wal/records.ts';

/** What is shown of a WAL. What is `null` selects all. */
export interface WalQuery {
  /** The smallest thing that is shown. */
  readonly level: RecordLevel;
  readonly documents: boolean;
  /** From the unit that holds this LSN on. */
  readonly fromLsn: number | null;
  /** Up to this LSN: a unit that starts there is left out. */
  readonly toLsn: number | null;
  readonly fromCommitId: number | null;
  readonly toCommitId: number | null;
  readonly collection: Buffer | null;
  readonly id: Buffer | null;
}

/**
 * Turns proved units, in their order, to the records that a query selects. What a filter looks at decides: a segment,
 * frame or commit is shown before the first thing in it that is selected, and not at all where there is none.
 */
export class WalSelection {
  readonly #query: WalQuery;
  readonly #depth: number;
  readonly #byKey: boolean;
  readonly #byCommit: boolean;
  /** What holds the things to come, and was not shown yet. */
  #around: WalRecord[] = [];

  constructor(query: WalQuery) {
    this.#query = query;
    this.#depth = RECORD_LEVELS.indexOf(query.level);
    this.#byKey = query.collection !== null || query.id !== null;
    this.#byCommit = this.#byKey || query.fromCommitId !== null || query.toCommitId !== null;
  }

  *recordsOf({ facts, bytes }: ProvenUnit): Generator<WalRecord> {
    if (facts.unit === 'segment header') this.#around = [segmentRecord(facts)];
    const { fromLsn, toLsn } = this.#query;
    const { lsn } = facts.chain;
    if (lsn >= (toLsn ?? Infinity) || lsn + bytes.length <= (fromLsn ?? 0)) return;
    if (facts.unit === 'frame') yield* this.#frame(facts, bytes);
    else if (!this.#byCommit) yield* this.#shown();
  }

  /** Whether nothing behind this unit can be selected any more. */
  isPast({ facts }: ProvenUnit): boolean {
    const { toLsn, toCommitId } = this.#query;
    const { lsn, commitId } = advance(facts);
    return lsn >= (toLsn ?? Infinity) || commitId >= (toCommitId ?? Infinity);
  }

  *#frame(facts: FrameFacts, bytes: Buffer): Generator<WalRecord> {
    const segment = this.#around.filter(({ record }) => record === 'segment');
    this.#around = [...segment, frameRecord(facts)];
    if (!this.#byCommit) yield* this.#shown();
    if (this.#byCommit || this.#depth >= RECORD_LEVELS.indexOf('commit'))
      for (const commit of commitsOf(bytes)) yield* this.#commit(facts.chain.lsn, bytes, commit);
    this.#around = this.#around.filter(({ record }) => record === 'segment');
  }

  *#commit(frameLsn: number, frame: Buffer, commit: CommitPlace): Generator<WalRecord> {
    const { fromCommitId, toCommitId } = this.#query;
    if (commit.commitId < (fromCommitId ?? 0) || commit.commitId > (toCommitId ?? Infinity)) return;
    this.#around = this.#around.filter(({ record }) => record !== 'commit');
    this.#around.push(commitRecord(frameLsn, commit));
    if (!this.#byKey) yield* this.#shown();
    if (!this.#byKey && this.#query.level !== 'operation') return;
    let index = 0;
    for (const { offset, bytes } of operationsOf(frame, commit)) {
      const operation = frame.subarray(offset, offset + bytes);
      if (this.#isOfKey(operation, commit.commitId)) {
        yield* this.#shown();
        if (this.#query.level === 'operation')
          yield operationRecord(frameLsn + offset, commit.commitId, index, operation, this.#query.documents);
      }
      index += 1;
    }
  }

  *#shown(): Generator<WalRecord> {
    const records = this.#around;
    this.#around = [];
    for (const record of records) if (RECORD_LEVELS.indexOf(record.record) <= this.#depth) yield record;
  }

  #isOfKey(bytes: Buffer, commitId: number): boolean {
    if (!this.#byKey) return true;
    const operation = readOperation(bytes, commitId);
    const { collection, id } = this.#query;
    return (
      operation !== null &&
      (collection === null || operation.collection.equals(collection)) &&
      (id === null || operation.id.equals(id))
    );
  }
}
