import type { Identity } from '../core/identity.ts';
import type { Position } from '../core/position.ts';
import type { Manifest } from '../core/storage/manifest.ts';
import { prepareCommit, type Operation } from '../core/wal/operation.ts';
import { replicationPlane } from '../http/replication-plane.ts';
import { openPrimary } from '../primary/primary.ts';
import { handleOf, type NodeHandle } from './node-handle.ts';
import { configOf, host, portsOf, type HostPorts, type NodeOptions } from './node-host.ts';
import { primaryStatus, type PrimaryStatus } from './primary-status.ts';

export type PrimaryOptions = Omit<NodeOptions, 'primaryUrl'>;

export interface Primary extends NodeHandle<PrimaryStatus> {
  readonly identity: Identity;
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
  /**
   * Removes a snapshot, so that history may be pruned up to the next one.
   * @throws ReplichartError `SNAPSHOT_UNKNOWN`, `STORAGE_FAILED`.
   */
  removeSnapshot(snapshotId: string): Promise<void>;
}

/**
 * Starts a primary on a data directory, and serves it where `listen` says so.
 *
 * @throws ReplichartError `CONFIG_INVALID`, `LISTEN_FAILED`, or why the directory is refused; nothing is written then.
 */
export async function createPrimary(options: PrimaryOptions, ports: HostPorts = {}): Promise<Primary> {
  const config = configOf('primary', options);
  const hosted = await host(config, portsOf(config, ports), (all) => openPrimary(config, all), {
    planes: replicationPlane,
    signal: ports.signal,
  });
  const { node } = hosted;
  return handleOf(hosted, () => primaryStatus(node.snapshot()), {
    identity: node.identity,
    commit: async (operations: readonly Operation[]) => node.commit(prepareCommit(operations)),
    createSnapshot: () => node.createSnapshot(),
    removeSnapshot: (snapshotId: string) => node.removeSnapshot(snapshotId),
  });
}
