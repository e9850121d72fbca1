import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { CLUSTER, NODE, OTHER_CLUSTER } from '../../machines/model/history.ts';
import { advance, genesisChain, observeUnit, type ChainState } from '../../src/core/wal/chain.ts';
import {
  createPrimary,
  createReplica,
  type Position,
  type Primary,
  type PrimaryOptions,
} from '../../src/index.ts';
import { put } from '../support/nodes.ts';
import { appliedCommit, inState, until } from '../support/replicas.ts';
import { scriptedSource, walBytes } from '../support/sources.ts';
import { unitsOf } from '../support/wal-forge.ts';
import { HeldSource } from './held-source.ts';

/**
 * What the validator reads at once is two mebibytes: units of more than half of that are proved one by one, as the model
 * speaks of them.
 */
const DOCUMENT_BYTES = 1_200 * 1024;

const logger = pino({ level: 'silent' });

/** The units of the model as they are in reality: the WAL, and where each unit of it ends. */
export interface Units {
  readonly wal: Buffer;
  /** The chain after so many units. */
  readonly chains: readonly ChainState[];
}

/** Real primaries, and data directories that real nodes left, made once for all paths. */
export interface RealHistory {
  /** Of the primary that the replicas follow: a unit is a segment header and all its frames, or one frame. */
  readonly followed: Units & {
    readonly url: string;
    /** One commit more; says its id. */
    readonly commit: () => Promise<number>;
    /** Where it stands at this moment: durably, as all that a primary speaks of. */
    readonly position: () => Position | null;
  };
  readonly otherCluster: { readonly position: () => Position | null };
  /** Other primaries that a replica may be led to. */
  readonly urls: Readonly<Record<'otherCluster' | 'withoutSnapshot' | 'guarded' | 'diverged', string>>;
  /** Data directories of stopped replicas: all of the first unit applied, by WAL or by snapshot. */
  readonly replica: { readonly afterOne: string; readonly onSnapshot: string };
  /** The WAL of another primary in one segment, and a data directory of it as it was after its first commit. */
  readonly alone: Units & { readonly afterOne: string };
  readonly close: () => Promise<void>;
}

export async function makeHistory(): Promise<RealHistory> {
  const root = await mkdtemp(join(tmpdir(), 'replichart-generated-'));
  const running: Primary[] = [];
  const primary = async (name: string, options: Partial<PrimaryOptions>) => {
    const dataDir = join(root, name);
    const one = await createPrimary(
      { dataDir, clusterId: CLUSTER, listen: '127.0.0.1:0', replication: 'enabled', ...options },
      { logger },
    );
    running.push(one);
    return { one, dataDir, url: one.url as string };
  };
  const followed = await primary('followed', {});
  await commit(followed.one, 'one');
  await followed.one.createSnapshot();
  await commit(followed.one, 'two');
  await commit(followed.one, 'three');
  const wal = await walBytes(followed.dataDir);
  const [, second, third] = unitsOf(wal)
    .filter(({ kind }) => kind === 'commits')
    .map(({ lsn, bytes }) => lsn + bytes);
  const secondSegment = unitsOf(wal).filter(({ kind }) => kind === 'header')[1]?.lsn;
  const chains = chainsAt(wal, [0, secondSegment, second, third]);

  const otherCluster = await primary('other-cluster', { clusterId: OTHER_CLUSTER });
  await commit(otherCluster.one, 'other');
  await otherCluster.one.createSnapshot();
  const withoutSnapshot = await primary('without-snapshot', {});
  const guarded = await primary('guarded', { token: 'a token that the replica does not know' });
  const diverged = await primary('diverged', {});
  await commit(diverged.one, 'another history');
  await commit(diverged.one, 'another history');

  const alone = await primary('alone', { nodeId: NODE, listen: undefined });
  await commit(alone.one, 'one');
  await alone.one.stop();
  const afterOne = join(root, 'alone-after-one');
  await cp(alone.dataDir, afterOne, { recursive: true });
  const again = await primary('alone', { nodeId: NODE, listen: undefined });
  await commit(again.one, 'two');
  await commit(again.one, 'three');
  await again.one.stop();
  const aloneWal = await walBytes(alone.dataDir);
  const ends = unitsOf(aloneWal).map(({ lsn, bytes }) => lsn + bytes);

  return {
    followed: {
      wal,
      chains,
      url: followed.url,
      commit: async () => (await followed.one.commit([put('more', 'more')])).commitId,
      position: () => followed.one.position(),
    },
    otherCluster: { position: () => otherCluster.one.position() },
    urls: {
      otherCluster: otherCluster.url,
      withoutSnapshot: withoutSnapshot.url,
      guarded: guarded.url,
      diverged: diverged.url,
    },
    replica: {
      afterOne: await replicaAfterOne(join(root, 'after-one'), wal.subarray(0, secondSegment)),
      onSnapshot: await replicaOnSnapshot(join(root, 'on-snapshot'), followed.url),
    },
    alone: { wal: aloneWal, chains: chainsAt(aloneWal, [0, ...ends.slice(1)]), afterOne },
    close: async () => {
      for (const one of running) await one.stop();
      await rm(root, { recursive: true });
    },
  };
}

const commit = (primary: Primary, id: string) => primary.commit([put(id, id.padEnd(DOCUMENT_BYTES, '.'))]);

/** The chains at some LSNs of a WAL, by the production code's own account of its units. */
function chainsAt(wal: Buffer, lsns: readonly (number | undefined)[]): readonly ChainState[] {
  const found = new Map<number, ChainState>();
  let chain = genesisChain(CLUSTER);
  found.set(0, chain);
  for (const { lsn } of unitsOf(wal)) {
    chain = advance(observeUnit(chain, wal, lsn, 'whole'));
    found.set(chain.lsn, chain);
  }
  return lsns.map((lsn) => {
    const at = found.get(lsn ?? -1);
    if (at === undefined) throw new Error(`no unit ends at ${lsn}`);
    return at;
  });
}

async function replicaAfterOne(dataDir: string, wal: Buffer): Promise<string> {
  const replica = await createReplica(
    { dataDir, clusterId: CLUSTER, nodeId: NODE, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    { logger, walSource: scriptedSource(() => ({ chunks: () => [{ kind: 'wal', lsn: 0, bytes: wal }] })) },
  );
  await appliedCommit(replica, 1);
  await until(replica, ({ context }) => context.applied?.lsn === wal.length, 'all of the first unit');
  await replica.stop();
  return dataDir;
}

async function replicaOnSnapshot(dataDir: string, primaryUrl: string): Promise<string> {
  const replica = await createReplica(
    { dataDir, clusterId: CLUSTER, nodeId: NODE, primaryUrl, replication: 'enabled', bootstrap: 'snapshot' },
    {
      logger,
      walSource: () => {
        const source = new HeldSource(primaryUrl);
        const openWal = source.openWal.bind(source);
        // The first stream is the probe of the cut; the one after it brings nothing.
        source.hold(false);
        source.openWal = async (from) => {
          const opened = await openWal(from);
          source.hold(true);
          return opened;
        };
        return source;
      },
    },
  );
  await until(replica, inState('replicating.ingesting.receiving'), 'a stream');
  await replica.stop();
  return dataDir;
}

/** The bytes of a unit of the model: from its beginning to its end. */
export function unitAt(
  { wal, chains }: Units,
  index: number,
): { readonly lsn: number; readonly bytes: Buffer } {
  const [from, to] = [chains[index], chains[index + 1]];
  if (from === undefined || to === undefined) throw new Error(`there is no unit ${index}`);
  return { lsn: from.lsn, bytes: wal.subarray(from.lsn, to.lsn) };
}

export function indexOf({ chains }: Units, lsn: number | null | undefined): number {
  const index = chains.findIndex((chain) => chain.lsn === lsn);
  if (index < 0) throw new Error(`no unit of the model ends at LSN ${String(lsn)}`);
  return index;
}
