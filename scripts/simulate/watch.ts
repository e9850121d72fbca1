/** What must hold of every node after every step. */
import type { NodeSnapshot } from '../../src/node/node-snapshot.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import { durableWal, seenWal, type Cluster, type Follower } from './cluster.ts';
import { demand, type History } from './history.ts';
import { isIn, type Cause, type Host } from './host.ts';

/** Which halts each fault explains. */
const EXPLAINS: Record<Cause, readonly string[]> = {
  'disk error': ['STORAGE_FAILED'],
  altered: [
    'WAL_CORRUPT',
    'WAL_DISORDERED',
    'HISTORY_DIVERGED',
    'CLUSTER_FOREIGN',
    'SNAPSHOT_CORRUPT',
    'SNAPSHOT_DISCONTINUOUS',
  ],
  pruned: ['SNAPSHOT_DISCONTINUOUS'],
  restored: ['HISTORY_DIVERGED', 'SNAPSHOT_DISCONTINUOUS'],
  rot: ['WAL_CORRUPT', 'WAL_DISORDERED', 'HISTORY_DIVERGED', 'CLUSTER_FOREIGN'],
};

const explains = (causes: ReadonlySet<Cause>, code: string) =>
  [...causes].some((cause) => EXPLAINS[cause].includes(code));

export class Watch {
  readonly #cluster: Cluster;
  /** What was there when a node was last looked at: nothing is looked at twice. */
  readonly #seen = new Map<object, { readonly state: NodeSnapshot; readonly changes: number }>();
  /** The process of the primary whose recovery was looked at. */
  #recovered: object | null = null;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    for (const host of [cluster.primary, ...cluster.followers.map((one) => one.host)])
      host.onRefusal = (error) => refused(host, error);
  }

  look(): void {
    this.#primary();
    for (const follower of this.#cluster.followers) this.#follower(follower);
  }

  #isNews({ node, disk }: Cluster['primary'] | Follower['host']): boolean {
    if (node === null) return false;
    const [state, changes] = [node.snapshot(), disk.operations.length];
    const before = this.#seen.get(node);
    if (before?.state === state && before.changes === changes) return false;
    this.#seen.set(node, { state, changes });
    return true;
  }

  #primary(): void {
    const { primary, history } = this.#cluster;
    if (!this.#isNews(primary) || primary.node === null) return;
    halts(primary);
    if (primary.node.snapshot().value !== 'disabled') return;
    const { durable } = primary.node.history();
    if (this.#recovered !== primary.node) {
      this.#recovered = primary.node;
      history.recovered(durable.commitId);
    }
    history.grown(durable, durableWal(primary.disk));
  }

  #follower(follower: Follower): void {
    const { host } = follower;
    if (!this.#isNews(host) || host.node === null) return;
    halts(host);
    const { applied, validated } = host.node.snapshot().context;
    if (validated === null || applied === null || host.causes.has('rot')) return;
    const history = this.#cluster.histories.findLast((one) => isPrefix(follower, one));
    demand(
      history !== undefined,
      'the WAL of a replica is a stretch of the durable WAL of the primary',
      () => {
        const { startLsn, bytes } = seenWal(host.disk);
        const { wal } = this.#cluster.history;
        return `${host.options.name} holds ${bytes.length} bytes from ${String(startLsn)} on, proven to ${validated.lsn}; the primary keeps ${wal.length}`;
      },
    );
    follower.history = history as History;
    const { durable } = follower.history;
    demand(
      applied.commitId <= durable,
      'a replica shows nothing that is not durable on the primary',
      () => `${host.options.name} has applied commit ${applied.commitId}, the primary keeps ${durable}`,
    );
  }
}

/** Whether all that a replica has proven, or has received where nothing altered it, is the beginning of a history. */
export function isPrefix({ host }: Follower, { wal, hashes }: History): boolean {
  const snapshot = host.node?.snapshot();
  const validated = snapshot?.context.validated;
  if (validated === null || validated === undefined) return true;
  if (validated.lsn > wal.length) return false;
  const hash = hashes.get(validated.lsn);
  if (hash !== undefined && hash !== validated.historyHash) return false;
  const { startLsn, bytes } = seenWal(host.disk);
  if (startLsn === null) return true;
  const isWhole = [...host.causes].every((cause) => cause === 'pruned') && isIn(snapshot, 'replicating');
  const own = isWhole ? bytes : bytes.subarray(0, Math.max(0, validated.lsn - startLsn));
  return wal.subarray(startLsn, startLsn + own.length).equals(own);
}

/** A halt has a cause that something explains, and stays until it is cleared. */
function halts(host: Cluster['primary'] | Follower['host']): void {
  const snapshot = host.node?.snapshot();
  if (snapshot === undefined) return;
  const { halt } = snapshot.context;
  if (halt !== null)
    demand(
      explains(host.causes, halt.code),
      'a halt has a cause',
      () =>
        `${host.options.name} halts by ${halt.code} (${String(halt.rule)}): ${JSON.stringify(halt.evidence)}`,
    );
  const isAtWork = isIn(snapshot, 'replicating') || isIn(snapshot, 'disabled');
  demand(
    !(isAtWork && host.haltIsRecorded),
    'a halt stays until it is cleared',
    () => `${host.options.name} is at work again`,
  );
  if (isIn(snapshot, 'halted.resting') && snapshot.context.haltRecordFault === null)
    host.haltIsRecorded = true;
}

/** A start is refused only where nobody says which cluster it is, or the disk fails. */
function refused(host: Host<never> | Cluster['primary'] | Follower['host'], error: unknown): void {
  const code = error instanceof ReplichartError ? error.code : 'no code';
  const isNew = host.options.role === 'replica' && ['PRIMARY_UNREACHABLE', 'READS_BLOCKED'].includes(code);
  demand(
    isNew || explains(host.causes, code),
    'a start that is refused has a cause',
    () => `${host.options.name}: ${code}: ${String(error)}`,
  );
}
