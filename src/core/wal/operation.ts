import { crc32cAfter, crc32cOfFew, writeU64 } from '../bytes.ts';
import { ReplichartError } from '../errors.ts';
import {
  COLLECTION_BYTES_MAX,
  COMMIT_BYTES_MAX,
  COMMIT_HEADER_BYTES,
  ID_BYTES_MAX,
  OPERATION_HEADER_BYTES,
} from '../limits.ts';

/** One change of one document. Text stands for its UTF-8 bytes; keys and documents are bytes to the engine. */
export type Operation =
  | {
      readonly op: 'put';
      readonly collection: string | Uint8Array;
      readonly id: string | Uint8Array;
      readonly document: string | Uint8Array;
    }
  | { readonly op: 'delete'; readonly collection: string | Uint8Array; readonly id: string | Uint8Array };

export const OP_PUT = 1;
export const OP_DELETE = 2;
export type OpCode = typeof OP_PUT | typeof OP_DELETE;

interface PreparedOperation {
  readonly op: OpCode;
  readonly collection: Buffer;
  readonly id: Buffer;
  readonly document: Buffer;
}

/** A commit whose operations were checked and turned to bytes; only its commit id is missing. */
export interface PreparedCommit {
  readonly operations: readonly PreparedOperation[];
  /** Bytes in the frame, the commit's own header included. */
  readonly bytes: number;
}

const EMPTY = Buffer.alloc(0);

/**
 * Checks the operations of one commit against the limits of the format and takes a copy of their bytes, so that what
 * the caller does to them afterwards changes nothing.
 *
 * @throws ReplichartError `COMMIT_INVALID` or `COMMIT_TOO_LARGE`, naming the operation and the rule.
 */
export function prepareCommit(operations: readonly Operation[]): PreparedCommit {
  if (!Array.isArray(operations) || operations.length === 0)
    throw new ReplichartError('COMMIT_INVALID', 'a commit needs at least one operation');
  let bytes = COMMIT_HEADER_BYTES;
  const prepared: PreparedOperation[] = [];
  for (const [index, operation] of (operations as readonly Operation[]).entries()) {
    const one = prepareOperation(operation, index);
    bytes += OPERATION_HEADER_BYTES + one.collection.length + one.id.length + one.document.length;
    prepared.push(one);
  }
  if (bytes > COMMIT_BYTES_MAX) {
    throw new ReplichartError(
      'COMMIT_TOO_LARGE',
      `a commit takes at most ${COMMIT_BYTES_MAX} bytes; this one takes ${bytes}`,
      { evidence: { bytes, bytes_max: COMMIT_BYTES_MAX } },
    );
  }
  return { operations: prepared, bytes };
}

function prepareOperation(operation: Operation, index: number): PreparedOperation {
  const where = `operation ${index}`;
  if (typeof operation !== 'object' || operation === null) throw invalid(`${where} is no object`, index);
  const kind: unknown = operation.op;
  if (kind !== 'put' && kind !== 'delete')
    throw invalid(`${where}: op is ${JSON.stringify(kind)}; it must be "put" or "delete"`, index);
  return {
    op: kind === 'put' ? OP_PUT : OP_DELETE,
    collection: key(operation.collection, `${where}: collection`, COLLECTION_BYTES_MAX, index),
    id: key(operation.id, `${where}: id`, ID_BYTES_MAX, index),
    document: kind === 'put' ? bytesOf((operation as { document?: unknown }).document, where, index) : EMPTY,
  };
}

function key(value: unknown, where: string, bytesMax: number, index: number): Buffer {
  const bytes = toBytes(value);
  if (bytes === null) throw invalid(`${where} must be text or bytes`, index);
  if (bytes.length < 1 || bytes.length > bytesMax)
    throw invalid(`${where} has ${bytes.length} bytes; it must have 1 to ${bytesMax}`, index);
  return bytes;
}

function bytesOf(value: unknown, where: string, index: number): Buffer {
  const bytes = toBytes(value);
  if (bytes === null) throw invalid(`${where}: document must be text or bytes`, index);
  return bytes;
}

function toBytes(value: unknown): Buffer | null {
  if (typeof value === 'string') return value.isWellFormed() ? Buffer.from(value, 'utf8') : null;
  return value instanceof Uint8Array ? Buffer.from(value) : null;
}

function invalid(message: string, index: number): ReplichartError {
  return new ReplichartError('COMMIT_INVALID', message, { evidence: { operation: index } });
}

/**
 * The checksum that an operation carries for life: over commit id (u64), op code (u8), collection, id, document.
 * `keyAndDocument` is the three of them as they stand one after another in the record.
 */
export function operationCrc(commitId: number, op: number, keyAndDocument: Uint8Array): number {
  writeU64(crcPrefix, commitId, 0);
  crcPrefix[8] = op;
  return crc32cAfter(crc32cOfFew(crcPrefix), keyAndDocument);
}
const crcPrefix = Buffer.alloc(9);

/** Writes a commit at `offset`; returns the offset after it. */
export function writeCommit(buffer: Buffer, start: number, commitId: number, commit: PreparedCommit): number {
  writeU64(buffer, commitId, start);
  buffer.writeUInt32LE(commit.bytes, start + 8);
  buffer.writeUInt32LE(commit.operations.length, start + 12);
  let offset = start + COMMIT_HEADER_BYTES;
  for (const operation of commit.operations) {
    const { op, collection, id, document } = operation;
    const body = offset + OPERATION_HEADER_BYTES;
    const end = body + collection.length + id.length + document.length;
    collection.copy(buffer, body);
    id.copy(buffer, body + collection.length);
    document.copy(buffer, body + collection.length + id.length);
    buffer[offset] = op;
    buffer[offset + 1] = collection.length;
    buffer.writeUInt16LE(id.length, offset + 2);
    buffer.writeUInt32LE(document.length, offset + 4);
    buffer.writeUInt32LE(operationCrc(commitId, op, buffer.subarray(body, end)), offset + 8);
    offset = end;
  }
  return offset;
}

/** A version as it is read back: the operation record at its place in a WAL segment or base file. */
export interface OperationRecord {
  readonly op: number;
  readonly collection: Buffer;
  readonly id: Buffer;
  readonly document: Buffer;
  readonly crcStored: number;
  readonly crcComputed: number;
}

/** Reads an operation record that fills `bytes` exactly, or returns `null` where its lengths do not add up. */
export function readOperation(bytes: Buffer, commitId: number): OperationRecord | null {
  if (bytes.length < OPERATION_HEADER_BYTES) return null;
  const op = bytes[0] as number;
  const collectionBytes = bytes[1] as number;
  const idBytes = bytes.readUInt16LE(2);
  const documentBytes = bytes.readUInt32LE(4);
  const idAt = OPERATION_HEADER_BYTES + collectionBytes;
  const documentAt = idAt + idBytes;
  if (documentAt + documentBytes !== bytes.length) return null;
  return {
    op,
    collection: bytes.subarray(OPERATION_HEADER_BYTES, idAt),
    id: bytes.subarray(idAt, documentAt),
    document: bytes.subarray(documentAt),
    crcStored: operationCrcOf(bytes),
    crcComputed: operationCrc(commitId, op, bytes.subarray(OPERATION_HEADER_BYTES)),
  };
}

/** The checksum that an operation record carries. */
export function operationCrcOf(record: Buffer): number {
  return record.readUInt32LE(8);
}
