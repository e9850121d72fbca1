import { beforeAll, describe, expect, test } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { appliedLsn } from '../support/replicas.ts';
import { WHOLE_TIMEOUT_MS } from './depth.ts';
import { rotPrimary, rotReplica, type Rotted, type Standing } from './bit-rot.ts';
import { recordFaults } from './report.ts';
import { caughtUp, halting, standingPrimary, type Still } from './scenarios-replica.ts';
import { commitOf, HOME, primaryOn, replicaOn } from './simulated-nodes.ts';

const COMMITS = 4;
const CUT = 2;
let still: Still;
beforeAll(async () => {
  still = await standingPrimary(COMMITS, CUT);
});

async function stoppedPrimary(isPruned = false): Promise<Standing> {
  const disk = new SimulatedDisk();
  const primary = await primaryOn(disk);
  for (let commitId = 1; commitId <= COMMITS; commitId += 1) {
    await primary.commit(commitOf(commitId));
    if (commitId === CUT) await primary.createSnapshot();
  }
  if (isPruned) await primary.prune();
  await primary.stop();
  return { disk: disk.after(EVERYTHING), commits: COMMITS, from: 0, isPruned };
}

async function prunedReplica(): Promise<Standing> {
  const { disk, ...standing } = await stoppedReplica(still, 'wal');
  const replica = await replicaOn({ disk, primary: () => still.primary });
  await caughtUp(replica, still);
  await replica.prune();
  await replica.stop();
  return { ...standing, disk: disk.after(EVERYTHING) };
}

async function stoppedReplica(from: Still, bootstrap: 'wal' | 'snapshot'): Promise<Standing> {
  const disk = new SimulatedDisk();
  const replica = await replicaOn({ disk, bootstrap, primary: () => from.primary });
  await caughtUp(replica, from);
  // Behind the last commit there may be a segment header.
  await appliedLsn(replica, from.primary.history().durable.lsn);
  await replica.stop();
  return {
    disk: disk.after(EVERYTHING),
    commits: from.commits,
    from: bootstrap === 'snapshot' ? from.cut : 0,
  };
}

/** Dead between the fsync of the WAL and the batch of the index: its last WAL is received and not applied. */
async function replicaBehindItsWal(): Promise<Standing> {
  const { disk } = await stoppedReplica(await standingPrimary(COMMITS - 1, CUT), 'wal');
  disk.inject = ({ name }) => (name === 'index write' ? 'crash' : undefined);
  const replica = await replicaOn({ disk, primary: () => still.primary });
  await disk.crashed;
  expect(replica.applied()).toMatchObject({ commitId: COMMITS - 1 });
  return { disk: disk.after(EVERYTHING), commits: COMMITS - 1, from: 0 };
}

function counted({ outcomes, shipped }: Rotted, name: string): number {
  const faultClass = `rot: ${name}`;
  const { cases } = outcomes;
  recordFaults({
    faultClass,
    injectedBy: 'changed bytes on a stopped disk',
    cases,
    outcomes: outcomes.outcomes,
  });
  if (shipped.cases > 0)
    recordFaults({
      faultClass: `${faultClass}, followed by a replica`,
      injectedBy: 'changed bytes on a stopped disk',
      cases: shipped.cases,
      outcomes: shipped.outcomes,
    });
  return cases;
}

describe('P5-I10: rot is seen and named, and never answered from', { timeout: WHOLE_TIMEOUT_MS }, () => {
  test('a primary, and what it ships', async () => {
    expect(counted(await rotPrimary(await stoppedPrimary()), 'a primary')).toBeGreaterThan(100);
  });

  test('P5-I8: a primary that was pruned, and what it ships', async () => {
    const pruned = await stoppedPrimary(true);
    expect(counted(await rotPrimary(pruned), 'a primary that was pruned')).toBeGreaterThan(100);
  });

  test('P5-I8: a replica that was pruned', async () => {
    const pruned = await prunedReplica();
    expect(counted(await rotReplica(pruned, still), 'a replica that was pruned')).toBeGreaterThan(100);
  });

  test('a replica with all WAL', async () => {
    const standing = await stoppedReplica(still, 'wal');
    expect(counted(await rotReplica(standing, still), 'a replica from WAL')).toBeGreaterThan(100);
  });

  test('a replica with a base file', async () => {
    const standing = await stoppedReplica(still, 'snapshot');
    expect(counted(await rotReplica(standing, still), 'a replica from a snapshot')).toBeGreaterThan(100);
  });

  test('a replica that has nothing behind its base file', async () => {
    const atCut = await standingPrimary(CUT, CUT);
    const standing = await stoppedReplica(atCut, 'snapshot');
    const isWal = (path: string) => path.startsWith(`${HOME}/wal/`);
    expect(counted(await rotReplica(standing, atCut, isWal), 'a replica at its cut')).toBeGreaterThan(5);
  });

  test('F-R2: a replica with WAL behind its checkpoint', async () => {
    const standing = await replicaBehindItsWal();
    const isWal = (path: string) => path.startsWith(`${HOME}/wal/`);
    expect(counted(await rotReplica(standing, still, isWal), 'a replica behind its WAL')).toBeGreaterThan(20);
  });

  test('a halt record', async () => {
    const disk = new SimulatedDisk();
    const { run, tell } = halting(still);
    await run(disk, tell());
    const standing = { disk: disk.after(EVERYTHING), commits: 0, from: 0 };
    const isHalt = (path: string) => path === `${HOME}/halt`;
    expect(counted(await rotReplica(standing, still, isHalt), 'a halt record')).toBeGreaterThan(50);
  });
});
