import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Primary } from '../../src/index.ts';
import { rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, detached } from '../support/replicas.ts';
import { commitTo, digestOf, expectViews, replicaOf } from '../support/histories.ts';

const primaryOn = (dataDir: string): Promise<Primary> =>
  startPrimary({ dataDir, listen: '127.0.0.1:0', replication: 'enabled' });

const filesOf = (dataDir: string, directory: string) => readdir(join(dataDir, directory));

/** Three snapshots of thirty commits, and a segment for each of them. */
async function primaryWithHistory() {
  const dataDir = await temporaryDirectory();
  const primary = await primaryOn(dataDir);
  const snapshots: string[] = [];
  for (const n of [10, 20, 30]) {
    await commitTo(primary, n);
    snapshots.push((await primary.createSnapshot()).snapshotId);
  }
  await commitTo(primary, 34);
  return { dataDir, primary, snapshots };
}

describe('a primary', () => {
  test('goes on with every view of before, in less space, also after a restart', async () => {
    const { dataDir, primary } = await primaryWithHistory();
    const before = await digestOf(primary, 34);
    const wal = await filesOf(dataDir, 'wal');
    const pruned = await primary.prune();
    expect(pruned).toMatchObject({ cut: { commitId: 10, segmentIndex: 1 }, segments: 1 });
    expect(await filesOf(dataDir, 'wal')).toEqual(wal.slice(1));
    expect(await filesOf(dataDir, 'base')).toEqual(['10.base']);
    await expectViews(primary, 1, 34);
    expect(await digestOf(primary, 34)).toBe(before);
    expect(await primary.prune()).toMatchObject({ cut: pruned.cut, segments: 0, bytes: 0 });

    await commitTo(primary, 36);
    await primary.stop();
    const again = await primaryOn(dataDir);
    await expectViews(again, 1, 36);
    expect(await digestOf(again, 34)).toBe(before);
  });

  test('never behind its oldest snapshot; once that is removed, up to the next one, from base file to base file', async () => {
    const { dataDir, primary, snapshots } = await primaryWithHistory();
    const before = await digestOf(primary, 34);
    await primary.prune();
    for (const [place, cut] of [
      [0, 20],
      [1, 30],
    ] as const) {
      await primary.removeSnapshot(snapshots[place] as string);
      expect(await primary.prune()).toMatchObject({ cut: { commitId: cut }, segments: 1 });
      expect(await filesOf(dataDir, 'base')).toEqual([`${cut}.base`]);
      await expectViews(primary, 1, 34);
      expect(await digestOf(primary, 34)).toBe(before);
    }
    expect(await filesOf(dataDir, 'snapshots')).toEqual(['30']);
    expect(await filesOf(dataDir, 'wal')).toHaveLength(1);
    await primary.stop();
    await expectViews(await primaryOn(dataDir), 1, 34);
  });

  test('without a snapshot is not pruned: no replica could begin any more', async () => {
    const primary = await primaryOn(await temporaryDirectory());
    await commitTo(primary, 3);
    expect(await rejection(primary.prune())).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('keeps the commits that somebody still asks for', async () => {
    const { primary, snapshots } = await primaryWithHistory();
    await primary.removeSnapshot(snapshots[0] as string);
    expect(await primary.prune({ upTo: 9 })).toMatchObject({ cut: null, segments: 0 });
    expect(await primary.prune({ upTo: 19 })).toMatchObject({ cut: { commitId: 10 }, segments: 1 });
  });
});

describe('a replica', () => {
  test('P5-I7, P5-I8: is pruned by itself, and holds the same state as its primary', async () => {
    const { primary } = await primaryWithHistory();
    const dataDir = await temporaryDirectory();
    const replica = await replicaOf(primary, dataDir);
    await appliedCommit(replica, 34);
    expect(await replica.prune()).toMatchObject({ cut: { commitId: 30 }, segments: 3 });
    await expectViews(replica, 1, 34);
    expect(await digestOf(replica, 34)).toBe(await digestOf(primary, 34));

    await commitTo(primary, 40);
    await appliedCommit(replica, 40);
    await replica.stop();
    const again = await replicaOf(primary, dataDir);
    await commitTo(primary, 44);
    await appliedCommit(again, 44);
    await expectViews(again, 1, 44);
    expect(await digestOf(again, 44)).toBe(await digestOf(primary, 44));
  });

  test('P5-I9: that needs pruned history is told so, and begins again from a snapshot', async () => {
    const { primary } = await primaryWithHistory();
    await primary.prune();
    const late = await replicaOf(primary);
    expect((await detached(late)).context.detachment).toMatch(/^WAL_PRUNED: /);
    await late.stop();
    const begun = await replicaOf(primary, null, 'snapshot');
    await appliedCommit(begun, 34);
    await expectViews(begun, 30, 34);
  });
});
