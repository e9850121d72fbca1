/** The first fault of a payload: where it is, what was due there, and what was found. */
import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../src/core/wal/frame.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { inspectPayload } from '../../src/core/wal/payload.ts';
import { HASH } from '../support/claim-parts.ts';
import { del, put } from '../support/nodes.ts';

const { bytes: good } = encodeFrame({
  lsn: 96,
  kind: 'commits',
  firstCommitId: 5,
  previousHash: HASH,
  commits: [prepareCommit([put('a', 'xyz'), del('b')]), prepareCommit([put('c', '')])],
});
const FIRST = 72;
const PUT = FIRST + 16;
const [collection = 0, id = 0] = [good[PUT + 1], good.readUInt16LE(PUT + 2)];
const DELETE = PUT + 12 + collection + id + 3;
const SECOND = FIRST + good.readUInt32LE(FIRST + 8);
const END = good.length;

const changed = (change: (frame: Buffer) => void, frame: Buffer = Buffer.from(good)) => {
  change(frame);
  return frame;
};
const fault = (offset: number, expected: object, found: object) => ({
  kind: 'structure',
  offset,
  expected,
  found,
});
const OPERATION = { op: [1, 2], collection_bytes_min: 1, id_bytes_min: 1 };
const ofPut = { op: 1, collection_bytes: collection, id_bytes: id, document_bytes: 3 };

describe('P5-I5, P5-I6: the payload of a frame', () => {
  test('that is good has no fault, down to a commit that ends with the frame', () => {
    expect(inspectPayload(good, 5, 2)).toBeNull();
    expect(inspectPayload(good.subarray(0, SECOND), 5, 1)).toBeNull();
  });

  test.each<[string, Buffer, number, object]>([
    ['a commit too few', good, 3, fault(END, { commits: 3 }, { commits: 2 })],
    ['half a header of one', good.subarray(0, SECOND + 15), 2, fault(SECOND, { commits: 2 }, { commits: 1 })],
    [
      'a header and no more',
      changed((frame) => frame.writeUInt32LE(16, SECOND + 8)).subarray(0, SECOND + 16),
      2,
      fault(SECOND + 16, { operations: 1 }, { operations: 0 }),
    ],
    ['a commit too many', good, 1, fault(SECOND, { frame_end: END }, { commits_end: SECOND })],
    [
      'a gap in the commit ids',
      changed((frame) => frame.writeUInt8(7, SECOND)),
      2,
      { kind: 'commit id', offset: SECOND, expected: { commit_id: 6 }, found: { commit_id: 7 } },
    ],
    [
      'a commit that goes on behind the frame',
      changed((frame) => frame.writeUInt32LE(END - SECOND + 1, SECOND + 8)),
      2,
      fault(
        SECOND,
        { commit_bytes_max: END - SECOND, operations_min: 1 },
        { commit_bytes: END - SECOND + 1, operations: 1 },
      ),
    ],
    [
      'a commit without operations',
      changed((frame) => frame.writeUInt32LE(0, FIRST + 12)),
      2,
      fault(
        FIRST,
        { commit_bytes_max: END - FIRST, operations_min: 1 },
        { commit_bytes: SECOND - FIRST, operations: 0 },
      ),
    ],
    [
      'an operation too few',
      changed((frame) => frame.writeUInt32LE(3, FIRST + 12)),
      2,
      fault(SECOND, { operations: 3 }, { operations: 2 }),
    ],
    [
      'an operation too many',
      changed((frame) => frame.writeUInt32LE(1, FIRST + 12)),
      2,
      fault(DELETE, { commit_end: SECOND }, { operations_end: DELETE }),
    ],
    [
      'another operation',
      changed((frame) => frame.writeUInt8(3, PUT)),
      2,
      fault(PUT, OPERATION, { ...ofPut, op: 3 }),
    ],
    [
      'no collection',
      changed((frame) => frame.writeUInt8(0, PUT + 1)),
      2,
      fault(PUT, OPERATION, { ...ofPut, collection_bytes: 0 }),
    ],
    [
      'an operation that is nothing but its header, at the end of its commit',
      changed((frame) => {
        frame.writeUInt32LE(28, SECOND + 8);
        frame.writeUInt8(0, SECOND + 16 + 1);
      }).subarray(0, SECOND + 28),
      2,
      fault(SECOND + 16, OPERATION, {
        op: 1,
        collection_bytes: 0,
        id_bytes: good.readUInt16LE(SECOND + 16 + 2),
        document_bytes: 0,
      }),
    ],
    [
      'no id',
      changed((frame) => frame.writeUInt16LE(0, PUT + 2)),
      2,
      fault(PUT, OPERATION, { ...ofPut, id_bytes: 0 }),
    ],
    [
      'a deletion with a document',
      changed((frame) => frame.writeUInt8(2, PUT)),
      2,
      fault(PUT, OPERATION, { ...ofPut, op: 2 }),
    ],
    [
      'a document that goes on behind its commit',
      changed((frame) => frame.writeUInt32LE(1, SECOND + 16 + 4)),
      2,
      fault(END + 1, { commit_end: END }, { operations_end: END + 1 }),
    ],
  ])('%s', (_, frame, commits, expected) => {
    expect(inspectPayload(frame, 5, commits)).toEqual(expected);
  });
});
