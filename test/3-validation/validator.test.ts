import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ReplichartError } from '../../src/index.ts';
import { rejection, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { halted, inState, scriptedReplica, until, validatedLsn } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { flipped, forged, unitsOf } from '../support/wal-forge.ts';

describe('the validator of a replica', () => {
  test('proves what was received', async () => {
    const wal = await recordedWal(20);
    const { replica } = await scriptedReplica(() => ({ chunks: () => chunked(wal, 333) }));
    const { context } = await validatedLsn(replica, wal.length);
    expect(context.validated).toMatchObject({ commitId: 20, lsn: wal.length });
    expect(context.halt).toBeNull();
  });

  test('F-V1: a checksum mismatch halts, reads are refused, rule and position are named, the bytes are kept', async () => {
    const wal = await recordedWal(6);
    const [, , third] = unitsOf(wal).filter(({ kind }) => kind === 'commits') as {
      lsn: number;
      bytes: number;
    }[];
    const { lsn, bytes } = third as { lsn: number; bytes: number };
    const bad = flipped(wal, (lsn + 80) * 8);
    const { replica, dataDir } = await scriptedReplica(() => ({ chunks: () => chunked(bad, 10_000) }));
    const { context } = await halted(replica);
    expect(context.halt).toMatchObject({
      code: 'WAL_CORRUPT',
      invariant: 'P5-I5',
      rule: 'P5-I5 checksumMatches',
      evidence: {
        file: '00000000000000000000.wal',
        byte: lsn,
        lsn,
        unit: 'frame',
        expected: { crc32c: expect.stringMatching(/^[0-9a-f]{8}$/) as string },
        found: { crc32c: expect.stringMatching(/^[0-9a-f]{8}$/) as string },
        bytes_kept_in: 'evidence/WAL_CORRUPT-1',
      },
    });
    expect(await readFile(join(dataDir, 'evidence', 'WAL_CORRUPT-1'))).toEqual(
      bad.subarray(lsn, lsn + bytes),
    );
    expect(await rejection(replica.read(async () => null))).toBeInstanceOf(ReplichartError);
    expect(context.validated?.commitId ?? 0).toBeLessThanOrEqual(2);
  });

  test('F-V3: a history hash mismatch with a right checksum is divergence', async () => {
    const wal = await recordedWal(4);
    const [, second] = unitsOf(wal).filter(({ kind }) => kind === 'commits') as { lsn: number }[];
    const lie = forged(wal, (second as { lsn: number }).lsn, (unit) => unit.fill(9, 32, 64));
    const { replica } = await scriptedReplica(() => ({ chunks: () => chunked(lie, 10_000) }));
    expect((await halted(replica)).context.halt).toMatchObject({
      code: 'HISTORY_DIVERGED',
      invariant: 'P5-I4',
      rule: 'P5-I4 historyIsContinuous',
    });
  });

  test('P5-I11: the verdict depends on the bytes alone, not on how they arrived', async () => {
    const wal = await recordedWal(8);
    const bad = flipped(wal, (wal.length - 300) * 8);
    const halts = [];
    for (const size of [1, 97, 100_000]) {
      const { replica } = await scriptedReplica(() => ({ chunks: () => chunked(bad, size) }));
      halts.push(JSON.stringify((await halted(replica)).context.halt));
    }
    expect(new Set(halts).size).toBe(1);
  });

  test('F-R2: bytes that were received and not validated are validated after a restart', async () => {
    const wal = await recordedWal(5);
    const first = await scriptedReplica(() => ({ chunks: () => chunked(wal, 400) }));
    await validatedLsn(first.replica, wal.length);
    await first.replica.stop();
    const again = await scriptedReplica(() => ({}), first.dataDir);
    const { context } = await until(again.replica, inState('replicating.ingesting.receiving'), 'attachment');
    expect(context.validated).toMatchObject({ lsn: wal.length, commitId: 5 });
    expect(context.attachment?.requested).toEqual({
      lsn: wal.length,
      commitId: 5,
      historyHash: context.validated?.historyHash,
    });
  });

  test('P5-I14, P5-I15: received and validated are shown apart, and a halt with its cause', async () => {
    const wal = await recordedWal(3);
    const dataDir = await temporaryDirectory();
    const bad = flipped(wal, (wal.length - 5) * 8);
    const replica = await startReplica(
      { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled', listen: '127.0.0.1:0' },
      { walSource: scriptedSource(() => ({ chunks: () => chunked(bad, 10_000) })) },
    );
    const { context } = await halted(replica);
    const data = async (path: string) =>
      ((await (await fetch(`${replica.url}${path}`)).json()) as { data: unknown }).data;
    expect(await data('/v1/wal')).toEqual({
      wal_received_lsn: wal.length,
      wal_validated_lsn: 0,
      wal_applied_lsn: 0,
      validated_commit_id: 0,
      applied_commit_id: 0,
      history_hash: '0'.repeat(64),
      primary_durable_lsn: null,
      primary_commit_id: null,
      oldest_lsn: 0,
      segments: [{ file: '00000000000000000000.wal', start_lsn: 0, bytes: wal.length }],
      next_after: null,
    });
    expect(await data('/v1/replication')).toMatchObject({
      replica_state: 'ReplicationHalted',
      read_safety: 'Unsafe',
      blocking_reason: 'WAL_CORRUPT',
      failure: { rule: 'P5-I5 checksumMatches', evidence: context.halt?.evidence },
    });
  });

  test('P5-I5: nothing of WAL that is not proved can be seen, though it was received', async () => {
    const wal = await recordedWal(5);
    const bad = flipped(wal, 170 * 8);
    const { replica } = await scriptedReplica(() => ({ chunks: () => chunked(bad, 10_000) }));
    const { context } = await halted(replica);
    expect([context.receivedLsn, context.validated?.lsn, context.applied?.commitId]).toEqual([
      wal.length,
      0,
      0,
    ]);
    expect(await rejection(replica.read((view) => view.get('c', 'k1')))).toMatchObject({
      code: 'READS_BLOCKED',
    });
  });
});
