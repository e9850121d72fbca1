import { describe, expect, test } from 'vitest';
import { COMMIT_BYTES_MAX } from '../../src/core/limits.ts';
import { encodeFrame } from '../../src/core/wal/frame.ts';
import { prepareCommit, readOperation } from '../../src/core/wal/operation.ts';
import { HASH } from '../support/claim-parts.ts';

const put = { op: 'put', collection: 'c', id: 'i', document: 'd' };
const prepare = (...operations: readonly unknown[]) => prepareCommit(operations as never);
/** Leaves room for the header of the commit and of its one operation, and for two names of one byte. */
const DOCUMENT_MAX = COMMIT_BYTES_MAX - 16 - 12 - 2;

describe('P5-I1: a commit is refused with the operation and the rule', () => {
  const named = (message: string, operation: number) =>
    expect.objectContaining({ code: 'COMMIT_INVALID', message, evidence: { operation } }) as Error;

  test.each<[unknown, string]>([
    [null, 'operation 1 is no object'],
    ['put', 'operation 1 is no object'],
    [undefined, 'operation 1 is no object'],
    [{ ...put, op: 'replace' }, 'operation 1: op is "replace"; it must be "put" or "delete"'],
    [{ ...put, collection: 7 }, 'operation 1: collection must be text or bytes'],
    [{ ...put, collection: '' }, 'operation 1: collection has 0 bytes; it must have 1 to 255'],
    [{ ...put, collection: 'x'.repeat(256) }, 'operation 1: collection has 256 bytes; it must have 1 to 255'],
    [{ ...put, id: null }, 'operation 1: id must be text or bytes'],
    [{ ...put, id: 'x'.repeat(65_536) }, 'operation 1: id has 65536 bytes; it must have 1 to 65535'],
    [{ ...put, id: '\ud800' }, 'operation 1: id must be text or bytes'],
    [{ op: 'put', collection: 'c', id: 'i' }, 'operation 1: document must be text or bytes'],
  ])('%j', (operation, message) => {
    expect(() => prepare(put, operation)).toThrow(named(message, 1));
  });

  test('that has no operation, or is no list', () => {
    const message = 'a commit needs at least one operation';
    for (const operations of [[], {}, 'put', null, { length: 1 }])
      expect(() => prepareCommit(operations as never)).toThrow(
        expect.objectContaining({ code: 'COMMIT_INVALID', message }),
      );
  });

  test('that is larger than a frame, by one byte', () => {
    expect(prepare({ ...put, document: Buffer.alloc(DOCUMENT_MAX) }).bytes).toBe(COMMIT_BYTES_MAX);
    expect(() => prepare({ ...put, document: Buffer.alloc(DOCUMENT_MAX + 1) })).toThrow(
      expect.objectContaining({
        code: 'COMMIT_TOO_LARGE',
        message: `a commit takes at most ${COMMIT_BYTES_MAX} bytes; this one takes ${COMMIT_BYTES_MAX + 1}`,
        evidence: { bytes: COMMIT_BYTES_MAX + 1, bytes_max: COMMIT_BYTES_MAX },
      }),
    );
  });

  test('names of the largest size are taken', () => {
    const { operations } = prepare({ ...put, collection: 'x'.repeat(255), id: 'x'.repeat(65_535) });
    expect(operations.map(({ collection, id }) => [collection.length, id.length])).toEqual([[255, 65_535]]);
  });

  test('a frame that would be too large is a bug', () => {
    const commit = prepare({ ...put, document: Buffer.alloc(DOCUMENT_MAX) });
    const frame = { lsn: 0, kind: 'commits', firstCommitId: 1, previousHash: HASH } as const;
    expect(encodeFrame({ ...frame, commits: [commit] }).bytes).toHaveLength(4 * 1024 * 1024);
    expect(() => encodeFrame({ ...frame, commits: [commit, prepare(put)] })).toThrow(
      'a frame takes at most 4 MiB',
    );
  });

  test('P5-I7: a record whose lengths do not add up is none', () => {
    const record = Buffer.alloc(12);
    expect(readOperation(record, 1)).not.toBeNull();
    expect(readOperation(record.subarray(0, 11), 1)).toBeNull();
    expect(readOperation(Buffer.concat([record, Buffer.alloc(1)]), 1)).toBeNull();
    record.writeUInt32LE(1, 4);
    expect(readOperation(record, 1)).toBeNull();
  });
});
