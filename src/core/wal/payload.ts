import type { JsonObject } from '../bytes.ts';
import { readSafeU64 } from '../bytes.ts';
import { COMMIT_HEADER_BYTES, FRAME_HEADER_BYTES, OPERATION_HEADER_BYTES } from '../limits.ts';
import { OP_DELETE, OP_PUT } from './operation.ts';

/** The first thing in a payload that is not as it must be. `offset` counts from the start of the frame. */
export interface PayloadFault {
  readonly kind: 'commit id' | 'structure';
  readonly offset: number;
  readonly expected: JsonObject;
  readonly found: JsonObject;
}

/**
 * Walks the commits of a frame without decoding a document: are the commit ids dense from the header's first one, do
 * all lengths add up, is every operation of a known kind? Returns the first fault, or `null`.
 */
export function inspectPayload(
  frame: Buffer,
  firstCommitId: number,
  commitCount: number,
): PayloadFault | null {
  const end = frame.length;
  let offset = FRAME_HEADER_BYTES;
  for (let index = 0; index < commitCount; index += 1) {
    if (offset + COMMIT_HEADER_BYTES > end)
      return structure(offset, { commits: commitCount }, { commits: index });
    const commitId = readSafeU64(frame, offset);
    if (commitId !== firstCommitId + index)
      return {
        kind: 'commit id',
        offset,
        expected: { commit_id: firstCommitId + index },
        found: { commit_id: commitId },
      };
    const commitBytes = frame.readUInt32LE(offset + 8);
    const operationCount = frame.readUInt32LE(offset + 12);
    const commitEnd = offset + commitBytes;
    if (commitEnd > end || operationCount === 0)
      return structure(
        offset,
        { commit_bytes_max: end - offset, operations_min: 1 },
        { commit_bytes: commitBytes, operations: operationCount },
      );
    let at = offset + COMMIT_HEADER_BYTES;
    for (let operation = 0; operation < operationCount; operation += 1) {
      if (at + OPERATION_HEADER_BYTES > commitEnd)
        return structure(at, { operations: operationCount }, { operations: operation });
      const op = frame[at] as number;
      const collectionBytes = frame[at + 1] as number;
      const idBytes = frame.readUInt16LE(at + 2);
      const documentBytes = frame.readUInt32LE(at + 4);
      const known = op === OP_PUT || (op === OP_DELETE && documentBytes === 0);
      if (!known || collectionBytes === 0 || idBytes === 0)
        return structure(
          at,
          { op: [OP_PUT, OP_DELETE], collection_bytes_min: 1, id_bytes_min: 1 },
          { op, collection_bytes: collectionBytes, id_bytes: idBytes, document_bytes: documentBytes },
        );
      at += OPERATION_HEADER_BYTES + collectionBytes + idBytes + documentBytes;
    }
    if (at !== commitEnd) return structure(at, { commit_end: commitEnd }, { operations_end: at });
    offset = commitEnd;
  }
  return offset === end ? null : structure(offset, { frame_end: end }, { commits_end: offset });
}

function structure(offset: number, expected: JsonObject, found: JsonObject): PayloadFault {
  return { kind: 'structure', offset, expected, found };
}

/**
 * Visits each operation of a frame that was inspected before. `offset` and `bytes` tell where the operation record
 * stands in the frame.
 */
export function forEachOperation(
  frame: Buffer,
  visit: (commitId: number, offset: number, bytes: number) => void,
): void {
  let offset = FRAME_HEADER_BYTES;
  while (offset < frame.length) {
    const commitId = readSafeU64(frame, offset) as number;
    const commitEnd = offset + frame.readUInt32LE(offset + 8);
    let at = offset + COMMIT_HEADER_BYTES;
    while (at < commitEnd) {
      const bytes = operationBytes(frame, at);
      visit(commitId, at, bytes);
      at += bytes;
    }
    offset = commitEnd;
  }
}

/** Where the names in an operation record stand: the collection, the id right behind it, and their end. */
export function namesIn(
  frame: Buffer,
  at: number,
): { readonly collectionAt: number; readonly idAt: number; readonly end: number } {
  const collectionAt = at + OPERATION_HEADER_BYTES;
  const idAt = collectionAt + (frame[at + 1] as number);
  return { collectionAt, idAt, end: idAt + frame.readUInt16LE(at + 2) };
}

function operationBytes(frame: Buffer, at: number): number {
  return (
    OPERATION_HEADER_BYTES +
    (frame[at + 1] as number) +
    frame.readUInt16LE(at + 2) +
    frame.readUInt32LE(at + 4)
  );
}

/** Where a commit, or an operation of one, stands in its frame. */
interface Place {
  readonly offset: number;
  readonly bytes: number;
}

export interface CommitPlace extends Place {
  readonly commitId: number;
  readonly operations: number;
}

/** The commits of a frame that was inspected before, one at a time. */
export function* commitsOf(frame: Buffer): Generator<CommitPlace> {
  let offset = FRAME_HEADER_BYTES;
  while (offset < frame.length) {
    const bytes = frame.readUInt32LE(offset + 8);
    const commitId = readSafeU64(frame, offset) as number;
    yield { commitId, offset, bytes, operations: frame.readUInt32LE(offset + 12) };
    offset += bytes;
  }
}

/** The operations of a commit of a frame that was inspected before, one at a time. */
export function* operationsOf(frame: Buffer, { offset, bytes }: Place): Generator<Place> {
  let at = offset + COMMIT_HEADER_BYTES;
  while (at < offset + bytes) {
    const place = { offset: at, bytes: operationBytes(frame, at) };
    yield place;
    at += place.bytes;
  }
}
