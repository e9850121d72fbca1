/** F-V1, F-V2, F-V3: what is received is wrong. */
import { expect } from 'vitest';
import { rejection } from '../../support/nodes.ts';
import {
  FIRST_SEGMENT,
  gateExplanation,
  haltBy,
  placesIn,
  recoveryExplanation,
  unreadExplanation,
  type GateSaid,
  type HaltSaid,
} from '../../support/expected-explanations.ts';
import { crc32c } from '../../support/independent-decoder.ts';
import {
  expectHaltingStep,
  expectRecorded,
  expectSaid,
  HALTED_EVENTS,
  served,
} from '../../support/observed.ts';
import { halted } from '../../support/replicas.ts';
import { servedReplica } from '../../support/served-nodes.ts';
import { chunked, recordedWal } from '../../support/sources.ts';
import { flipped, forged } from '../../support/wal-forge.ts';
import { fedReplica, following, type FedReplica, type Proof } from '../proof.ts';

const hex32 = (value: number) => value.toString(16).padStart(8, '0');

/** A node that halted on its way, seen from everywhere; said is what it had applied and received by then. */
async function expectHalted(
  { node, dataDir }: Pick<FedReplica, 'node' | 'dataDir'>,
  from: string,
  cause: HaltSaid,
  at: Pick<GateSaid, 'applied' | 'receivedLsn' | 'validated'>,
): Promise<void> {
  await halted(node);
  const halt = haltBy(cause);
  const gate: GateSaid = {
    state: 'halted.resting',
    ...at,
    halt,
    rules: '--++++',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  };
  await expectSaid((await served(node)).url, {
    gate: gateExplanation(gate),
    read: unreadExplanation(gate),
    replicaState: 'ReplicationHalted',
    allowed: HALTED_EVENTS,
  });
  expectHaltingStep(node, from, halt);
  await expectRecorded(dataDir, halt);
}

/**
 * One bit of the third commit's document is another on its way. The unit is received, because only its framing is looked
 * at then; validation computes another checksum than the unit carries. What must be said: which rule, in which file and
 * at which byte and LSN, both checksums, where the bytes are kept; and that what was applied before stands.
 */
export const checksumMismatch: Proof = async () => {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const [start, end] = [at(2).lsn, at(3).lsn];
  const bad = flipped(wal, (end - 1) * 8);
  const fed = await fedReplica(wal.subarray(0, start), 2, chunked(bad, wal.length, start));
  fed.feed();
  const frame = bad.subarray(start, end);
  const cause: HaltSaid = {
    code: 'WAL_CORRUPT',
    rule: 'P5-I5 checksumMatches',
    evidence: {
      file: FIRST_SEGMENT,
      byte: start,
      lsn: start,
      unit: 'frame',
      expected: { crc32c: hex32(crc32c(frame.subarray(0, 64), frame.subarray(72))) },
      found: { crc32c: hex32(frame.readUInt32LE(64)) },
      bytes_kept_in: 'evidence/WAL_CORRUPT-1',
    },
  };
  await expectHalted(fed, 'replicating.validating.provingChecksum', cause, {
    applied: at(2),
    validated: at(2),
    receivedLsn: wal.length,
  });
};

/**
 * Behind the second commit the stream goes on elsewhere: a frame is left out, comes again, or comes before the one that
 * it follows. Ingress stops at the first unit that names another LSN than where it would stand: nothing of it is written.
 * What must be said: the LSN that it should have and the one that it has, and that nothing was received.
 */
export const disorder: Proof = async () => {
  const wal = await recordedWal(6);
  const at = placesIn(wal);
  const commits = (...ids: readonly number[]) =>
    Buffer.concat(ids.map((id) => wal.subarray(id === 1 ? 96 : at(id - 1).lsn, at(id).lsn)));
  const startOf = (id: number) => (id === 1 ? 96 : at(id - 1).lsn);
  for (const [stream, found] of [
    [commits(4, 5, 6), 4], // a gap
    [commits(2, 3, 4), 2], // an overlap
    [commits(2), 2], // a duplicate
    [commits(4, 3, 5), 4], // a reordering
  ] as const) {
    const lsn = at(2).lsn;
    const fed = await fedReplica(wal.subarray(0, lsn), 2, [{ kind: 'wal', lsn, bytes: stream }]);
    fed.feed();
    const cause: HaltSaid = {
      code: 'WAL_DISORDERED',
      rule: 'P5-I4 receivedIsInOrder',
      evidence: {
        expected_lsn: lsn,
        found_lsn: lsn,
        chunk_gap: null,
        unit: {
          rule: 'P5-I4 unitIsInOrder',
          file: FIRST_SEGMENT,
          byte: lsn,
          lsn,
          unit: 'frame',
          expected: { own_lsn: lsn },
          found: { own_lsn: startOf(found) },
        },
        bytes_kept_in: 'evidence/WAL_DISORDERED-1',
      },
    };
    await expectHalted(fed, 'replicating.ingesting.provingOrder', cause, {
      applied: at(2),
      validated: at(2),
      receivedLsn: lsn,
    });
  }
};

/**
 * The primary sends a third commit that is whole and carries its checksum, but names another history before it. That is
 * divergence: no replay and no good stream afterwards heals it, only an operator ends the halt. What must be said: the
 * hash that this node holds and the one that was named; and by the next start, that it stays halted.
 */
export const divergence: Proof = async () => {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  const lie = forged(wal, lsn, (unit) => unit.fill(9, 32, 64));
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(lie, wal.length, lsn));
  fed.feed();
  const cause: HaltSaid = {
    code: 'HISTORY_DIVERGED',
    rule: 'P5-I4 historyIsContinuous',
    evidence: {
      file: FIRST_SEGMENT,
      byte: lsn,
      lsn,
      unit: 'frame',
      expected: { previous_hash: at(2).historyHash },
      found: { previous_hash: '09'.repeat(32) },
      bytes_kept_in: 'evidence/HISTORY_DIVERGED-1',
    },
  };
  await expectHalted(fed, 'replicating.validating.provingHistory', cause, {
    applied: at(2),
    validated: at(2),
    receivedLsn: wal.length,
  });
  await fed.node.stop();
  await staysHalted(fed.dataDir, wal, haltBy(cause));
};

/** A start after a halt, with a primary that is right again: it does not even look at the files. */
export async function staysHalted(
  dataDir: string,
  wal: Buffer,
  halt: ReturnType<typeof haltBy>,
): Promise<void> {
  const again = await servedReplica(following(wal), { dataDir });
  const gate: GateSaid = {
    state: 'halted.resting',
    applied: null,
    halt,
    rules: '--??++',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  };
  await expectSaid((await served(again)).url, {
    gate: gateExplanation(gate),
    read: unreadExplanation(gate),
    recovery: recoveryExplanation({
      recordedHalt: halt,
      found: null,
      rules: '-???',
      conclusion: {
        result: 'stays halted',
        reason: `${halt['code'] as string}: ${halt['message'] as string}`,
      },
    }),
    replicaState: 'ReplicationHalted',
    allowed: HALTED_EVENTS,
  });
  const step = again.transitions.read(0, Infinity).transitions.at(-1);
  expect([step?.to, step?.verdicts]).toEqual([
    'halted.resting',
    [
      {
        rule_id: 'P5-I10 noHaltIsRecorded',
        invariant: 'P5-I10',
        evaluation: 'violated',
        evidence: { file: 'halt', recorded: halt },
      },
    ],
  ]);
  expect(await rejection(again.gate.read(async () => null))).toMatchObject({ code: 'READS_BLOCKED' });
}
