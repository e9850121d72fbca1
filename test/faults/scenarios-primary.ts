import { expect } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { hex, sha256 } from '../../src/core/bytes.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { Scenario } from './crash-points.ts';
import { commitOf, expectHistory, primaryOn } from './simulated-nodes.ts';

/** What a client of the primary knows. */
export interface Acknowledged {
  /** The last commit that was acknowledged. */
  commits: number;
  /** The last one that was asked for. */
  asked: number;
  snapshots: string[];
}

const told = (): Acknowledged => ({ commits: 0, asked: 0, snapshots: [] });

async function recover(disk: SimulatedDisk, { commits, asked, snapshots }: Acknowledged): Promise<void> {
  const primary = await primaryOn(disk);
  const { commitId } = primary.history().durable;
  expect(commitId, 'acknowledged commits are there').toBeGreaterThanOrEqual(commits);
  expect(commitId, 'nothing is there that nobody asked for').toBeLessThanOrEqual(asked);
  expect(primary.applied()?.commitId).toBe(commitId);
  await expectHistory(primary, commitId);
  expect(await primary.snapshots.list()).toEqual(expect.arrayContaining(snapshots));
  for (const id of await primary.snapshots.list()) await expectWhole(primary, id);
  await primary.stop();
}

/** A snapshot that is listed is whole, block by block. */
async function expectWhole({ snapshots }: PrimaryNode, id: string): Promise<void> {
  const { blocks } = await snapshots.manifest(id);
  for (const { index, sha256: expected } of blocks)
    expect(hex(sha256(await snapshots.block(id, index))), `block ${index} of snapshot ${id}`).toBe(expected);
}

/** Commit ids go on where durable history ends. */
async function finish(disk: SimulatedDisk): Promise<void> {
  const primary = await primaryOn(disk);
  const next = primary.history().durable.commitId + 1;
  expect((await primary.commit(commitOf(next))).commitId).toBe(next);
  await expectHistory(primary, next);
  await primary.stop();
}

/** A new primary, alone and in groups; a segment that is ended by a snapshot; and more behind it. */
export const primaryWrites: Scenario<Acknowledged> = {
  name: 'a primary writes, rolls its segment and makes a snapshot',
  before: () => Promise.resolve(new SimulatedDisk()),
  tell: told,
  run: async (disk, heard) => {
    const primary = await primaryOn(disk);
    const commit = async (commitId: number) => {
      heard.asked = commitId;
      await primary.commit(commitOf(commitId));
      heard.commits = Math.max(heard.commits, commitId);
    };
    await commit(1);
    await commit(2);
    await Promise.all([commit(3), commit(4)]);
    heard.snapshots.push((await primary.createSnapshot()).snapshotId);
    await commit(5);
    await primary.stop();
  },
  recover,
  finish,
};
