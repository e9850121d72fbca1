import { COLLECTION, DOCUMENT_BYTES, documentKey, KEY_BYTES } from '../../src/bench/w1.ts';
import { COMMIT_HEADER_BYTES, OPERATION_HEADER_BYTES } from '../../src/core/limits.ts';
import { encodeCheckpoint, GENESIS_CHECKPOINT } from '../../src/core/storage/checkpoint.ts';
import {
  afterDocument,
  CHECKPOINT_KEY,
  encodeIndexValue,
  versionKey,
} from '../../src/core/storage/index-entry.ts';
import type { IndexEntry } from '../../src/io/version-index.ts';

const COLLECTION_NAME = Buffer.from(COLLECTION);
export const OPERATION_BYTES = OPERATION_HEADER_BYTES + COLLECTION_NAME.length + KEY_BYTES + DOCUMENT_BYTES;
const COMMIT_BYTES = COMMIT_HEADER_BYTES + OPERATION_BYTES;
/** As many commits of W1 as a mebibyte of WAL holds: what a replica applies at a time. */
export const BATCH_DOCUMENTS = Math.floor(2 ** 20 / COMMIT_BYTES);

/** Key and value of the entry of one document: all have the same sizes. */
export const ENTRY_BYTES = [...batchOf(0, idsOf(0, 1))]
  .slice(0, 1)
  .reduce((sum, { key, value }) => sum + key.length + value.length, 0);

/** The ids of documents, which a replica has as bytes of its WAL before it makes entries of them. */
export function idsOf(first: number, count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(documentKey(first + index)));
}

/** The batch that a replica writes for these documents, one commit each, and its checkpoint behind them. */
export function* batchOf(first: number, ids: readonly Buffer[]): Generator<IndexEntry> {
  let n = first;
  for (const id of ids) {
    const key = versionKey(COLLECTION_NAME, id, commitIdOf(n));
    yield { key, value: encodeIndexValue(key, 'wal', lsnOf(n), OPERATION_BYTES) };
    n += 1;
  }
  const checkpoint = { ...GENESIS_CHECKPOINT, commitId: commitIdOf(n - 1), lsn: lsnOf(n) };
  yield { key: CHECKPOINT_KEY, value: encodeCheckpoint({ ...checkpoint, baseSlot: 0 }) };
}

/** Between these the newest version of a document is the first entry. */
export function boundsOf(n: number, documents: number): { readonly from: Buffer; readonly to: Buffer } {
  const id = Buffer.from(documentKey(n));
  return { from: versionKey(COLLECTION_NAME, id, documents), to: afterDocument(COLLECTION_NAME, id) };
}

/** Where the operation of a document would stand in the WAL. */
export function lsnOf(n: number): number {
  return n * COMMIT_BYTES + COMMIT_HEADER_BYTES;
}

function commitIdOf(n: number): number {
  return n + 1;
}
