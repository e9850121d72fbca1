import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from '../../src/core/limits.ts';
import { stopEvidence } from '../../src/core/recovery/survey.ts';
import { genesisChain } from '../../src/core/wal/chain.ts';
import { encodeFrame, frameCrc, readFrameHeader } from '../../src/core/wal/frame.ts';
import { OP_DELETE, OP_PUT, prepareCommit, readOperation } from '../../src/core/wal/operation.ts';
import { commitsOf, forEachOperation, inspectPayload, operationsOf } from '../../src/core/wal/payload.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { encodeSegmentHeader, readSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { crc32c, decodeWalFiles } from '../support/independent-decoder.ts';
import { flipped } from '../support/wal-forge.ts';
import {
  bytesOf,
  count,
  damage,
  damaged,
  hash,
  operationOf,
  smallerCount,
  u32,
  uuid,
} from './arbitraries.ts';
import { asBytes, buildWal, walOf, type GeneratedWal } from './generated-wal.ts';
import { runs } from './runs.ts';

const prove = ({ clusterId }: GeneratedWal, wal: Buffer) => ProvenBatch.prove(genesisChain(clusterId), wal);
/** As text of one character a byte: what differs is shown short, and compared fast. */
const text = (bytes: Buffer | undefined) => bytes?.toString('latin1');
const rulesOf = (stop: ReturnType<typeof prove>['stop']) => (stop === null ? null : stopEvidence(stop).rule);

describe('WAL frames, segment headers, seals and payloads', () => {
  test('round trip: what was written is proved to its last byte, and every operation comes back', () => {
    fc.assert(
      fc.property(walOf({ largest: true, stepsMax: 5 }), (made) => {
        const { batch, units, stop } = prove(made, made.wal);
        expect(stop).toBeNull();
        expect(units.map(({ bytes }) => bytes.length)).toEqual(made.units.map(({ bytes }) => bytes.length));
        const { commitId, lsn, historyHash } = batch.to;
        expect({ commitId, lsn, historyHash }).toEqual(made.units.at(-1)?.after);
        const found: unknown[] = [];
        for (const { lsn: frameLsn, bytes } of batch.frames)
          forEachOperation(bytes, (id, offset, size) => {
            const standing = made.wal.subarray(frameLsn + offset, frameLsn + offset + size);
            const record = readOperation(standing, id);
            expect(record?.crcStored).toBe(record?.crcComputed);
            found.push([id, record?.op, ...[record?.collection, record?.id, record?.document].map(text)]);
          });
        expect(found).toEqual(
          made.commits.flatMap(({ commitId: of, operations }) =>
            operations.map((one) => [
              of,
              one.op === 'put' ? OP_PUT : OP_DELETE,
              ...[one.collection, one.id, one.op === 'put' ? one.document : ''].map((name) =>
                text(asBytes(name)),
              ),
            ]),
          ),
        );
      }),
      runs(60),
    );
  });

  test('round trip: a decoder that was written from FORMAT.md alone reads the same', () => {
    fc.assert(
      fc.property(walOf({ stepsMax: 6 }), (made) => {
        const { positions, commits } = decodeWalFiles(made.files, made.clusterId);
        expect(positions).toEqual([
          { commitId: 0, lsn: 0, historyHash: '0'.repeat(64) },
          ...made.units.map(({ after }) => after),
        ]);
        expect(commits.map(({ commitId, operations }) => [commitId, operations.length])).toEqual(
          made.commits.map(({ commitId, operations }) => [commitId, operations.length]),
        );
      }),
      runs(60),
    );
  });

  test('round trip of headers with numbers up to 2^53 - 1; a larger one is read as none', () => {
    const fields = {
      clusterId: uuid,
      segmentIndex: count,
      startLsn: count,
      firstCommitId: count,
      historyHash: hash,
    };
    fc.assert(
      fc.property(fc.record(fields), fc.constantFrom(32, 40, 48), (header, at) => {
        const bytes = encodeSegmentHeader(header);
        const read = readSegmentHeader(bytes);
        expect(read).toMatchObject({ ...header, formatVersion: 1, reserved: 0, crcStored: read.crcComputed });
        bytes.writeBigUInt64LE(2n ** 53n, at);
        const { segmentIndex, startLsn, firstCommitId } = readSegmentHeader(bytes);
        expect([segmentIndex, startLsn, firstCommitId].map(Number.isNaN)).toEqual(
          [32, 40, 48].map((one) => one === at),
        );
      }),
      runs(200),
    );
    fc.assert(
      fc.property(
        fc.record({
          lsn: count,
          kind: fc.constantFrom('commits', 'seal', 'cut'),
          firstCommitId: smallerCount,
          previousHash: hash,
        }),
        operationOf(false),
        (fieldsOf, operation) => {
          const commits = fieldsOf.kind === 'commits' ? [prepareCommit([operation])] : [];
          const { bytes } = encodeFrame({ ...fieldsOf, commits });
          expect(readFrameHeader(bytes)).toEqual({
            magic: 'RWF1',
            frameBytes: bytes.length,
            ownLsn: fieldsOf.lsn,
            firstCommitId: fieldsOf.firstCommitId,
            commitCount: commits.length,
            kind: { commits: 1, seal: 2, cut: 3 }[fieldsOf.kind],
            previousHash: fieldsOf.previousHash,
            crcStored: crc32c(bytes.subarray(0, 64), bytes.subarray(72)),
            reserved: 0,
          });
        },
      ),
      runs(200),
    );
  });

  test('a frame of the largest size goes through, and one byte more is refused to the writer', () => {
    const room = FRAME_BYTES_MAX - FRAME_HEADER_BYTES - 16 - 12 - 2;
    const commit = (bytes: number) =>
      ({ op: 'put', collection: 'c', id: 'i', document: Buffer.alloc(bytes, 7) }) as const;
    const made = buildWal('1'.repeat(8), [{ kind: 'commits', commits: [[commit(room)]] }]);
    const { batch, stop } = ProvenBatch.prove(genesisChain(readSegmentHeader(made.wal).clusterId), made.wal);
    expect([stop, batch.to.commitId, made.wal.length]).toEqual([null, 1, 96 + FRAME_BYTES_MAX]);
    expect(() => prepareCommit([commit(room + 1)])).toThrow(/a commit takes at most 4194232 bytes/);
  });
});

describe('P5-I5, F-V1: damage to WAL', () => {
  test('every single bit of every kind of unit: found at the unit that it stands in', () => {
    const put = { op: 'put', collection: 'c', id: 'i', document: '{}' } as const;
    const made = buildWal('01020304-0506-4708-890a-0b0c0d0e0f10', [
      { kind: 'commits', commits: [[put, { op: 'delete', collection: 'c', id: 'j' }], [put]] },
      { kind: 'cut' },
      { kind: 'seal' },
      { kind: 'commits', commits: [[put]] },
    ]);
    for (let bit = 0; bit < made.wal.length * 8; bit += 1) {
      const { batch, stop } = prove(made, flipped(made.wal, bit));
      const unit = made.units.findLast(({ lsn }) => lsn <= bit >> 3);
      expect([stop === null, batch.to.lsn], `bit ${bit}`).toEqual([false, unit?.lsn]);
    }
  });

  test('a bit of any WAL, with units of any size: found at the unit that it stands in', () => {
    fc.assert(
      fc.property(walOf({ largest: true, stepsMax: 5 }), fc.maxSafeNat(), (made, any) => {
        const bit = any % (made.wal.length * 8);
        const { batch, stop } = prove(made, flipped(made.wal, bit));
        expect(stop).not.toBeNull();
        expect(batch.to.lsn).toBe(made.units.findLast(({ lsn }) => lsn <= bit >> 3)?.lsn);
      }),
      runs(300),
    );
  });

  test('P5-I4, F-V3: a bit with the checksum made to fit it: the unit itself is refused, or its hash parts from history and the next one is', () => {
    fc.assert(
      fc.property(walOf({ stepsMax: 5 }), fc.maxSafeNat(), (made, any) => {
        const bit = any % (made.wal.length * 8);
        const at = made.units.findLastIndex(({ lsn }) => lsn <= bit >> 3);
        const { kind, lsn, bytes, after } = made.units[at] as GeneratedWal['units'][number];
        const forged = flipped(made.wal, bit);
        const unit = forged.subarray(lsn, lsn + bytes.length);
        if (kind === 'header') unit.writeUInt32LE(crc32c(unit.subarray(0, 92)), 92);
        else unit.writeUInt32LE(frameCrc(unit), 64);
        // A bit of the checksum field itself is mended by this.
        if (unit.equals(bytes)) return;
        const { batch, stop } = prove(made, forged);
        if (batch.to.lsn === lsn) {
          expect(stop).not.toBeNull();
          return;
        }
        // It passed by itself: the checksum was all that stood for it, and now the hash does.
        expect(kind).toBe('commits');
        expect(batch.to.lsn).toBe(after.lsn);
        const next = made.units[at + 1];
        expect(next === undefined ? stop : rulesOf(stop)).toBe(
          next === undefined ? null : 'P5-I4 historyIsContinuous',
        );
        if (next === undefined) expect(batch.to.historyHash).not.toBe(after.historyHash);
      }),
      runs(400),
    );
  });

  test('P5-I11: cut at any byte it is torn there, and nothing else; all before it is proved', () => {
    fc.assert(
      fc.property(walOf({ stepsMax: 4 }), (made) => {
        for (let length = 0; length <= made.wal.length; length += 1) {
          const { batch, stop } = prove(made, made.wal.subarray(0, length));
          const whole = made.units.findLast(({ after }) => after.lsn <= length)?.after.lsn ?? 0;
          expect(batch.to.lsn).toBe(whole);
          if (length === whole) expect(stop).toBeNull();
          else
            expect(stop === null ? null : stopEvidence(stop)).toMatchObject({
              kind: 'torn',
              rule: 'P5-I11 unitIsWhole',
              lsn: whole,
              evidence: { found: { bytes_available: length - whole } },
            });
        }
      }),
      runs(12),
    );
  });

  test('P5-I4: whatever was done to the bytes, what is proved is a prefix of what was written', () => {
    fc.assert(
      fc.property(
        walOf({ stepsMax: 5 }),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        (made, damages) => {
          const bytes = damaged(made.wal, damages);
          const { batch, units } = prove(made, bytes);
          const { lsn } = batch.to;
          expect(bytes.subarray(0, lsn).equals(made.wal.subarray(0, lsn))).toBe(true);
          expect(lsn === 0 || made.units.some(({ after }) => after.lsn === lsn)).toBe(true);
          expect(units.length * FRAME_HEADER_BYTES).toBeLessThanOrEqual(bytes.length);
        },
      ),
      runs(500),
    );
  });

  test('arbitrary bytes at any place of a chain: a documented stop, and no more work than there are bytes', () => {
    const chain = fc.record({
      commitId: smallerCount,
      lsn: smallerCount,
      historyHash: hash,
      clusterId: uuid,
      segmentIndex: count,
      segmentStartLsn: fc.constant(0),
      expects: fc.constantFrom('segment header' as const, 'frame' as const),
    });
    const begins = fc.constantFrom('', 'RWF1', 'RPLCHRT1', 'RPN1').map((text) => Buffer.from(text));
    fc.assert(
      fc.property(chain, begins, bytesOf({ maxLength: 300 }), (from, head, rest) => {
        const bytes = Buffer.concat([head, rest]);
        const { batch, stop } = ProvenBatch.prove(from, bytes);
        expect(batch.to).toEqual(from);
        expect(stop === null).toBe(bytes.length === 0);
        if (stop === null) return;
        const evidence = stopEvidence(stop);
        expect(evidence.rule).toMatch(/^P5-I\d+ \w+$/);
        // Evidence is JSON without loss: NaN and undefined have no place in it.
        expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
      }),
      runs(1500),
    );
  });

  test('payloads of arbitrary bytes and counts: a fault inside the frame, or commits that fill it exactly', () => {
    const commit = (commitId: number, operations: Buffer) => {
      const header = Buffer.alloc(16);
      header.writeUInt32LE(commitId, 0);
      header.writeUInt32LE(16 + operations.length, 8);
      header.writeUInt32LE(1, 12);
      return Buffer.concat([header, operations]);
    };
    const lengths = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3), bytesOf({ maxLength: 16 }));
    const nearlyRight = lengths.map(([op, collection, id, document, rest]) =>
      commit(1, Buffer.concat([Buffer.from([op, collection, id, 0, document, 0, 0, 0, 0, 0, 0, 0]), rest])),
    );
    fc.assert(
      fc.property(
        fc.oneof(bytesOf({ maxLength: 200 }), nearlyRight),
        fc.oneof(u32, fc.constant(1)),
        (payload, commits) => {
          const frame = Buffer.concat([Buffer.alloc(72), payload]);
          const fault = inspectPayload(frame, 1, commits);
          if (fault !== null) {
            expect(fault.offset).toBeGreaterThanOrEqual(72);
            expect(JSON.parse(JSON.stringify(fault))).toEqual(fault);
            return;
          }
          const places = [...commitsOf(frame)];
          expect(places.map(({ commitId }) => commitId)).toEqual(places.map((_, index) => 1 + index));
          expect(places.length).toBe(commits);
          let at = 72;
          for (const place of places) {
            expect(place.offset).toBe(at);
            const operations = [...operationsOf(frame, place)];
            expect(operations.length).toBe(place.operations);
            for (const { offset, bytes } of operations) {
              const record = readOperation(frame.subarray(offset, offset + bytes), place.commitId);
              expect([OP_PUT, OP_DELETE]).toContain(record?.op);
              expect(Math.min(record?.collection.length ?? 0, record?.id.length ?? 0)).toBeGreaterThan(0);
            }
            at += place.bytes;
          }
          expect(at).toBe(frame.length);
        },
      ),
      runs(1500),
    );
  });
});
