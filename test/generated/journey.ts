import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPorts } from '../../src/api/node-host.ts';
import { ReplichartError, type Primary, type PrimaryOptions, type Replica } from '../../src/index.ts';
import type { ReplicaOptions } from '../../src/api/create-replica.ts';
import { decodeCheckpoint } from '../../src/core/storage/checkpoint.ts';
import { CHECKPOINT_KEY } from '../../src/core/storage/index-entry.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { stateLine } from '../../src/core/state-line.ts';
import {
  afterTest,
  CLUSTER,
  NODE,
  put,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { walBytes } from '../support/sources.ts';
import { Disk } from './faults.ts';
import { Relay } from './relay.ts';

export const REPLICA = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
export const ATTACHED =
  'replicating.ingesting.receiving | replicating.validating.idle | replicating.applying.idle | replicating.readGate.open';
export const DETACHED = ATTACHED.replace('receiving', 'detached');

export interface Journey {
  readonly primary: Primary;
  readonly primaryDir: string;
  readonly relay: Relay;
  readonly dataDir: string;
  readonly disk: Disk;
}

/** A primary, a relay before it, and an empty directory with a disk of its own for a replica. */
export async function journey(options: Partial<PrimaryOptions> = {}): Promise<Journey> {
  const primaryDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir: primaryDir,
    clusterId: CLUSTER,
    nodeId: NODE,
    listen: '127.0.0.1:0',
    replication: 'enabled',
    ...options,
  });
  const relay = await Relay.before(primary.url as string);
  afterTest(() => relay.close());
  return { primary, primaryDir, relay, dataDir: join(await temporaryDirectory(), 'data'), disk: new Disk() };
}

/** Writes documents `a` = the number of the commit, one commit each. */
export async function commits(primary: Primary, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) await primary.commit([put('a', String(n))]);
}

export function replicaOf(
  { relay, dataDir, disk }: Journey,
  options: Partial<ReplicaOptions> = {},
  ports: HostPorts = {},
): Promise<Replica> {
  return startReplica(
    {
      dataDir,
      clusterId: CLUSTER,
      nodeId: REPLICA,
      primaryUrl: relay.url,
      replication: 'enabled',
      ...options,
    },
    { files: disk.files, indexStore: (files, at) => disk.index(levelVersionIndex(files, at)), ...ports },
  );
}

/** Where a node is, as a person would write it down. */
export async function whereIs(node: Pick<Replica, 'snapshot' | 'read'>) {
  const { value, context } = node.snapshot();
  return {
    state: stateLine(value),
    commits: `validated ${context.validated?.commitId ?? '-'}, applied ${context.applied?.commitId ?? '-'}`,
    isAllProven: context.receivedLsn === (context.validated?.lsn ?? null),
    halt: context.halt && `${context.halt.code} ${context.halt.rule ?? context.halt.invariant ?? ''}`,
    read: await readOf(node),
  };
}

/** What a reader is told: the document, or why not. */
export async function readOf(node: Pick<Replica, 'read'>): Promise<string> {
  try {
    return await node.read(async (view) => (await view.get('c', 'a'))?.document.toString() ?? 'nothing');
  } catch (error) {
    if (error instanceof ReplichartError) return `refused: ${error.code}`;
    throw error;
  }
}

/** The replica's WAL is the first bytes of the primary's; says how many of the primary's are missing. */
export async function missingBytes({ primaryDir, dataDir }: Journey): Promise<number> {
  const [whole, part] = [await walBytes(primaryDir), await walBytes(dataDir)];
  if (!whole.subarray(0, part.length).equals(part)) throw new Error('the WAL of the replica is no prefix');
  return whole.length - part.length;
}

/** The files of a node as they are at this moment: all that a crash would leave. */
export async function leftBehind(dataDir: string): Promise<string> {
  const copy = join(await temporaryDirectory(), 'data');
  await cp(dataDir, copy, { recursive: true });
  return copy;
}

/** The commit id that the index of a stopped node says it has come to. */
export async function checkpointIn(dataDir: string): Promise<number | undefined> {
  const index = await levelVersionIndex(nodeFileSystem, join(dataDir, 'index')).open();
  const bytes = await index.get(CHECKPOINT_KEY);
  await index.close();
  return bytes && decodeCheckpoint(bytes)?.commitId;
}
