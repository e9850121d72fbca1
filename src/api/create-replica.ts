import type { Explanation } from '../core/explain/explanation.ts';
import type { Position } from '../core/position.ts';
import { prepareCommit, type Operation } from '../core/wal/operation.ts';
import type { ReadView } from '../node/read-view.ts';
import type { NodeSnapshot, ViewRequest } from '../node/node-snapshot.ts';
import { openReplica } from '../replica/replica.ts';
import { configOf, host, portsOf, type HostPorts, type NodeOptions } from './node-host.ts';

export type ReplicaOptions = NodeOptions;

export interface Replica extends AsyncDisposable {
  /** Where the replica is served; `null` without `listen`. */
  readonly url: string | null;
  /** The chart's state at this moment. */
  snapshot(): NodeSnapshot;
  /** Where applied history ends; `null` before anything is known. */
  position(): Position | null;
  /** @throws ReplichartError `WRITE_REFUSED`, always: only the primary makes commits (P5-I6). */
  commit(operations: readonly Operation[]): Promise<Position>;
  /**
   * Runs `use` on one immutable view, if the read is provably safe.
   * @throws ReplichartError with the reason of the refusal.
   */
  read<Result>(use: (view: ReadView) => Promise<Result>, request?: ViewRequest): Promise<Result>;
  /** Why a read of a view would be admitted or refused at this moment. */
  explain(request?: ViewRequest): Promise<Explanation>;
  /** Attaches ingress again, if it is detached; what comes of it is a transition. */
  attach(): void;
  /** Calls the listener after every transition; returns how to end that. */
  subscribe(listener: (snapshot: NodeSnapshot) => void): () => void;
  /** Ends the effects under way, closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts a replica on a data directory, and serves it where `listen` says so.
 *
 * @throws ReplichartError `CONFIG_INVALID`, `LISTEN_FAILED`, or why the directory is refused; nothing is written then.
 */
export async function createReplica(options: ReplicaOptions, ports: HostPorts = {}): Promise<Replica> {
  const config = configOf('replica', options);
  const { node, url, stop } = await host(config, portsOf(config, ports), (all) => openReplica(config, all));
  return {
    url,
    snapshot: () => node.snapshot(),
    position: () => node.applied(),
    commit: async (operations) => node.commit(prepareCommit(operations)),
    read: (use, request) => node.gate.read(use, request),
    explain: (request) => node.gate.explain(request),
    attach: () => node.attach(),
    subscribe: (listener) => node.subscribe(listener),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
