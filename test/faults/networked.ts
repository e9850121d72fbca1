/** A real replica behind a faulty network, and what is to be true of it whatever the network does. */
import { expect } from 'vitest';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import type { HostPorts } from '../../src/api/node-host.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import { httpWalSource } from '../../src/io/http-wal-source.ts';
import type { NodeSnapshot, Primary, Replica } from '../../src/index.ts';
import { put, del, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { inState, until } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';
import { HOME, walOn } from './simulated-nodes.ts';

/** A primary that stands still, with all that a replica is compared with. */
export interface Source {
  readonly primary: Primary;
  readonly url: string;
  readonly dataDir: string;
  readonly wal: Buffer;
}

/** `word` is what it writes, and `last` what its last commit does. */
export async function sourceOf(
  commits: number,
  clusterId?: string,
  word = 'v',
  last = word,
): Promise<Source> {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir,
    listen: '127.0.0.1:0',
    replication: 'enabled',
    ...(clusterId === undefined ? {} : { clusterId }),
  });
  for (let n = 1; n <= commits; n += 1) {
    const document = `${n === commits ? last : word}${n}`;
    await primary.commit(n % 3 === 0 ? [put('a', document), del('b')] : [put('b', document)]);
  }
  return { primary, url: primary.url as string, dataDir, wal: await walBytes(dataDir) };
}

/** A replica on a disk of its own (in memory), over real sockets. */
export function replicaOver(url: string, disk: SimulatedDisk, ports: HostPorts = {}): Promise<Replica> {
  return startReplica(
    { dataDir: HOME, primaryUrl: url, replication: 'enabled' },
    { files: disk.files, indexStore: (_files, directory) => disk.indexStore(directory), ...ports },
  );
}

/** A source that takes a silence for the end sooner than the product does. */
export const impatient = (url: string, silenceMs: number): HostPorts => ({
  walSource: () => httpWalSource({ url, silenceMs }),
});

const isDetached = inState('replicating.ingesting.detached');
const isHalted = inState('halted.resting');

export const isCaughtUp =
  ({ primary }: Source) =>
  (snapshot: NodeSnapshot) =>
    snapshot.context.applied?.lsn === primary.position()?.lsn &&
    inState('replicating.readGate.open')(snapshot);

/** A fault has come to its end: halted, or detached with nothing left to do. */
export const settled = (replica: Replica): Promise<NodeSnapshot> =>
  until(
    replica,
    (snapshot) =>
      isHalted(snapshot) ||
      (isDetached(snapshot) &&
        snapshot.context.applied?.lsn === snapshot.context.receivedLsn &&
        inState('replicating.readGate.open')(snapshot)),
    'halted or detached',
  );

export type Outcome = `halted ${string}` | `detached`;

/** A replica may lag, it may never lie: what it shows is what the primary shows at that commit, or nothing. */
export async function expectNoLie(replica: Replica, source: Source): Promise<void> {
  const snapshot = replica.snapshot();
  if (isHalted(snapshot)) {
    await expect(replica.read((view) => view.stateDigest())).rejects.toMatchObject({ code: 'READS_BLOCKED' });
    return;
  }
  const at = replica.position()?.commitId ?? -1;
  for (let bound = 0; bound <= at; bound += 1)
    expect(await replica.read((view) => view.stateDigest(), { at: bound })).toEqual(
      await source.primary.read((view) => view.stateDigest(), { at: bound }),
    );
}

export function outcomeOf({ context, value }: NodeSnapshot): Outcome {
  if (context.halt === null) return 'detached';
  expect(value).toBeDefined();
  return `halted ${context.halt.code} ${context.halt.rule ?? context.halt.invariant ?? ''}`;
}

/** Ends the replica and finds out whether it comes to the primary's very bytes once the network is well again. */
export async function healed(replica: Replica, disk: SimulatedDisk, source: Source): Promise<SimulatedDisk> {
  if (isDetached(replica.snapshot())) {
    replica.attach();
    await until(replica, isCaughtUp(source), 'caught up');
    await expectNoLie(replica, source);
    await replica.stop();
    expect(walOn(disk).equals(source.wal), 'the primary’s bytes').toBe(true);
    return disk;
  }
  await replica.stop();
  // A halt outlives the process and its cause: only an operator ends it.
  const still = disk.after(EVERYTHING);
  const halted = await replicaOver(source.url, still);
  expect(isHalted(await settled(halted))).toBe(true);
  await halted.stop();
  const cleared = still.after(EVERYTHING);
  await clearHalt(new DataDirectory(cleared.files, HOME));
  const again = await replicaOver(source.url, cleared);
  await until(again, isCaughtUp(source), 'caught up after the halt was cleared');
  await expectNoLie(again, source);
  await again.stop();
  expect(walOn(cleared).equals(source.wal), 'the primary’s bytes').toBe(true);
  return cleared;
}
