import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstViolation } from '../../src/core/checks/check.ts';
import { UNIT_CHECKS } from '../../src/core/checks/wal.ts';
import { stopEvidence } from '../../src/core/recovery/survey.ts';
import { genesisChain } from '../../src/core/wal/chain.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { CLUSTER, OTHER_CLUSTER } from '../support/nodes.ts';
import { recordedWal } from '../support/sources.ts';
import { flipped, forged, unitsOf } from '../support/wal-forge.ts';
import { uuidToBytes } from '../../src/core/bytes.ts';

const prove = (wal: Buffer) => ProvenBatch.prove(genesisChain(CLUSTER), wal);
const small = recordedWal(3);
const sealed = recordedWal(3, { segmentBytesMax: 4_194_400, bytes: 2_200_000 });
// Nodes end with the test that they were started in: one that still records when the first test ends would be stopped.
await Promise.all([small, sealed]);

describe('P5-I5: only proven WAL goes on', () => {
  test('good WAL is proved to its end, however it is cut into pieces', async () => {
    const wal = await small;
    const whole = prove(wal);
    expect([whole.stop, whole.batch.to.lsn, whole.batch.to.commitId, whole.batch.frames.length]).toEqual([
      null,
      wal.length,
      3,
      3,
    ]);
    for (let cut = 1; cut < wal.length; cut += 1) {
      const first = prove(wal.subarray(0, cut));
      const second = ProvenBatch.prove(first.batch.to, wal.subarray(first.batch.to.lsn));
      expect(second.batch.to).toEqual(whole.batch.to);
    }
  });

  test('F-V1, P5-I5: every flipped bit is found, at the unit that it stands in', async () => {
    const wal = await small;
    const units = unitsOf(wal);
    for (let bit = 0; bit < wal.length * 8; bit += 1) {
      const { batch, stop } = prove(flipped(wal, bit));
      const unit = units.find(({ lsn, bytes }) => bit >> 3 >= lsn && bit >> 3 < lsn + bytes);
      // A frame size that grew makes the frame look incomplete; that is found too, at the same place.
      expect(stop, `bit ${bit}`).not.toBeNull();
      expect(batch.to.lsn, `bit ${bit}`).toBe(unit?.lsn);
    }
  });

  test('P5-I11: a truncation at every byte ends before the unit that it cuts', async () => {
    const wal = await small;
    const units = unitsOf(wal);
    for (let length = 0; length < wal.length; length += 1) {
      const { batch, stop } = prove(wal.subarray(0, length));
      const boundary = units.findLast(({ lsn, bytes }) => lsn + bytes <= length);
      expect(batch.to.lsn).toBe(boundary === undefined ? 0 : boundary.lsn + boundary.bytes);
      expect(stop?.kind ?? 'clean').toBe(batch.to.lsn === length ? 'clean' : 'incomplete');
    }
  });

  test('P5-I5: arbitrary bytes never crash the validator, and are never proved (seed 5)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const { batch } = prove(Buffer.from(bytes));
        return batch.frames.length === 0 && batch.to.lsn === 0;
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  test('P5-I5: arbitrary payloads in a frame with a right checksum never crash it (seed 6)', async () => {
    const wal = await small;
    const [, frame] = unitsOf(wal) as [unknown, { lsn: number; bytes: number }];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: frame.bytes - 72, maxLength: frame.bytes - 72 }), (payload) => {
        const lie = forged(wal, frame.lsn, (unit) => unit.set(payload, 72)).subarray(
          0,
          frame.lsn + frame.bytes,
        );
        return prove(lie).batch.to.lsn === frame.lsn;
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});

describe('a primary that lies with right checksums is caught by the rule that it breaks', () => {
  type Forgery = [
    string,
    string,
    'header' | 'commits' | 'seal',
    (unit: Buffer) => void,
    Record<string, unknown>,
  ];
  const forgeries: Forgery[] = [
    [
      'P5-I5 unitIsFramed',
      'an unknown kind',
      'commits',
      (unit) => unit.writeUInt32LE(9, 28),
      { found: { kind: 9 } },
    ],
    [
      'P5-I5 unitIsFramed',
      'a reserved field in use',
      'commits',
      (unit) => unit.writeUInt32LE(1, 68),
      { found: { reserved: 1 } },
    ],
    [
      'P5-I5 unitIsFramed',
      'another format version',
      'header',
      (unit) => unit.writeUInt32LE(2, 12),
      { found: { format_version: 2 } },
    ],
    [
      'P5-I4 clusterIsOurs',
      'another cluster',
      'header',
      (unit) => uuidToBytes(OTHER_CLUSTER).copy(unit, 16),
      { found: { cluster_id: OTHER_CLUSTER } },
    ],
    [
      'P5-I4 unitIsInOrder',
      'another LSN',
      'commits',
      (unit) => unit.writeBigUInt64LE(7n, 8),
      { found: { own_lsn: 7 } },
    ],
    [
      'P5-I4 unitIsInOrder',
      'an LSN beyond safe integers',
      'commits',
      (unit) => unit.writeBigUInt64LE(2n ** 60n, 8),
      { found: { own_lsn: null } },
    ],
    [
      'P5-I4 unitIsInOrder',
      'another segment index',
      'header',
      (unit) => unit.writeBigUInt64LE(9n, 32),
      { found: { segment_index: 9 } },
    ],
    [
      'P5-I4 historyIsContinuous',
      'F-V3: another history',
      'commits',
      (unit) => unit.fill(7, 32, 64),
      { found: { previous_hash: '07'.repeat(32) } },
    ],
    [
      'P5-I4 historyIsContinuous',
      'F-V3: another history in a header',
      'header',
      (unit) => unit.fill(7, 56, 88),
      { found: { history_hash: '07'.repeat(32) } },
    ],
    [
      'P5-I6 commitIdsAreDense',
      'a commit id left out',
      'commits',
      (unit) => unit.writeBigUInt64LE(9n, 16),
      { found: { first_commit_id: 9 } },
    ],
    [
      'P5-I6 commitIdsAreDense',
      'a commit id inside that is not the next',
      'commits',
      (unit) => unit.writeBigUInt64LE(9n, 72),
      { found: { commit_id: 9 } },
    ],
    [
      'P5-I6 commitIdsAreDense',
      'another first commit id in a seal',
      'seal',
      (unit) => unit.writeBigUInt64LE(9n, 16),
      { found: { first_commit_id: 9 } },
    ],
    [
      'P5-I5 payloadIsWellFormed',
      'an unknown operation',
      'commits',
      (unit) => (unit[88] = 3),
      { found: { op: 3 } },
    ],
    [
      'P5-I5 payloadIsWellFormed',
      'an empty id',
      'commits',
      (unit) => unit.writeUInt16LE(0, 90),
      { found: { id_bytes: 0 } },
    ],
    [
      'P5-I5 payloadIsWellFormed',
      'a document that is longer than its commit',
      'commits',
      (unit) => unit.writeUInt32LE(5_000_000, 92),
      { offset_in_frame: 4_200_107 },
    ],
    [
      'P5-I5 payloadIsWellFormed',
      'a commit without operations',
      'commits',
      (unit) => unit.writeUInt32LE(0, 84),
      { found: { operations: 0 } },
    ],
  ];
  test.each(forgeries)('%s: %s', async (rule, _name, kind, change, evidence) => {
    const wal = await sealed;
    const unit = unitsOf(wal).find((one) => one.kind === kind) as { lsn: number; bytes: number };
    const { batch, stop } = prove(forged(wal, unit.lsn, change).subarray(0, unit.lsn + unit.bytes));
    expect(batch.to.lsn).toBe(unit.lsn);
    const found = stop === null ? null : stopEvidence(stop);
    expect(found).toMatchObject({ rule, lsn: unit.lsn, byte: unit.lsn, file: '00000000000000000000.wal' });
    if (!('offset_in_frame' in evidence)) expect(found?.evidence).toMatchObject(evidence);
  });

  test('every unit check is broken by a forgery or a flipped bit here', async () => {
    const wal = await small;
    const broken = new Set(forgeries.map(([rule]) => rule));
    const { stop } = prove(flipped(wal, (wal.length - 1) * 8));
    if (stop?.kind === 'suspect') broken.add(firstViolation(UNIT_CHECKS, stop.facts)?.rule ?? '');
    expect([...broken].sort()).toEqual(UNIT_CHECKS.map(({ rule }) => rule).sort());
  });
});
