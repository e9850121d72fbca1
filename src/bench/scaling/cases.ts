import { freemem } from 'node:os';
import type { Operation } from '../../index.ts';
import { putOf } from '../history.ts';
import { COLLECTION, DOCUMENT_BYTES, documentKey, KEY_BYTES } from '../w1.ts';

/** A history that replicas catch up with; everything that is not said is as in W1. */
export interface ScalingCase {
  readonly name: string;
  /** Operations of one document each. */
  readonly documents: number;
  readonly document_bytes: number;
  readonly operations_per_commit: number;
  readonly operations: 'inserts' | 'inserts and updates' | 'inserts and deletes';
  /** Bytes of keys and documents in all operations. */
  readonly user_bytes: number;
  readonly operationOf: (n: number) => Operation;
  /** How many replica processes catch up at once, one number after the other. */
  readonly replicas: readonly number[];
}

/** Powers of ten; the documents become fewer as they become larger, so that all of a kind have as many bytes. */
const DOCUMENT_SIZES = [100, 1_000, 10_000, 100_000, 1_000_000] as const;
const OPERATIONS_PER_COMMIT = [10, 100, 1_000] as const;
/** Of the same document in the case of updates, the insert counted. */
const VERSIONS = 10;
const REPLICAS = [1, 4, 10] as const;
/** What a replica process may take, so that as many as are started fit into memory. */
const REPLICA_BYTES = 400 * 1024 * 1024;

/** How many readers without state read the WAL at once in the last row. */
export const READERS = 50;

/** The cases of a run, the first one W1 itself; `documents` is the number of W1’s. */
export function scalingCases(documents: number, freeBytes = freemem()): readonly ScalingCase[] {
  const base = insertsOf(documents);
  return [
    { ...base, name: 'W1', replicas: REPLICAS.filter((count) => count * REPLICA_BYTES <= freeBytes) },
    ...DOCUMENT_SIZES.map((bytes) => {
      const count = Math.max(1, Math.round(base.user_bytes / (KEY_BYTES + bytes)));
      return { ...insertsOf(count, bytes), name: `documents of ${bytes} bytes` };
    }),
    ...OPERATIONS_PER_COMMIT.map((count) => ({
      ...base,
      name: `${count} operations a commit`,
      operations_per_commit: count,
    })),
    updatesOf(documents),
    deletesOf(documents),
  ];
}

function insertsOf(documents: number, bytes = DOCUMENT_BYTES): ScalingCase {
  return {
    name: 'inserts',
    documents,
    document_bytes: bytes,
    operations_per_commit: 1,
    operations: 'inserts',
    user_bytes: documents * (KEY_BYTES + bytes),
    operationOf: (n) => putOf(n, bytes),
    replicas: [1],
  };
}

/** The same keys again and again, each time with another document. */
function updatesOf(documents: number): ScalingCase {
  const keys = Math.ceil(documents / VERSIONS);
  return {
    ...insertsOf(documents),
    name: `updates: ${VERSIONS} versions of each document`,
    operations: 'inserts and updates',
    operationOf: (n) => ({ ...putOf(n), id: documentKey(n % keys) }),
  };
}

/** The first half inserts, the second half deletes what the first has inserted. */
function deletesOf(documents: number): ScalingCase {
  const inserts = Math.ceil(documents / 2);
  return {
    ...insertsOf(documents),
    name: 'deletes: half inserts, then half deletes',
    operations: 'inserts and deletes',
    user_bytes: documents * KEY_BYTES + inserts * DOCUMENT_BYTES,
    operationOf: (n) =>
      n < inserts ? putOf(n) : { op: 'delete', collection: COLLECTION, id: documentKey(n - inserts) },
  };
}
