/** Nodes that are pruned while they work, from history to a base file and from one base file to the next. */
import { expect } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import { verifyWal } from '../../src/io/wal/verify.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { inState } from '../support/replicas.ts';
import type { Scenario } from './crash-points.ts';
import { caughtUp, isAtRest, standingPrimary, type Still } from './scenarios-replica.ts';
import { commitOf, expectHistory, HOME, primaryOn, replicaOn, walOn } from './simulated-nodes.ts';

/** What whoever prunes a node knows of it. */
export interface Told {
  commits: number;
  asked: number;
  /** The cut of the last prune that was through. */
  cut: number;
}

const names = (disk: SimulatedDisk, directory: string) =>
  [...disk.contents().keys()]
    .filter((name) => name.startsWith(`${HOME}/${directory}/`))
    .map((name) => name.slice(HOME.length + 1));

/** A prune that is through stays so, and after any start nothing is there that its base file covers. */
function expectPruned(node: PrimaryNode | ReplicaNode, disk: SimulatedDisk, { cut }: Told): void {
  const { storage, wal } = node.files() ?? {};
  const baseCut = storage?.baseCut ?? 0;
  expect(baseCut, 'a prune that is through stays').toBeGreaterThanOrEqual(cut);
  const bases = names(disk, 'base').filter((name) => name <= `base/${baseCut}.base`);
  expect(bases, 'no base file of before').toEqual(baseCut === 0 ? [] : [`base/${baseCut}.base`]);
  const cutLsn =
    baseCut === 0 ? 0 : Number(disk.bytesOf(`${HOME}/base/${baseCut}.base`)?.readBigUInt64LE(40));
  expect(wal?.startLsn, 'no WAL that the base file covers').toBe(cutLsn);
}

/** What is read offline is never called corrupt, wherever a prune was interrupted; nothing is changed by that. */
async function expectNoDamage(disk: SimulatedDisk): Promise<void> {
  const directory = new DataDirectory(disk.after(EVERYTHING).files, HOME);
  const found = await directory.readIdentity();
  if (found.state !== 'present') throw new Error(`the identity is ${found.state}`);
  const { verdict, stop } = await verifyWal(directory, found.identity);
  expect([verdict, stop], 'wal verify').not.toContain('corrupt');
}

export async function commitNext(primary: PrimaryNode, heard: Told): Promise<void> {
  heard.asked = primary.history().durable.commitId + 1;
  heard.commits = (await primary.commit(commitOf(heard.asked))).commitId;
}

export async function pruned(node: PrimaryNode | ReplicaNode, heard: Told): Promise<void> {
  heard.cut = (await node.prune()).cut?.commitId ?? 0;
}

/** A primary with a segment that ends at each of its snapshots. */
async function primaryWithSnapshots(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const primary = await primaryOn(disk);
  for (let commitId = 1; commitId <= 6; commitId += 1) {
    await primary.commit(commitOf(commitId));
    if (commitId % 2 === 0) await primary.createSnapshot();
  }
  await primary.stop();
  return disk;
}

export async function primaryPrunes(): Promise<Scenario<Told>> {
  const before = await primaryWithSnapshots();
  return {
    name: 'a primary that is pruned twice and writes',
    before: () => Promise.resolve(before.after(EVERYTHING)),
    tell: () => ({ commits: 6, asked: 6, cut: 0 }),
    run: async (disk, heard) => {
      const primary = await primaryOn(disk);
      const pruning = pruned(primary, heard);
      await commitNext(primary, heard);
      await pruning;
      await primary.removeSnapshot('2');
      await pruned(primary, heard);
      await commitNext(primary, heard);
      await primary.stop();
    },
    recover: async (disk, heard) => {
      const { commits, asked } = heard;
      await expectNoDamage(disk);
      const primary = await primaryOn(disk);
      const { commitId } = primary.history().durable;
      expect(commitId, 'acknowledged commits are there').toBeGreaterThanOrEqual(commits);
      expect(commitId, 'nothing is there that nobody asked for').toBeLessThanOrEqual(asked);
      expectPruned(primary, disk, heard);
      await expectHistory(primary, commitId);
      for (const id of ['4', '6']) await primary.snapshots.manifest(id);
      await primary.stop();
    },
    finish: async (disk) => {
      const primary = await primaryOn(disk);
      if ((await primary.snapshots.list()).includes('2')) await primary.removeSnapshot('2');
      const { cut } = await primary.prune();
      expect(cut?.commitId).toBe(4);
      const { commitId } = await primary.commit(commitOf(primary.history().durable.commitId + 1));
      await expectHistory(primary, commitId);
      await primary.stop();
      // Nothing is left of what went before.
      expect(names(disk, 'base')).toEqual(['base/4.base']);
      expect(names(disk, 'wal')[0]).toBe(`wal/${String(cut?.lsn).padStart(20, '0')}.wal`);
    },
  };
}

export interface Pruning {
  readonly still: Still;
  readonly scenario: Scenario<Told>;
}

export async function replicaPrunes(): Promise<Pruning> {
  const still = await standingPrimary(6, 4);
  const open = (disk: SimulatedDisk) => replicaOn({ disk, primary: () => still.primary });
  const before = new SimulatedDisk();
  const replica = await open(before);
  await caughtUp(replica, still);
  await replica.stop();
  return {
    still,
    scenario: {
      name: 'a replica that is pruned',
      before: () => Promise.resolve(before.after(EVERYTHING)),
      tell: () => ({ commits: 6, asked: 6, cut: 0 }),
      run: async (disk, heard) => {
        const node = await open(disk);
        await caughtUp(node, still);
        await pruned(node, heard);
        await node.stop();
      },
      recover: async (disk, heard) => {
        await expectNoDamage(disk);
        const node = await replicaOn({ disk });
        const rest = await isAtRest(node);
        expect(inState('replicating')(rest), 'it works').toBe(true);
        expectPruned(node, disk, heard);
        await expectHistory(node, node.applied()?.commitId ?? -1);
        await node.stop();
      },
      finish: async (disk) => {
        const node = await open(disk);
        await caughtUp(node, still);
        const { cut } = await node.prune();
        expect(cut?.commitId).toBe(4);
        await expectHistory(node, still.commits);
        await node.stop();
        expect(names(disk, 'base')).toEqual(['base/4.base']);
        expect(still.wal.subarray(cut?.lsn).equals(walOn(disk)), 'the WAL behind the cut is there').toBe(
          true,
        );
      },
    },
  };
}
