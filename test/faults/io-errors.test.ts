import { beforeAll, describe, expect, test } from 'vitest';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { clears, follows, halts, primaryStarts, writing, type Attempt } from './attempts.ts';
import { primaryIsPruned, replicaIsPruned } from './attempts-retention.ts';
import { depth, WHOLE_TIMEOUT_MS } from './depth.ts';
import { failEverywhere } from './io-errors.ts';
import { recordFaults } from './report.ts';
import { standingPrimary, type Still } from './scenarios-replica.ts';
import { HOME } from './simulated-nodes.ts';

/** Every kind of change that a disk is ever asked for. */
const KINDS = [
  'append',
  'create',
  'datasync',
  'index clear',
  'index create',
  'index sync',
  'index write',
  'link',
  'makeDirectory',
  'remove',
  'removeTree',
  'rename',
  'syncDirectory',
  'truncate',
];

let still: Still;
const failedKinds = new Set<string>();
beforeAll(async () => {
  still = await standingPrimary(6, 4);
});

async function everywhere<Told>(attempt: Attempt<Told>) {
  const { byOutcome, byOperation } = await failEverywhere(attempt);
  for (const name of Object.keys(byOperation.outcomes)) failedKinds.add(name);
  recordFaults({
    faultClass: `an operation fails: ${attempt.scenario.name}`,
    injectedBy: `EIO, ENOSPC and short writes, once and for ever: ${Object.entries(byOperation.outcomes)
      .map(([name, times]) => `${name} (${times})`)
      .join(', ')}`,
    cases: byOutcome.cases,
    outcomes: byOutcome.outcomes,
  });
  return byOutcome.cases;
}

/** The disk of a whole run, with bytes behind its WAL that are none. */
async function withTail<Told>({ scenario }: Attempt<Told>): Promise<SimulatedDisk> {
  const disk = (await scenario.before()).after(EVERYTHING);
  await scenario.run(disk, scenario.tell());
  const last = [...disk.contents().keys()].filter((name) => name.startsWith(`${HOME}/wal/`)).at(-1) as string;
  disk.damage(last, (bytes) => Buffer.concat([bytes, Buffer.alloc(120, 0x5a)]));
  return disk.after(EVERYTHING);
}

describe(
  'F-D1: every operation fails once and for ever, done in part or not at all',
  { timeout: WHOLE_TIMEOUT_MS },
  () => {
    test('a primary that writes', async () => {
      expect(await everywhere(writing)).toBeGreaterThan(30);
    });

    test('a primary that cuts a torn tail', async () => {
      const disk = await withTail(writing);
      expect(await everywhere(primaryStarts('a primary cuts a torn tail', disk, 5))).toBeGreaterThan(2);
    });

    test('a replica that follows from the first commit', async () => {
      expect(await everywhere(follows(still, 'wal'))).toBeGreaterThan(25);
    });

    test('a replica that begins from a snapshot', async () => {
      expect(await everywhere(follows(still, 'snapshot'))).toBeGreaterThan(25);
    });

    test('a replica that discards an unproven tail', async () => {
      const disk = await withTail(follows(still, 'wal'));
      const prepared = { name: 'a replica discards an unproven tail', disk, applied: still.commits };
      expect(await everywhere(follows(still, 'wal', prepared))).toBeGreaterThan(5);
    });

    test('P5-I8: a primary that is pruned', async () => {
      expect(await everywhere(await primaryIsPruned())).toBeGreaterThan(20);
    });

    test('P5-I8: a replica that is pruned', async () => {
      expect(await everywhere(await replicaIsPruned())).toBeGreaterThan(10);
    });

    test('P5-I10: a halt', async () => {
      expect(await everywhere(halts(still))).toBeGreaterThan(30);
    });

    test('P5-I10: clearing a halt', async () => {
      expect(await everywhere(await clears(still))).toBeGreaterThan(1);
    });

    test('no kind of operation is left out', () => {
      // A part of all failures may leave out a kind that is asked for once.
      const due = depth === 'all' ? KINDS : KINDS.filter((kind) => failedKinds.has(kind));
      expect([...failedKinds].sort()).toEqual(due);
      expect(due.length).toBeGreaterThan(KINDS.length / 2);
    });
  },
);
