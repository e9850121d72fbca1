/** What a node does on a disk that fails, watched while it does it. */
import { expect } from 'vitest';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import type { EffectFault, HaltReason } from '../../src/core/halt.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import type { NodeSnapshot } from '../../src/node/node-snapshot.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { inState, until } from '../support/replicas.ts';
import type { Scenario } from './crash-points.ts';
import type { FailingDisk } from './failing-disk.ts';
import { primaryWrites, type Acknowledged } from './scenarios-primary.ts';
import { clearing, following, halting, lying, type Still, type Watched } from './scenarios-replica.ts';
import {
  commitOf,
  expectHistory,
  expectReadsBlocked,
  HOME,
  primaryOn,
  refusalOf,
  replicaOn,
} from './simulated-nodes.ts';

/** How an attempt ended. */
export type Ending =
  /** All was done. */
  | { readonly kind: 'whole' }
  /** What was asked for was refused, and the node works on. */
  | { readonly kind: 'told'; readonly error: unknown }
  | { readonly kind: 'start refused'; readonly error: unknown }
  | { readonly kind: 'halted'; readonly halt: HaltReason; readonly recordFault: EffectFault | null };

export interface Attempt<Told> {
  readonly scenario: Scenario<Told>;
  readonly run: (failing: FailingDisk, told: Told) => Promise<Ending>;
  /** Starts a node on a disk that holds a halt record; `null`: the scenario looks after the record itself. */
  readonly start: ((disk: SimulatedDisk) => Promise<PrimaryNode | ReplicaNode>) | null;
  /** Who watched knows that the halt was cleared since. */
  readonly cleared: (told: Told) => Told;
}

type Asked = Acknowledged;

/** Writes as the scenario does, goes on asking where it is refused, and asks for the snapshot a second time. */
async function writesOf(primary: PrimaryNode, failing: FailingDisk, heard: Asked): Promise<unknown> {
  let refusal: unknown = null;
  const ask = async (what: string, isOver: () => boolean, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      expect(error, `${what} is refused by the rules`).toBeInstanceOf(ReplichartError);
      expect((error as ReplichartError).code).toMatch(/^(STORAGE_FAILED|NOT_WRITABLE)$/);
      expect(failing.failed.length, `${what} is refused only where something failed`).toBeGreaterThan(0);
      refusal ??= error;
      return;
    }
    expect(isOver(), `${what} is acknowledged after a failure`).toBe(false);
  };
  const commit = (commitId: number) =>
    ask(
      `commit ${commitId}`,
      () => failing.hasFailed,
      async () => {
        heard.asked = commitId;
        await primary.commit(commitOf(commitId));
        heard.commits = Math.max(heard.commits, commitId);
      },
    );
  const snapshot = (isOver: () => boolean) =>
    ask('a snapshot', isOver, async () => {
      const { snapshotId } = await primary.createSnapshot();
      if (!heard.snapshots.includes(snapshotId)) heard.snapshots.push(snapshotId);
    });
  await commit(1);
  await commit(2);
  await Promise.all([commit(3), commit(4)]);
  await snapshot(() => failing.failed.length > 0);
  // A second time it may be made anew; what was refused must not be given out as it stands.
  await snapshot(() => failing.hasFailed);
  await commit(5);
  return refusal;
}

export const writing: Attempt<Acknowledged> = {
  scenario: primaryWrites,
  start: primaryOn,
  cleared: (told) => told,
  run: async (failing, told) => {
    const primary = await startedOr(primaryOn(failing.disk));
    if ('error' in primary) return primary;
    const refusal = await writesOf(primary, failing, told);
    return primaryEnding(primary, failing, refusal, told.commits);
  },
};

/** What a primary shows behind a failure: a halt and no reads, or right ones where it works on. */
async function primaryEnding(
  primary: PrimaryNode,
  failing: FailingDisk,
  refusal: unknown,
  commits: number,
): Promise<Ending> {
  if (failing.hasFailed || inState('halted')(primary.snapshot())) {
    await restingNode(primary);
    await refusesAll(primary);
    const { halt, haltRecordFault } = primary.snapshot().context;
    await primary.stop();
    return { kind: 'halted', halt: halt as HaltReason, recordFault: haltRecordFault };
  }
  await expectHistory(primary, commits);
  await primary.stop();
  return refusal === null ? { kind: 'whole' } : { kind: 'told', error: refusal };
}

/** A primary that starts on the files that it finds, writes once, and stops. */
export function primaryStarts(name: string, prepared: SimulatedDisk, commits: number): Attempt<Acknowledged> {
  const told = () => ({ commits, asked: commits, snapshots: [] });
  return {
    ...writing,
    scenario: { ...primaryWrites, name, before: () => Promise.resolve(prepared), tell: told },
    run: async (failing, heard) => {
      const primary = await startedOr(primaryOn(failing.disk));
      if ('error' in primary) return primary;
      return primaryEnding(primary, failing, null, heard.commits);
    },
  };
}

export function follows(
  still: Still,
  bootstrap: 'wal' | 'snapshot',
  prepared: { readonly name: string; readonly disk: SimulatedDisk; readonly applied: number } | null = null,
): Attempt<Watched> {
  const scenario = following(still, bootstrap);
  const start = (disk: SimulatedDisk) => replicaOn({ disk, bootstrap });
  return {
    scenario:
      prepared === null
        ? scenario
        : {
            ...scenario,
            name: prepared.name,
            before: () => Promise.resolve(prepared.disk),
            tell: () => ({ halt: null, applied: prepared.applied }),
          },
    start,
    cleared: (told) => ({ ...told, halt: null }),
    run: (failing, told) => replicaRun(failing, told, bootstrap, still, () => still.primary),
  };
}

export function halts(still: Still): Attempt<Watched> {
  return {
    ...follows(still, 'wal'),
    scenario: halting(still),
    run: (failing, told) => replicaRun(failing, told, 'wal', still, () => lying(still.primary)),
  };
}

async function replicaRun(
  failing: FailingDisk,
  told: Watched,
  bootstrap: 'wal' | 'snapshot',
  still: Still,
  primary: () => PrimaryNode,
): Promise<Ending> {
  const replica = await startedOr(replicaOn({ disk: failing.disk, bootstrap, primary }));
  if ('error' in replica) return replica;
  const note = ({ context }: NodeSnapshot) => (told.applied = context.applied?.commitId ?? told.applied);
  note(replica.snapshot());
  replica.subscribe(note);
  const isThrough = (now: NodeSnapshot) =>
    now.context.applied?.commitId === still.commits && inState('replicating.readGate.open')(now);
  const end = await until(replica, (now) => inState('halted.resting')(now) || isThrough(now), 'an end');
  if (inState('halted.resting')(end)) {
    await refusesAll(replica);
    const { halt, haltRecordFault } = end.context;
    await replica.stop();
    return { kind: 'halted', halt: halt as HaltReason, recordFault: haltRecordFault };
  }
  await expectHistory(replica, still.commits, end.context.applied?.snapshotCut ?? 0);
  await replica.stop();
  return { kind: 'whole' };
}

export async function clears(still: Still): Promise<Attempt<Watched & { isCleared: boolean }>> {
  return {
    scenario: await clearing(still),
    start: null,
    cleared: (told) => told,
    run: async ({ disk }, told) => {
      try {
        await clearHalt(new DataDirectory(disk.files, HOME));
      } catch (error) {
        return { kind: 'told', error };
      }
      told.isCleared = true;
      return { kind: 'whole' };
    },
  };
}

export async function startedOr<Node extends object>(
  start: Promise<Node>,
): Promise<Node | { readonly kind: 'start refused'; readonly error: unknown }> {
  try {
    return await start;
  } catch (error) {
    return { kind: 'start refused', error };
  }
}

/** Waits for a halt to be recorded; a primary has nobody to tell. */
export async function restingNode(node: PrimaryNode | ReplicaNode): Promise<void> {
  for (let turns = 0; turns < 1000; turns += 1) {
    if (inState('halted.resting')(node.snapshot())) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`no halt came to rest: ${JSON.stringify(node.snapshot().value)}`);
}

export async function refusesAll(node: PrimaryNode | ReplicaNode): Promise<void> {
  await expectReadsBlocked(node);
  expect(await refusalOf(node.commit(commitOf(1)))).toMatch(/^(NOT_WRITABLE|WRITE_REFUSED)$/);
}
