/** What a proof hands on of a WAL that is made for it, what is said where it stops, and the pieces of a stream. */
import { describe, expect, test } from 'vitest';
import { stopEvidence } from '../../src/core/recovery/survey.ts';
import { afterDocument, collectionBounds, versionKey } from '../../src/core/storage/index-entry.ts';
import { chainAtCut } from '../../src/core/wal/chain.ts';
import { encodeFrame } from '../../src/core/wal/frame.ts';
import { encodeNotice, NoticeSplitter } from '../../src/core/wal/notice.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { encodeSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { at, HASH } from '../support/claim-parts.ts';
import { CLUSTER, put } from '../support/nodes.ts';

const START = 1_000;
const headerAt = (startLsn: number, segmentIndex: number, firstCommitId: number, historyHash: string) =>
  encodeSegmentHeader({ clusterId: CLUSTER, segmentIndex, startLsn, firstCommitId, historyHash });
const header = headerAt(START, 2, 5, HASH);
const frame = encodeFrame({
  lsn: START + 96,
  kind: 'commits',
  firstCommitId: 5,
  previousHash: HASH,
  commits: [prepareCommit([put('a', 'b')])],
});
const sealLsn = START + 96 + frame.bytes.length;
const seal = encodeFrame({
  lsn: sealLsn,
  kind: 'seal',
  firstCommitId: 6,
  previousHash: frame.historyHash,
  commits: [],
});
const next = headerAt(sealLsn + 72, 3, 6, seal.historyHash);
const wal = Buffer.concat([header, frame.bytes, seal.bytes, next]);
const from = chainAtCut(CLUSTER, { ...at(4, START), segmentIndex: 2 });

describe('P5-I5: a proof', () => {
  test('hands on the frames that hold commits, and shows every unit', () => {
    const { batch, units, stop } = ProvenBatch.prove(from, wal);
    expect(batch.frames).toEqual([{ lsn: START + 96, bytes: frame.bytes }]);
    expect(units.map(({ bytes }) => bytes)).toEqual([header, frame.bytes, seal.bytes, next]);
    expect(units.map(({ facts }) => facts.unit)).toEqual([
      'segment header',
      'frame',
      'frame',
      'segment header',
    ]);
    expect(batch.to).toMatchObject({ lsn: START + wal.length, commitId: 5, historyHash: seal.historyHash });
    expect(stop).toBeNull();
  });

  test('P5-I11: of bytes that end too early says where, and how many were due', () => {
    const { batch, stop } = ProvenBatch.prove(from, wal.subarray(0, 96 + frame.bytes.length - 1));
    expect(batch.frames).toEqual([]);
    expect(stop && stopEvidence(stop)).toEqual({
      kind: 'torn',
      rule: 'P5-I11 unitIsWhole',
      lsn: START + 96,
      file: '00000000000000001000.wal',
      byte: 96,
      evidence: {
        expected: { unit_bytes: frame.bytes.length },
        found: { bytes_available: frame.bytes.length - 1 },
      },
    });
  });
});

describe('P5-I15: a stream of WAL and notices', () => {
  const position = at(5, sealLsn, frame.historyHash);
  const notice = { kind: 'notice', position } as const;
  const piece = (bytes: Buffer) => ({ kind: 'wal', bytes }) as const;
  const split = (...chunks: readonly Buffer[]) => {
    const splitter = new NoticeSplitter();
    return chunks.flatMap((chunk) => splitter.split(chunk));
  };

  test('has no empty piece before, between or behind the notices', () => {
    const bytes = encodeNotice(position);
    expect(split(bytes, bytes)).toEqual([notice, notice]);
    expect(split(Buffer.concat([bytes, header, bytes, bytes]))).toEqual([
      notice,
      piece(header),
      notice,
      notice,
    ]);
  });

  test('from what is no unit on is handed over as it is, a notice behind it too', () => {
    const strange = Buffer.alloc(100);
    strange.writeUInt32LE(strange.length, 4);
    const bytes = Buffer.concat([header, strange, encodeNotice(position)]);
    expect(split(bytes)).toEqual([piece(bytes)]);
    strange.write('RWF1', 0, 'latin1');
    expect(split(Buffer.concat([header, strange, encodeNotice(position)]))).toEqual([
      piece(Buffer.concat([header, strange])),
      notice,
    ]);
  });
});

describe('P5-I7: keys of the index', () => {
  const [collection, id] = [Buffer.from('c'), Buffer.from('i')];

  test('behind every version of a document, and around a collection', () => {
    const oldest = versionKey(collection, id, 0);
    expect(oldest.toString('hex')).toBe('01630001690001ffffffffffffffff');
    expect(afterDocument(collection, id).toString('hex')).toBe('01630001690001ffffffffffffffff00');
    expect(collectionBounds(collection)).toEqual({
      from: Buffer.from('01630001', 'hex'),
      to: Buffer.from('01630002', 'hex'),
    });
    expect(versionKey(Buffer.from([0]), id, 1).toString('hex')).toBe('0100ff0001690001fffffffffffffffe');
  });
});
