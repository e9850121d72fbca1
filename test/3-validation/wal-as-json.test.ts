/** What stands in a WAL, as JSON: the records of `replichart wal dump`, and documents as they are shown. */
import { describe, expect, test } from 'vitest';
import { hex32 } from '../../src/core/bytes.ts';
import { DOCUMENT_DEPTH_MAX, documentJson, isTooDeep } from '../../src/core/document-json.ts';
import { chainAtCut, observeUnit, type FrameFacts, type HeaderFacts } from '../../src/core/wal/chain.ts';
import { encodeFrame } from '../../src/core/wal/frame.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { commitsOf, forEachOperation, operationsOf } from '../../src/core/wal/payload.ts';
import {
  commitRecord,
  frameRecord,
  kindName,
  operationRecord,
  RECORD_LEVELS,
  segmentRecord,
} from '../../src/core/wal/records.ts';
import { encodeSegmentHeader, segmentFileName, segmentStartLsn } from '../../src/core/wal/segment-header.ts';
import { at, HASH } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

const cut = chainAtCut(CLUSTER, { ...at(4, 1_000), segmentIndex: 2 });
const chain = { ...cut, lsn: 1_096, expects: 'frame' } as const;
const put = { op: 'put', collection: 'c', id: Buffer.from([0xff]), document: '{"a":1}' } as const;
const { bytes: frame, historyHash } = encodeFrame({
  lsn: 1_096,
  kind: 'commits',
  firstCommitId: 5,
  previousHash: HASH,
  commits: [prepareCommit([put, { op: 'delete', collection: 'c', id: 'i' }]), prepareCommit([put])],
});
const commits = [...commitsOf(frame)];
const places = commits.flatMap((commit) => [...operationsOf(frame, commit)]);
const operation = (index: number, change: (bytes: Buffer) => void = () => undefined) => {
  const { offset, bytes } = places[index] ?? { offset: 0, bytes: 0 };
  const copy = Buffer.from(frame.subarray(offset, offset + bytes));
  change(copy);
  return copy;
};

describe('P5-I15: a unit of the WAL as a record', () => {
  test('a segment', () => {
    const header = encodeSegmentHeader({
      clusterId: CLUSTER,
      segmentIndex: 2,
      startLsn: 1_000,
      firstCommitId: 5,
      historyHash: HASH,
    });
    const facts = observeUnit(cut, header, 0, 'whole') as HeaderFacts;
    expect(segmentRecord(facts)).toEqual({
      record: 'segment',
      lsn: 1_000,
      file: '00000000000000001000.wal',
      segment_index: 2,
      cluster_id: CLUSTER,
      format_version: 1,
      first_commit_id: 5,
      history_hash: HASH,
      crc32c: hex32(header.readUInt32LE(92)),
    });
    expect(RECORD_LEVELS).toEqual(['segment', 'frame', 'commit', 'operation']);
  });

  test('a frame, of every kind', () => {
    const facts = observeUnit(chain, frame, 0, 'whole') as FrameFacts;
    expect(frameRecord(facts)).toEqual({
      record: 'frame',
      lsn: 1_096,
      file: '00000000000000001000.wal',
      byte: 96,
      kind: 'commits',
      bytes: frame.length,
      first_commit_id: 5,
      commit_count: 2,
      previous_hash: HASH,
      history_hash: historyHash,
      crc32c: hex32(frame.readUInt32LE(64)),
    });
    expect([1, 2, 3].map(kindName)).toEqual(['commits', 'seal', 'cut']);
    expect(() => kindName(4)).toThrow('a frame that was proved is of a known kind');
    expect(() => frameRecord({ ...facts, computed: null })).toThrow('a frame that was proved has its hash');
  });

  test('its commits', () => {
    expect(commits.map((commit) => commitRecord(1_096, commit))).toEqual([
      { record: 'commit', lsn: 1_168, commit_id: 5, bytes: 16 + 21 + 14, operation_count: 2 },
      { record: 'commit', lsn: 1_219, commit_id: 6, bytes: 16 + 21, operation_count: 1 },
    ]);
    const seen: unknown[] = [];
    forEachOperation(frame, (...place) => seen.push(place));
    expect(seen).toEqual(places.map(({ offset, bytes }, index) => [index === 2 ? 6 : 5, offset, bytes]));
  });

  test('their operations, with and without the document', () => {
    const shown = {
      record: 'operation',
      lsn: 7,
      commit_id: 5,
      index: 0,
      op: 'put',
      collection: 'c',
      id_base64: '/w==',
      document_bytes: 7,
      crc32c: hex32(operation(0).readUInt32LE(8)),
    };
    expect(operationRecord(7, 5, 0, operation(0), false)).toEqual(shown);
    expect(operationRecord(7, 5, 0, operation(0), true)).toEqual({ ...shown, document: { a: 1 } });
    const deletion = operationRecord(7, 5, 1, operation(1), true);
    expect(deletion).toMatchObject({ op: 'delete', index: 1, id: 'i', document_bytes: 0 });
    expect(deletion).not.toHaveProperty('document');
    expect(deletion).not.toHaveProperty('document_base64');
  });

  test('P5-I5: an operation under another checksum shows both', () => {
    const changed = operation(0, (bytes) => bytes.writeUInt32LE(7, 8));
    expect(operationRecord(7, 5, 0, changed, false)).toMatchObject({
      crc32c: '00000007',
      crc32c_computed: hex32(operation(0).readUInt32LE(8)),
    });
    expect(() => operationRecord(7, 5, 0, changed.subarray(1), false)).toThrow(
      'the lengths of an operation that was proved add up',
    );
  });

  test.each([
    ['{"a": 1}', 'eyJhIjogMX0='],
    ['no JSON', 'bm8gSlNPTg=='],
    ['{"a":1,"a":1}', 'eyJhIjoxLCJhIjoxfQ=='],
  ])('a document that JSON does not carry byte for byte is shown as base64: %s', (document, base64) => {
    const { bytes } = encodeFrame({
      lsn: 0,
      kind: 'commits',
      firstCommitId: 1,
      previousHash: HASH,
      commits: [prepareCommit([{ ...put, document }])],
    });
    const record = operationRecord(0, 1, 0, bytes.subarray(88), true);
    expect(record).toMatchObject({ document_base64: base64 });
    expect(record).not.toHaveProperty('document');
  });
});

describe('P5-I7: a document as JSON carries it', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

  test.each([
    '{"a":[1,null,"x"]}',
    '1',
    'null',
    '1e308',
    '1E+2',
    '-1e-400',
    `"${'9'.repeat(400)}"`,
    '{"a":1e2}',
  ])('%s is shown as it is', (text) => {
    expect(documentJson(Buffer.from(text))).toEqual({ document: JSON.parse(text) as unknown });
  });

  test.each([
    'no JSON',
    '',
    '1e309',
    '1E309',
    '1e+309',
    '[1,{"a":[1e999]}]',
    '[1e999,1]',
    '9'.repeat(310),
    '{"a":"x","b":-1e400}',
  ])('%s is shown as base64', (text) => {
    const document = Buffer.from(text);
    expect(documentJson(document)).toEqual({ document_base64: document.toString('base64') });
  });

  test('bytes that are no text are shown as base64', () => {
    expect(documentJson(Buffer.from([0x22, 0xff, 0x22]))).toEqual({ document_base64: 'Iv8i' });
  });

  test('nested as deep as it may be, and one deeper', () => {
    expect(documentJson(Buffer.from(nested(DOCUMENT_DEPTH_MAX)))).toHaveProperty('document');
    expect(documentJson(Buffer.from(nested(DOCUMENT_DEPTH_MAX + 1)))).toHaveProperty('document');
    expect(documentJson(Buffer.from(nested(DOCUMENT_DEPTH_MAX + 2)))).toHaveProperty('document_base64');
    expect(isTooDeep(null)).toBe(false);
  });
});

describe('P5-I4: the name of a segment file', () => {
  test('is the LSN in twenty digits', () => {
    expect(segmentFileName(1_000)).toBe('00000000000000001000.wal');
    expect(segmentStartLsn('00000000000000001000.wal')).toBe(1_000);
    for (const name of [
      '1000.wal',
      'x00000000000000001000.wal',
      '000000000000000001000.wal',
      '00000000000000001000.wal2',
      '9'.repeat(20),
    ])
      expect(segmentStartLsn(name)).toBeNull();
    expect(segmentStartLsn(`${'9'.repeat(20)}.wal`)).toBeNull();
  });
});
