/** What the faults of this room have found, each as its own small case. */
import { describe, expect, test } from 'vitest';
import { SimulatedDisk, systemError } from '../../scripts/simulate/disk.ts';
import { EVERYTHING, SYNCED } from '../../scripts/simulate/survivors.ts';
import { rejection } from '../support/nodes.ts';
import { appliedLsn, halted, inState } from '../support/replicas.ts';
import { flipped } from './rot.ts';
import { caughtUp, standingPrimary } from './scenarios-replica.ts';
import { commitOf, HOME, primaryOn, replicaOn } from './simulated-nodes.ts';

const SNAPSHOTS = `${HOME}/snapshots`;

describe('F-D1: a snapshot whose name was not synced', () => {
  test('is refused when it is asked for again, also where the next fsync would succeed', async () => {
    const disk = new SimulatedDisk();
    const primary = await primaryOn(disk);
    await primary.commit(commitOf(1));
    let left = 1;
    disk.inject = ({ name, path }) =>
      name === 'syncDirectory' && path === SNAPSHOTS && left-- > 0
        ? { error: systemError('EIO', path) }
        : undefined;
    for (let times = 0; times < 2; times += 1)
      expect(await rejection(primary.createSnapshot())).toMatchObject({
        code: 'STORAGE_FAILED',
        evidence: { error: { code: 'EIO' } },
      });
    expect((await primary.commit(commitOf(2))).commitId).toBe(2);
    await primary.stop();
  });

  test('is synced by the next start, before it is given out', async () => {
    const disk = new SimulatedDisk();
    const primary = await primaryOn(disk);
    await primary.commit(commitOf(1));
    disk.inject = ({ name, path }) => (name === 'syncDirectory' && path === SNAPSHOTS ? 'crash' : undefined);
    await Promise.race([primary.createSnapshot(), disk.crashed]);
    // The process died, the machine did not: the name is there and not durable.
    disk.inject = () => undefined;
    const next = disk.after(EVERYTHING);
    const again = await primaryOn(next);
    expect(next.operations.filter(({ path }) => path === SNAPSHOTS)).toEqual([
      expect.objectContaining({ name: 'syncDirectory' }),
    ]);
    const { snapshotId } = await again.createSnapshot();
    await again.stop();
    const restarted = await primaryOn(next.after(SYNCED));
    expect(await restarted.snapshots.list()).toEqual([snapshotId]);
    await restarted.stop();
  });
});

test('P5-I4: a replica that stands behind the segment header at its cut halts where that header is cut short', async () => {
  const still = await standingPrimary(2, 2);
  const disk = new SimulatedDisk();
  const replica = await replicaOn({ disk, bootstrap: 'snapshot', primary: () => still.primary });
  await caughtUp(replica, still);
  await appliedLsn(replica, still.primary.history().durable.lsn);
  await replica.stop();
  const wal = [...disk.contents().keys()].find((path) => path.startsWith(`${HOME}/wal/`)) as string;
  for (const bytes of [0, 1, 95]) {
    const damaged = disk.after(EVERYTHING);
    damaged.damage(wal, (found) => found.subarray(0, bytes));
    const again = await replicaOn({ disk: damaged, primary: () => still.primary });
    const { context } = await halted(again);
    expect(context.halt).toMatchObject({ code: 'WAL_CORRUPT', rule: 'P5-I4 prefixIsProven' });
    expect(damaged.bytesOf(wal)).toHaveLength(bytes);
    await again.stop();
  }
});

test('P5-I4: a frame that goes on behind the end of durable history is not waited for: the replica halts', async () => {
  const still = await standingPrimary(3, 0);
  const frameAt = still.primary.history().durable.lsn - frameBytes(still.wal);
  const rotten = flipped(still.wal, (frameAt + 6) * 8);
  const primary = {
    ...still.primary,
    get identity() {
      return still.primary.identity;
    },
    readWal: (lsn: number, size: number) => Promise.resolve(rotten.subarray(lsn, lsn + size)),
  };
  const disk = new SimulatedDisk();
  const replica = await replicaOn({ disk, primary: () => primary });
  const { context } = await halted(replica);
  expect(context.halt).toMatchObject({
    code: 'WAL_DISORDERED',
    rule: 'P5-I4 receivedIsInOrder',
    evidence: {
      expected_lsn: frameAt,
      chunk_gap: {
        expected_lsn: frameAt + rotten.readUInt32LE(frameAt + 4),
        found_lsn: still.wal.length,
      },
    },
  });
  const kept = context.evidenceFile as string;
  expect(disk.bytesOf(`${HOME}/${kept}`)).toEqual(rotten.subarray(frameAt));
  expect(inState('halted.resting')(replica.snapshot())).toBe(true);
  await replica.stop();
});

/** The size of the last frame: it is the one whose own size leads to the end. */
function frameBytes(wal: Buffer): number {
  for (let bytes = 8; bytes < wal.length; bytes += 1)
    if (wal.readUInt32LE(wal.length - bytes + 4) === bytes) return bytes;
  throw new Error('no frame leads to the end');
}
