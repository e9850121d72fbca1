import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENESIS, positionOf, samePosition } from '../../src/core/position.ts';
import {
  advance,
  chainAtCut,
  chainAtSegment,
  genesisChain,
  isFrameSize,
  observeUnit,
  unitBytes,
  type ChainState,
} from '../../src/core/wal/chain.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { readSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { bytesOf, checkpoint, cut, position, u32, uuid } from './arbitraries.ts';
import { chain } from './facts.ts';
import { walOf } from './generated-wal.ts';
import { runs } from './runs.ts';

describe('positions and the chain of units', () => {
  test('two positions are the same exactly when all three numbers are', () => {
    const one = fc.record({
      commitId: fc.nat(2),
      lsn: fc.nat(2),
      historyHash: fc.constantFrom('0'.repeat(64), 'f'.repeat(64)),
    });
    fc.assert(
      fc.property(fc.oneof(one, position), one, (left, right) => {
        expect(samePosition(left, right)).toBe(JSON.stringify(left) === JSON.stringify(right));
        expect(samePosition(left, { ...left })).toBe(true);
        expect(samePosition(left, right)).toBe(samePosition(right, left));
      }),
      runs(400),
    );
    fc.assert(
      fc.property(checkpoint, (of) => {
        expect(Object.keys(positionOf(of))).toEqual(['commitId', 'lsn', 'historyHash']);
        expect(samePosition(positionOf(of), of)).toBe(true);
      }),
      runs(50),
    );
  });

  test('P5-I4, P5-I6: unit by unit the chain moves by what the unit holds, and by nothing else', () => {
    fc.assert(
      fc.property(walOf({ stepsMax: 7 }), ({ clusterId, wal, units }) => {
        let at = genesisChain(clusterId);
        expect(positionOf(at)).toEqual(GENESIS);
        let segment = { index: 0, startLsn: 0 };
        for (const { kind, lsn, bytes, after } of units) {
          expect(at).toMatchObject({
            lsn,
            clusterId,
            segmentIndex: segment.index,
            segmentStartLsn: segment.startLsn,
            expects: kind === 'header' ? 'segment header' : 'frame',
          });
          expect(unitBytes(at, wal, lsn)).toBe(bytes.length);
          const whole = advance(observeUnit(at, wal, lsn, 'whole'));
          expect(positionOf(whole)).toEqual(after);
          expect([whole.lsn > at.lsn, whole.commitId >= at.commitId]).toEqual([true, true]);
          // The framing alone moves the same, and says that it knows no hash where it computed none.
          const framed = advance(observeUnit(at, wal, lsn, 'framing'));
          expect(framed).toEqual(kind === 'header' ? whole : { ...whole, historyHash: '' });
          if (kind === 'seal') segment = { index: segment.index + 1, startLsn: after.lsn };
          at = whole;
        }
      }),
      runs(100),
    );
  });

  test('P5-I9: the chain at a cut, and at the header that stands there, is the one that walked to it', () => {
    fc.assert(
      fc.property(walOf({ stepsMax: 6 }), ({ clusterId, wal, units }) => {
        let at = genesisChain(clusterId);
        for (const { kind, lsn } of units) {
          if (kind === 'header') {
            expect(chainAtSegment(readSegmentHeader(wal, lsn))).toEqual(at);
            expect(chainAtCut(clusterId, at)).toEqual(at);
            const { batch, stop } = ProvenBatch.prove(chainAtCut(clusterId, at), wal.subarray(lsn));
            expect([stop, batch.to.lsn]).toEqual([null, wal.length]);
          }
          at = advance(observeUnit(at, wal, lsn, 'whole'));
        }
      }),
      runs(60),
    );
    fc.assert(
      fc.property(uuid, cut, (clusterId, where) => {
        const { segmentStartLsn, expects, ...rest } = chainAtCut(clusterId, where);
        expect(rest).toEqual({ ...where, clusterId });
        expect([segmentStartLsn, expects]).toEqual([where.lsn, 'segment header']);
      }),
      runs(50),
    );
  });

  test('P5-I4: proving in pieces of any size comes to the same place as proving at once', () => {
    fc.assert(
      fc.property(walOf({ stepsMax: 5 }), fc.array(fc.nat(400), { maxLength: 10 }), (made, sizes) => {
        const whole = ProvenBatch.prove(genesisChain(made.clusterId), made.wal);
        let at: ChainState = genesisChain(made.clusterId);
        const frames: number[] = [];
        for (const end of [...sizes.map((size) => size % (made.wal.length + 1)), made.wal.length]) {
          if (end < at.lsn) continue;
          const { batch } = ProvenBatch.prove(at, made.wal.subarray(at.lsn, end));
          frames.push(...batch.frames.map(({ lsn }) => lsn));
          at = batch.to;
        }
        expect(at).toEqual(whole.batch.to);
        expect(frames).toEqual(whole.batch.frames.map(({ lsn }) => lsn));
      }),
      runs(100),
    );
  });

  test('the size of a unit: its own word where that is possible, its header where it is not, none where it is cut', () => {
    fc.assert(
      fc.property(chain, u32, bytesOf({ maxLength: 120 }), fc.boolean(), (at, size, bytes, isFrame) => {
        if (isFrame) bytes.write('RWF1', 'latin1');
        if (bytes.length >= 8) bytes.writeUInt32LE(size, 4);
        const found = unitBytes(at, bytes, 0);
        if (at.expects === 'segment header') expect(found).toBe(bytes.length >= 96 ? 96 : null);
        else if (bytes.length < 72) expect(found).toBeNull();
        else
          expect(found).toBe(
            bytes.toString('latin1', 0, 4) === 'RWF1' && size >= 72 && size <= 4_194_304 ? size : 72,
          );
        expect(isFrameSize(size)).toBe(size >= 72 && size <= 4_194_304);
      }),
      runs(500),
    );
    expect([71, 72, 4_194_304, 4_194_305].map(isFrameSize)).toEqual([false, true, true, false]);
  });

  test('P5-I5: nothing is a proven batch that was not proved, whatever it looks like', () => {
    fc.assert(
      fc.property(chain, fc.anything(), (at, anything) => {
        const { batch } = ProvenBatch.prove(at, Buffer.alloc(0));
        expect(ProvenBatch.isProven(batch)).toBe(true);
        const { from, to, frames } = batch;
        expect(ProvenBatch.isProven(anything)).toBe(false);
        expect(ProvenBatch.isProven({ from, to, frames })).toBe(false);
        expect(ProvenBatch.isProven(Object.create(batch))).toBe(false);
      }),
      runs(200),
    );
  });
});
