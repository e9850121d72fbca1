import type { Position } from '../core/position.ts';
import { prepareCommit, type Operation } from '../core/wal/operation.ts';
import { openReplica } from '../replica/replica.ts';
import { handleOf, type NodeHandle } from './node-handle.ts';
import { configOf, host, portsOf, type HostPorts, type NodeOptions } from './node-host.ts';
import { replicaStatus, type ReplicaStatus } from './replica-status.ts';

export type ReplicaOptions = NodeOptions;

export interface Replica extends NodeHandle<ReplicaStatus> {
  /** @throws ReplichartError `WRITE_REFUSED`, always: only the primary makes commits (P5-I6). */
  commit(operations: readonly Operation[]): Promise<Position>;
  /** Attaches ingress again, if it is detached; what comes of it is a transition. */
  attach(): void;
}

/**
 * Starts a replica on a data directory, and serves it where `listen` says so.
 *
 * @throws ReplichartError `CONFIG_INVALID`, `LISTEN_FAILED`, or why the directory is refused; nothing is written then.
 */
export async function createReplica(options: ReplicaOptions, ports: HostPorts = {}): Promise<Replica> {
  const config = configOf('replica', options);
  const hosted = await host(config, portsOf(config, ports), (all) => openReplica(config, all), ports);
  const { node } = hosted;
  return handleOf(hosted, () => replicaStatus(node.snapshot(), node.primaryPosition()), {
    commit: async (operations: readonly Operation[]) => node.commit(prepareCommit(operations)),
    attach: () => node.attach(),
  });
}
