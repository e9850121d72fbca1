/** What the plan does to a cluster. */
import { ReplichartError } from '../../src/core/errors.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import type { Cluster } from './cluster.ts';
import { COLLECTION, demand, History, type Commit } from './history.ts';
import { WAL } from './host.ts';
import { PRIMARY, type Action, type Place, type Write } from './plan.ts';
import { read, requestOf } from './reads.ts';
import { EVERYTHING, SYNCED } from './survivors.ts';

export function act(cluster: Cluster, action: Action): void {
  cluster.count(action.do);
  const { clock, primary } = cluster;
  switch (action.do) {
    case 'commit':
      cluster.background(commit(cluster, action.writes));
      break;
    case 'snapshot':
      cluster.background(snapshot(cluster));
      break;
    case 'read':
      cluster.background(read(cluster, action.node, requestOf(cluster, action.view), false));
      break;
    case 'kill': {
      const host = cluster.host(action.node);
      host.armKill(action.after, action.survivors, () => {
        if (action.rots) rot(cluster, action.node);
        clock.at(clock.now + action.down, 'start', () => host.start());
      });
      break;
    }
    case 'disk error':
      cluster.host(action.node).armError(action.code, action.after, action.times, action.written);
      break;
    case 'network fault':
      cluster.followers[action.node]?.link.arm(action.fault, action.after, action.byte);
      break;
    case 'attach':
      cluster.followers[action.node]?.host.node?.attach();
      break;
    case 'clear halt':
      cluster.background(cluster.host(action.node).clearHalt());
      break;
    case 'stop':
      cluster.background(cluster.host(action.node).stop());
      break;
    case 'start':
      cluster.host(action.node).start();
      break;
    case 'backup':
      if (primary.running !== null)
        cluster.backup = {
          disk: primary.disk.after(SYNCED),
          history: new History(cluster.history),
          causes: [...primary.causes],
        };
      break;
    case 'restore':
      restore(cluster);
      break;
    case 'prune':
      cluster.background(prune(cluster, action.node));
      break;
    case 'remove snapshot':
      cluster.background(removeSnapshot(cluster));
  }
}

/** Each commit writes what no other one does. */
let written = 0;

/** Begins the numbers of a run: the same run writes the same bytes. */
export function beginWriting(): void {
  written = 0;
}

export async function commit(cluster: Cluster, writes: readonly Write[]): Promise<void> {
  const { node } = cluster.primary;
  if (node === null) return;
  written += 1;
  const asked: Commit = writes.map(({ id, deletes }) =>
    deletes
      ? { op: 'delete', collection: COLLECTION, id }
      : { op: 'put', collection: COLLECTION, id, document: `${id} of write ${written}` },
  );
  const { history } = cluster;
  history.commits.push(asked);
  try {
    const position = await node.commit(prepareCommit(asked));
    // What an old primary still acknowledges is of the history that it wrote.
    history.acknowledged(asked, position);
    cluster.positions.push(position);
    cluster.count('commits acknowledged');
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    const { code } = error;
    demand(
      code === 'NOT_WRITABLE' || code === 'STORAGE_FAILED',
      'a commit is refused by its code',
      () => `${code}: ${error.message}`,
    );
    cluster.count('commits refused');
    const place = history.commits.indexOf(asked);
    // Of a write that failed nobody knows; of one that was not begun everybody does.
    if (code === 'NOT_WRITABLE' && place >= 0) history.commits.splice(place, 1);
  }
}

async function snapshot(cluster: Cluster): Promise<void> {
  const { node } = cluster.primary;
  if (node === null) return;
  try {
    await node.createSnapshot();
    cluster.count('snapshots made');
  } catch (error) {
    refusedOr(error, 'a snapshot is refused by its code', [
      'NOT_WRITABLE',
      'STORAGE_FAILED',
      'REQUEST_INVALID',
      'READS_BLOCKED',
    ]);
  }
}

async function prune(cluster: Cluster, place: Place): Promise<void> {
  const host = cluster.host(place);
  const { node } = host;
  if (node === null) return;
  // Whoever bootstraps may find that what it began with is gone.
  if (place === PRIMARY) for (const { host: follower } of cluster.followers) follower.causes.add('pruned');
  try {
    const { segments } = await node.prune();
    cluster.count(segments > 0 ? 'prunes' : 'prunes with nothing to do');
  } catch (error) {
    refusedOr(error, 'a prune is refused by its code', [
      'NOT_WRITABLE',
      'STORAGE_FAILED',
      'REQUEST_INVALID',
      'READS_BLOCKED',
      ...(host.causes.has('rot') ? ['WAL_CORRUPT', 'INDEX_DAMAGED'] : []),
    ]);
    cluster.count('prunes refused');
  }
}

async function removeSnapshot(cluster: Cluster): Promise<void> {
  const { node } = cluster.primary;
  if (node === null) return;
  const [oldest] = await node.snapshots.list();
  if (oldest === undefined) return;
  for (const { host } of cluster.followers) host.causes.add('pruned');
  try {
    await node.removeSnapshot(oldest);
    cluster.count('snapshots removed');
  } catch (error) {
    const codes = ['NOT_WRITABLE', 'STORAGE_FAILED', 'SNAPSHOT_UNKNOWN'];
    refusedOr(error, 'a snapshot is kept by its code', codes);
  }
}

function refusedOr(error: unknown, property: string, codes: readonly string[]): void {
  if (!(error instanceof ReplichartError)) throw error;
  const { code, message } = error;
  demand(codes.includes(code), property, () => `${code}: ${message}`);
}

/** A primary as it was some time ago: what came since is forgotten, and something else will come in its place. */
function restore(cluster: Cluster): void {
  const { backup, primary, clock } = cluster;
  if (backup === null) return;
  cluster.backup = null;
  clock.note('FAULT the primary is restored from a backup');
  primary.disarm();
  primary.kill(null);
  primary.disk = backup.disk.after(EVERYTHING);
  primary.haltIsRecorded = primary.disk.filesIn('/data/node').some(({ name }) => name === 'halt');
  cluster.histories.push(backup.history);
  for (const { host } of cluster.followers) host.causes.add('restored');
  for (const cause of backup.causes) primary.causes.add(cause);
  primary.start();
}

/** A bit of the middle of the WAL of a replica turns while it is down. */
function rot(cluster: Cluster, place: number): void {
  const host = cluster.followers[place]?.host;
  const file = host?.disk.filesIn(WAL).find(({ bytes }) => bytes.length > 0);
  if (host === undefined || file === undefined) return;
  cluster.clock.note(`FAULT ${host.options.name}: ${file.name} rots`);
  cluster.count('rot');
  host.causes.add('rot');
  host.disk.damage(`${WAL}/${file.name}`, (bytes) => {
    const place = bytes.length >> 1;
    bytes[place] = (bytes[place] as number) ^ 1;
    return bytes;
  });
}
