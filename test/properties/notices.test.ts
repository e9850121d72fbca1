import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stopEvidence } from '../../src/core/recovery/survey.ts';
import { genesisChain } from '../../src/core/wal/chain.ts';
import { decodeNotice, encodeNotice, NOTICE_BYTES, NoticeSplitter } from '../../src/core/wal/notice.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { decodeNoticeBytes } from '../support/independent-decoder.ts';
import { flipped } from '../support/wal-forge.ts';
import { bytesOf, damage, damaged, patch, patches, position } from './arbitraries.ts';
import { walOf } from './generated-wal.ts';
import { runs } from './runs.ts';

/** What a splitter made of bytes that came in pieces. */
function split(bytes: Buffer, cuts: readonly number[]) {
  const splitter = new NoticeSplitter();
  const wal: Buffer[] = [];
  const notices: { readonly behind: number; readonly position: unknown }[] = [];
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  let passed = 0;
  for (const end of ends) {
    for (const piece of splitter.split(bytes.subarray(from, end)))
      if (piece.kind === 'notice') notices.push({ behind: passed, position: piece.position });
      else {
        wal.push(piece.bytes);
        passed += piece.bytes.length;
      }
    from = end;
  }
  return { wal: Buffer.concat(wal), notices, held: splitter.held };
}

const cuts = fc.array(fc.nat(100_000), { maxLength: 12 });

describe('position notices on the stream', () => {
  test('round trip, and as a decoder from FORMAT.md alone reads it', () => {
    fc.assert(
      fc.property(position, (said) => {
        expect(decodeNotice(encodeNotice(said))).toEqual(said);
        expect(decodeNoticeBytes(encodeNotice(said))).toEqual(said);
      }),
      runs(200),
    );
  });

  test('F-V1: every flipped bit, every truncation and every byte more makes it no notice', () => {
    fc.assert(
      fc.property(position, fc.nat(255), (said, more) => {
        const bytes = encodeNotice(said);
        for (let bit = 0; bit < bytes.length * 8; bit += 1)
          expect(decodeNotice(flipped(bytes, bit)), `bit ${bit}`).toBeNull();
        for (let length = 0; length < bytes.length; length += 1)
          expect(decodeNotice(bytes.subarray(0, length))).toBeNull();
        expect(decodeNotice(Buffer.concat([bytes, Buffer.from([more])]))).toBeNull();
      }),
      runs(5),
    );
  });

  test('damage with the checksum made to fit: it is a notice exactly where FORMAT.md says so', () => {
    fc.assert(
      fc.property(position, patches(60, 3), (said, changes) => {
        const bytes = encodeNotice(said);
        patch(bytes, 60, changes);
        const found = decodeNotice(bytes);
        if (found === null) expect(() => decodeNoticeBytes(bytes)).toThrow();
        else expect(found).toEqual(decodeNoticeBytes(bytes));
      }),
      runs(500),
    );
  });

  test('between the units of any WAL, cut into any pieces: the WAL comes out as it is, every notice in its place', () => {
    fc.assert(
      fc.property(
        walOf({ stepsMax: 4 }),
        fc.array(fc.tuple(fc.nat(20), position)),
        cuts,
        (made, said, at) => {
          const ends = [0, ...made.units.map(({ after }) => after.lsn)];
          const placed = said
            .map(([any, of]) => ({ behind: ends[any % ends.length] as number, position: of }))
            .sort((a, b) => a.behind - b.behind);
          const stream: Buffer[] = [];
          let from = 0;
          for (const { behind, position: of } of placed) {
            stream.push(made.wal.subarray(from, behind), encodeNotice(of));
            from = behind;
          }
          stream.push(made.wal.subarray(from));
          const { wal, notices, held } = split(Buffer.concat(stream), at);
          expect(wal.equals(made.wal)).toBe(true);
          expect(notices).toEqual(placed);
          expect(held).toBe(0);
        },
      ),
      runs(150),
    );
  });

  test('P5-I4: a flipped bit of a notice makes WAL of it, which the checks of the receiver refuse at that very place', () => {
    fc.assert(
      fc.property(
        walOf({ stepsMax: 3 }),
        position,
        fc.nat(20),
        fc.nat(NOTICE_BYTES * 8 - 1),
        (made, said, any, bit) => {
          const ends = [0, ...made.units.map(({ after }) => after.lsn)];
          const at = ends[any % ends.length] as number;
          const stream = [made.wal.subarray(0, at), flipped(encodeNotice(said), bit), made.wal.subarray(at)];
          const { wal, notices } = split(Buffer.concat(stream), []);
          expect(notices).toEqual([]);
          const { batch, stop } = ProvenBatch.prove(genesisChain(made.clusterId), wal);
          expect(batch.to.lsn).toBe(at);
          // Its 64 bytes alone are not yet a unit; with more behind them they are one without its magic.
          const due = made.units.find(({ lsn }) => lsn === at)?.kind === 'header' ? 96 : 72;
          expect(stop === null ? null : stopEvidence(stop).rule).toBe(
            wal.length - at < due ? 'P5-I11 unitIsWhole' : 'P5-I5 unitIsFramed',
          );
        },
      ),
      runs(150),
    );
  });

  test('arbitrary and damaged streams in any pieces: nothing is lost or made, and no more is held than one notice', () => {
    const stream = fc.oneof(
      bytesOf({ maxLength: 300 }),
      fc
        .tuple(walOf({ stepsMax: 3 }), position, fc.array(damage, { maxLength: 3 }))
        .map(([{ wal }, said, damages]) =>
          damaged(Buffer.concat([wal.subarray(0, 96), encodeNotice(said), wal.subarray(96)]), damages),
        ),
    );
    fc.assert(
      fc.property(stream, cuts, (bytes, at) => {
        const { wal, notices, held } = split(bytes, at);
        expect(held).toBeLessThan(NOTICE_BYTES);
        expect(wal.length + notices.length * NOTICE_BYTES + held).toBe(bytes.length);
        const whole = split(bytes, []);
        expect({ notices, wal: wal.toString('hex') }).toEqual({
          notices: whole.notices,
          wal: whole.wal.toString('hex'),
        });
      }),
      runs(600),
    );
  });
});
