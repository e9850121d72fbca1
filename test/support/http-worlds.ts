import type { EndpointName } from '../../src/http/contract/endpoints.ts';
import type { PrimaryOptions } from '../../src/api/create-primary.ts';
import type { ReplicaOptions } from '../../src/api/create-replica.ts';
import type { HostPorts } from '../../src/api/node-host.ts';
import type { Position, Primary, Replica } from '../../src/index.ts';
import { CLUSTER, del, NODE, put, startPrimary, startReplica, temporaryDirectory } from './nodes.ts';
import { halted, inState, until } from './replicas.ts';
import { scriptedSource } from './sources.ts';
import { flipped } from './wal-forge.ts';
import { recordedWal } from './sources.ts';

/** The id of every run of a node here. */
export const RUN = 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee';
export const REPLICA = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
const newUuid = () => RUN;

export interface PrimaryWorld {
  readonly primary: Primary;
  readonly dataDir: string;
  readonly url: string;
  /** Of each commit, the first at index 0. */
  readonly positions: readonly Position[];
}

export interface ReplicaWorld {
  readonly replica: Replica;
  readonly dataDir: string;
  readonly url: string;
}

/** A primary of fixed ids, on its files as they are. */
export function startFixedPrimary(
  dataDir: string,
  options: Partial<PrimaryOptions> = {},
  ports: HostPorts = {},
): Promise<Primary> {
  return startPrimary(
    { dataDir, clusterId: CLUSTER, nodeId: NODE, listen: '127.0.0.1:0', replication: 'enabled', ...options },
    { newUuid, ...ports },
  );
}

/** The three commits and the snapshot that every world here is made of; one of the documents is no JSON. */
export async function makeHistory(primary: Primary): Promise<readonly Position[]> {
  const positions = [await primary.commit([put('a', '{"n":1}')])];
  positions.push(await primary.commit([put('b', '"two"'), put('bin', '\u0001 is no JSON')]));
  await primary.createSnapshot();
  positions.push(await primary.commit([put('a', '{"n":3}'), del('b')]));
  return positions;
}

/** A primary whose answers are always the same bytes. */
export async function fixedPrimary(
  options: Partial<PrimaryOptions> = {},
  ports: HostPorts = {},
): Promise<PrimaryWorld> {
  const dataDir = await temporaryDirectory();
  const primary = await startFixedPrimary(dataDir, options, ports);
  const positions = await makeHistory(primary);
  return { primary, dataDir, url: primary.url as string, positions };
}

/** A replica of fixed ids, on its files as they are. */
export async function startFixedReplica(
  primaryUrl: string,
  dataDir: string,
  options: Partial<ReplicaOptions> = {},
  ports: HostPorts = {},
): Promise<ReplicaWorld> {
  const replica = await startReplica(
    {
      dataDir,
      clusterId: CLUSTER,
      nodeId: REPLICA,
      primaryUrl,
      listen: '127.0.0.1:0',
      replication: 'enabled',
      bootstrap: 'snapshot',
      ...options,
    },
    { newUuid, ...ports },
  );
  return { replica, dataDir, url: replica.url as string };
}

/** A replica that rests: it has everything, and its primary is quiet. */
export async function restingReplica(
  primaryUrl: string,
  dataDir?: string,
  options: Partial<ReplicaOptions> = {},
): Promise<ReplicaWorld> {
  const world = await startFixedReplica(primaryUrl, dataDir ?? (await temporaryDirectory()), options);
  await until(
    world.replica,
    (now) =>
      inState('replicating.ingesting.receiving')(now) &&
      inState('replicating.readGate.open')(now) &&
      now.context.applied?.commitId === 3 &&
      now.context.primaryDurable?.commitId === 3,
    'all of the primary',
  );
  return world;
}

/** A replica that has halted on a flipped bit, with everything that it will ever know. */
export async function haltedReplica(dataDir?: string): Promise<ReplicaWorld> {
  const wal = flipped(await recordedWal(3), 8 * 200);
  const world = await startFixedReplica(
    'http://127.0.0.1:1',
    dataDir ?? (await temporaryDirectory()),
    { bootstrap: 'wal' },
    { walSource: scriptedSource(() => ({ chunks: () => [{ kind: 'wal', lsn: 0, bytes: wal }] })) },
  );
  await halted(world.replica);
  return world;
}

/** A request of each endpoint that it answers, in the order of the contract; streams are asked to end. */
export const REQUESTS = {
  getLivez: '/livez',
  getReadyz: '/readyz',
  getPage: '/',
  getPageChart: '/page/charts/node.svg',
  getStatus: '/v1/status',
  getReplication: '/v1/replication',
  getWal: '/v1/wal?limit=1',
  getMvcc: '/v1/mvcc?digest_at=3',
  getVersions: '/v1/mvcc/versions?limit=4',
  getSnapshots: '/v1/snapshots',
  getCheckpoints: '/v1/checkpoints',
  getMachine: '/v1/machine?chart=0',
  getEvents: '/v1/events?follow=0',
  explainReplication: '/v1/explain/replication',
  explainRecovery: '/v1/explain/recovery',
  explainRead: '/v1/explain/read?collection=c&id=a&at=2',
  getMetrics: '/metrics',
  getOpenApi: '/openapi.json',
  postCommits: '/data/v1/commits',
  getDocument: '/data/v1/c/a?at=1&proof=1',
  getDocuments: '/data/v1/c?limit=1&proof=1',
  postSnapshot: '/data/v1/snapshots',
  deleteSnapshot: '/data/v1/snapshots/9',
  postPrune: '/data/v1/prune?up_to=0',
  getIdentity: '/replication/v1/identity',
  getWalStream: '/replication/v1/wal?from_lsn=0',
  listSnapshots: '/replication/v1/snapshots',
  getManifest: '/replication/v1/snapshots/2/manifest',
  getBlock: '/replication/v1/snapshots/2/blocks/0',
} as const satisfies Record<EndpointName, string>;

export type Requests = Partial<Record<EndpointName, string>>;
