import { expect } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import type { HaltReason } from '../../src/core/halt.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { halted, inState, until } from '../support/replicas.ts';
import type { Scenario } from './crash-points.ts';
import {
  commitOf,
  expectHistory,
  expectReadsBlocked,
  HOME,
  primaryOn,
  refusalOf,
  replicaOn,
  walOn,
} from './simulated-nodes.ts';

/** What somebody who watched the replica knows. */
export interface Watched {
  /** The halt that was seen at rest. */
  halt: HaltReason | null;
  applied: number;
}
const told = (): Watched => ({ halt: null, applied: 0 });

/** A primary that stands still while a replica dies around it. */
export interface Still {
  readonly primary: PrimaryNode;
  readonly wal: Buffer;
  readonly commits: number;
  /** Where its snapshot was cut; 0: there is none. */
  readonly cut: number;
}

export async function standingPrimary(commits: number, cutAfter: number): Promise<Still> {
  const disk = new SimulatedDisk();
  const primary = await primaryOn(disk);
  for (let commitId = 1; commitId <= commits; commitId += 1) {
    await primary.commit(commitOf(commitId));
    if (commitId === cutAfter) await primary.createSnapshot();
  }
  return { primary, wal: walOn(disk), commits, cut: cutAfter };
}

export const isAtRest = (replica: ReplicaNode) =>
  until(
    replica,
    (snapshot) =>
      inState('halted.resting')(snapshot) ||
      inState('bootstrapping.detached')(snapshot) ||
      (inState('replicating.ingesting.detached')(snapshot) && inState('replicating.readGate.open')(snapshot)),
    'rest',
  );

/** All that can be seen of a replica that nobody answers: a prefix of history, or nothing at all. */
async function lookAt(replica: ReplicaNode, disk: SimulatedDisk, still: Still, heard: Watched) {
  const rest = await isAtRest(replica);
  if (heard.halt !== null) expect(rest.context.halt, 'a halt stays').toEqual(heard.halt);
  const { commitId = null } = replica.applied() ?? {};
  if (inState('replicating')(rest)) {
    expect(commitId, 'what was applied stays').toBeGreaterThanOrEqual(heard.applied);
    const cut = rest.context.applied?.snapshotCut ?? 0;
    await expectHistory(replica, commitId ?? -1, cut);
    const own = walOn(disk);
    const from = startOf(disk) ?? still.wal.length;
    expect(still.wal.subarray(from, from + own.length).equals(own), 'WAL is a stretch of the primary’s').toBe(
      true,
    );
  } else if (inState('bootstrapping')(rest)) {
    await expectReadsBlocked(replica);
  }
  await replica.stop();
}

/** A node that knows of no cluster yet writes nothing before it has met its primary. */
async function refused(start: Promise<ReplicaNode>, heard: Watched): Promise<void> {
  expect(await refusalOf(start)).toBe('PRIMARY_UNREACHABLE');
  expect(heard).toEqual(told());
}

function startOf(disk: SimulatedDisk): number | null {
  const [first] = [...disk.contents().keys()].filter((name) => name.startsWith(`${HOME}/wal/`));
  return first === undefined ? null : Number(/(\d+)\.wal$/.exec(first)?.[1]);
}

export async function caughtUp(replica: ReplicaNode, { commits }: Still) {
  const end = await until(
    replica,
    (snapshot) =>
      snapshot.context.halt !== null ||
      (snapshot.context.applied?.commitId === commits && inState('replicating.readGate.open')(snapshot)),
    `commit ${commits}`,
  );
  expect(end.context.halt, 'nothing halts').toBeNull();
}

export function following(still: Still, bootstrap: 'wal' | 'snapshot'): Scenario<Watched> {
  const recover = async (disk: SimulatedDisk, heard: Watched) => {
    if (disk.bytesOf(`${HOME}/identity`) === null) return refused(replicaOn({ disk, bootstrap }), heard);
    await lookAt(await replicaOn({ disk, bootstrap }), disk, still, heard);
  };
  const finish = async (disk: SimulatedDisk) => {
    const replica = await replicaOn({ disk, bootstrap, primary: () => still.primary });
    await caughtUp(replica, still);
    await expectHistory(replica, still.commits, replica.snapshot().context.applied?.snapshotCut ?? 0);
    await replica.stop();
    expect(still.wal.subarray(startOf(disk) ?? 0).equals(walOn(disk)), 'all WAL is there').toBe(true);
  };
  return {
    name: `a replica that begins from ${bootstrap}`,
    before: () => Promise.resolve(new SimulatedDisk()),
    tell: told,
    run: async (disk, heard) => {
      const replica = await replicaOn({ disk, bootstrap, primary: () => still.primary });
      replica.subscribe(({ context }) => (heard.applied = context.applied?.commitId ?? heard.applied));
      await caughtUp(replica, still);
      await replica.stop();
    },
    recover,
    finish,
  };
}

/** WAL that was received and rots before it is proven: the replica halts, and keeps what it found. */
export function halting(still: Still): Scenario<Watched> {
  const { recover, finish } = following(still, 'wal');
  const run = async (disk: SimulatedDisk, heard: Watched) => {
    const replica = await replicaOn({ disk, primary: () => lying(still.primary) });
    heard.halt = (await halted(replica)).context.halt;
    await replica.stop();
  };
  return {
    name: 'a replica that halts',
    before: () => Promise.resolve(new SimulatedDisk()),
    tell: told,
    run,
    recover,
    finish: async (disk, heard) => {
      const directory = new DataDirectory(disk.files, HOME);
      if (disk.bytesOf(directory.haltFile) !== null) await clearHalt(directory);
      await finish(disk, { ...heard, halt: null });
    },
  };
}

/** The last byte of history is another one, past every checksum of the way. */
export function lying(primary: PrimaryNode): PrimaryNode {
  return {
    ...primary,
    get identity() {
      return primary.identity;
    },
    readWal: async (lsn, size) => {
      const found = Buffer.from(await primary.readWal(lsn, size));
      if (lsn + found.length === primary.history().durable.lsn)
        found[found.length - 1] = (found.at(-1) as number) ^ 1;
      return found;
    },
  };
}

/** An operator clears a halt: after a crash the record stands in one of its two places. */
export async function clearing(still: Still): Promise<Scenario<Watched & { isCleared: boolean }>> {
  const { run, recover, finish } = halting(still);
  const disk = new SimulatedDisk();
  const before = told();
  await run(disk, before);
  const reason = before.halt;
  const record = disk.bytesOf(`${HOME}/halt`) as Buffer;
  const placesOf = (now: SimulatedDisk) =>
    [`${HOME}/halt`, `${HOME}/evidence/halt-1`].filter((name) => now.bytesOf(name)?.equals(record));
  return {
    name: 'an operator clears a halt',
    before: () => Promise.resolve(disk.after(EVERYTHING)),
    tell: () => ({ ...told(), isCleared: false }),
    run: async (now, heard) => {
      await clearHalt(new DataDirectory(now.files, HOME));
      heard.isCleared = true;
    },
    recover: async (now, heard) => {
      const places = placesOf(now);
      expect(places.length, 'the record is never lost').toBeGreaterThan(0);
      const stays = places.includes(`${HOME}/halt`);
      if (heard.isCleared) expect(stays).toBe(false);
      await recover(now, { ...heard, halt: stays ? reason : null });
    },
    finish,
  };
}
