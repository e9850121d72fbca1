import { beforeAll, describe, expect, test } from 'vitest';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { crashEverywhere, type Points, type Scenario } from './crash-points.ts';
import { depth, WHOLE_TIMEOUT_MS } from './depth.ts';
import { recordFaults } from './report.ts';
import { primaryWrites } from './scenarios-primary.ts';
import { primaryPrunes, replicaPrunes } from './scenarios-retention.ts';
import { clearing, following, halting, standingPrimary, type Still } from './scenarios-replica.ts';

/** In `npm test` the recovery from every fortieth disk is crashed as well; otherwise from each. */
const RECOVERIES_OF_EVERY = depth === 'all' ? 1 : 40;

let still: Still;
beforeAll(async () => {
  still = await standingPrimary(6, 4);
});

async function everywhere<Told>(scenario: Scenario<Told>): Promise<Points> {
  const points = await crashEverywhere(scenario, { recoveriesOfEvery: RECOVERIES_OF_EVERY });
  const { crashes, disks, recoveries } = points;
  recordFaults({
    faultClass: `crash: ${scenario.name}`,
    injectedBy: `before each of ${crashes} changes of the disk, with everything that may survive; then before each change of the recovery`,
    cases: disks + recoveries,
    outcomes: { 'recovered, and recovered again from a crash of the recovery': recoveries, recovered: disks },
  });
  return points;
}

// As long as it takes: how long says nothing, and a machine may have other things to do.
describe('crashed before every change, whatever survives', { timeout: WHOLE_TIMEOUT_MS }, () => {
  test('F-P1, F-P2, F-RC1, P5-I11: a primary', async () => {
    expect((await everywhere(primaryWrites)).disks).toBeGreaterThan(200);
  });

  test('F-R1, F-R2, F-A1, F-A2, F-RC1: a replica that follows from the first commit', async () => {
    expect((await everywhere(following(still, 'wal'))).disks).toBeGreaterThan(100);
  });

  test('F-S1, F-S2, F-RC1: a replica that begins from a snapshot', async () => {
    expect((await everywhere(following(still, 'snapshot'))).disks).toBeGreaterThan(100);
  });

  test('P5-I10, F-RC1: a replica that halts', async () => {
    expect((await everywhere(halting(still))).disks).toBeGreaterThan(100);
  });

  test('F-RC1, P5-I8: a primary that is pruned', async () => {
    expect((await everywhere(await primaryPrunes())).disks).toBeGreaterThan(100);
  });

  test('F-RC1, P5-I8: a replica that is pruned', async () => {
    expect((await everywhere((await replicaPrunes()).scenario)).disks).toBeGreaterThan(50);
  });

  test('P5-I10: an operator who clears a halt', async () => {
    expect((await everywhere(await clearing(still))).disks).toBeGreaterThan(10);
  });
});

type Forgets = SimulatedDisk['forgets'];
const syncs =
  (name: string, part: string): Forgets =>
  (operation) =>
    operation.name === name && operation.path.includes(part);

describe('P5-I11: a sync that does nothing is found out', { timeout: WHOLE_TIMEOUT_MS }, () => {
  const found = async <Told>(scenario: Scenario<Told>, forgets: Forgets) => {
    const points = crashEverywhere(scenario, { recoveriesOfEvery: Infinity, forgets });
    return points.then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
  };

  test.each([
    ['of the WAL', syncs('datasync', '.wal')],
    ['of the names of segments', syncs('syncDirectory', '/wal')],
    ['of a batch of the index', syncs('index write', 'index')],
    ['of the identity', syncs('datasync', 'identity')],
    ['of the name of the identity', syncs('syncDirectory', '/data/node')],
    ['of the data of a snapshot', syncs('datasync', '.base')],
    ['of the name of a snapshot', syncs('syncDirectory', '/snapshots')],
  ])('on a primary: %s', async (_name, forgets) => {
    expect(await found(primaryWrites, forgets)).toContain('crashed before');
  });

  test.each([
    ['of the WAL', 'wal', syncs('datasync', '.wal')],
    ['of a batch of the index', 'wal', syncs('index write', 'index')],
    ['of the data of a transferred snapshot', 'snapshot', syncs('datasync', '.base')],
  ] as const)('on a replica: %s', async (_name, bootstrap, forgets) => {
    expect(await found(following(still, bootstrap), forgets)).toContain('crashed before');
  });

  test('of the halt record', async () => {
    expect(await found(halting(still), syncs('datasync', 'halt'))).toContain('crashed before');
  });
});
