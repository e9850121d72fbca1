import type { Identity } from '../core/identity.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import type { Position } from '../core/position.ts';
import type { Manifest } from '../core/storage/manifest.ts';
import { prepareCommit, type Operation } from '../core/wal/operation.ts';
import { replicationPlane } from '../http/replication-plane.ts';
import type { ReadView } from '../node/read-view.ts';
import type { NodeSnapshot, ViewRequest } from '../node/node-snapshot.ts';
import { openPrimary } from '../primary/primary.ts';
import { configOf, host, portsOf, type HostPorts, type NodeOptions } from './node-host.ts';

export type PrimaryOptions = Omit<NodeOptions, 'primaryUrl'>;

export interface Primary extends AsyncDisposable {
  readonly identity: Identity;
  /** Where the primary is served; `null` without `listen`. */
  readonly url: string | null;
  /** The chart's state at this moment. */
  snapshot(): NodeSnapshot;
  /** Where applied history ends. */
  position(): Position | null;
  /**
   * Makes one commit of the operations, all or nothing. Resolves after the WAL fsync and the storage apply.
   * @throws ReplichartError `COMMIT_INVALID`, `COMMIT_TOO_LARGE`, `NOT_WRITABLE`, `STORAGE_FAILED`.
   */
  commit(operations: readonly Operation[]): Promise<Position>;
  /**
   * Makes a snapshot of all that is committed now, at a segment boundary, while writes go on.
   * @throws ReplichartError `REQUEST_INVALID` before the first commit.
   */
  createSnapshot(): Promise<Manifest>;
  /** Runs `use` on one immutable view: the newest, or the one asked for. */
  read<Result>(use: (view: ReadView) => Promise<Result>, request?: ViewRequest): Promise<Result>;
  /** Why a read of a view would be admitted or refused at this moment. */
  explain(request?: ViewRequest): Promise<Explanation>;
  /** Finishes the commits that were taken, closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a primary on a data directory, and serves it where `listen` says so.
 *
 * @throws ReplichartError `CONFIG_INVALID`, `LISTEN_FAILED`, or why the directory is refused; nothing is written then.
 */
export async function createPrimary(options: PrimaryOptions, ports: HostPorts = {}): Promise<Primary> {
  const config = configOf('primary', options);
  const { node, url, stop } = await host(
    config,
    portsOf(config, ports),
    (all) => openPrimary(config, all),
    replicationPlane,
  );
  return {
    identity: node.identity,
    url,
    snapshot: () => node.snapshot(),
    position: () => node.applied(),
    commit: async (operations) => node.commit(prepareCommit(operations)),
    createSnapshot: () => node.createSnapshot(),
    read: (use, request) => node.gate.read(use, request),
    explain: (request) => node.gate.explain(request),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
