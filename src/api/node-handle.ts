import type { Explanation } from '../core/explain/explanation.ts';
import type { Position } from '../core/position.ts';
import { blockingReasons } from '../http/health.ts';
import type { CommittedChanges } from '../io/wal/commits.ts';
import { changesOf, type ChangesOptions } from '../node/change-feed.ts';
import type { MetricsPage } from '../node/metrics.ts';
import type { NodeSnapshot, ViewRequest } from '../node/node-snapshot.ts';
import type { Pruned, PruneRequest } from '../node/pruner.ts';
import type { ReadView } from '../node/read-view.ts';
import type { ServedNode } from '../node/served-node.ts';
import { untilReady } from '../node/until-ready.ts';
import { remember, type HostedNode } from './hosted.ts';

/** For a host's own health checks; the same that `/livez` and `/readyz` say. */
export interface Health {
  /** Whether the chart decides; a node that is not live is to be started again. */
  readonly live: boolean;
  /** Whether a read would be admitted now, or at the next application boundary. */
  readonly ready: boolean;
  /** The rules that stand against reads, or the code of the halt. */
  readonly reasons: readonly string[];
}

/** What a host can do with a node, whichever its role. */
export interface NodeHandle<Status> extends AsyncDisposable {
  /** Where the node is served; `null` without `listen`. */
  readonly url: string | null;
  /** What the node is doing at this moment. */
  status(): Status;
  /** The chart's state at this moment, for those who follow the chart itself. */
  snapshot(): NodeSnapshot;
  /** Where applied history ends; `null` before anything is known. */
  position(): Position | null;
  /**
   * Runs `use` on one immutable view, the newest or the one asked for, if the read is provably safe.
   * @throws ReplichartError with the reason of the refusal.
   */
  read<Result>(use: (view: ReadView) => Promise<Result>, request?: ViewRequest): Promise<Result>;
  /** Why a read of a view would be admitted or refused at this moment. */
  explain(request?: ViewRequest): Promise<Explanation>;
  /** The commits of history in their order, each exactly once; goes on for as long as it is read. */
  changes(options?: ChangesOptions): AsyncGenerator<CommittedChanges>;
  /** Calls the listener after every transition; returns how to end that. */
  subscribe(listener: (snapshot: NodeSnapshot) => void): () => void;
  /**
   * Resolves as soon as a read would be admitted. No time is watched: whoever waits only so long gives a signal.
   * @throws ReplichartError with the reason where the node halts, stops or fails before; the signal's reason.
   */
  ready(signal?: AbortSignal): Promise<void>;
  health(): Health;
  /** The node's own registry of Prometheus metrics, without process metrics; a host may put its text into its own. */
  readonly metrics: MetricsPage;
  /**
   * Puts a base file in the place of history and removes the WAL before it, so that a node which lives long takes no more space
   * than its state; reads and writes go on. On a primary never behind its oldest snapshot.
   * @throws ReplichartError `REQUEST_INVALID` on a primary without a snapshot; `STORAGE_FAILED`, `INDEX_DAMAGED`, `WAL_CORRUPT`,
   *   `SNAPSHOT_CORRUPT` with nothing removed.
   */
  prune(request?: PruneRequest): Promise<Pruned>;
  /** Ends the effects under way, closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/** The handle of a node that was started, with what its role adds. */
export function handleOf<Node extends ServedNode, Status, Own extends object>(
  hosted: HostedNode<Node>,
  status: (node: Node) => Status,
  own: Own,
): NodeHandle<Status> & Own {
  const { node, url, stop } = hosted;
  const handle: NodeHandle<Status> & Own = {
    url,
    status: () => status(node),
    snapshot: () => node.snapshot(),
    position: () => node.applied(),
    read: (use, request) => node.gate.read(use, request),
    explain: (request) => node.gate.explain(request),
    changes: (options) => changesOf(node, options),
    subscribe: (listener) => node.subscribe(listener),
    ready: (signal) => untilReady(node, signal),
    health() {
      const reasons = blockingReasons(node);
      return { live: node.snapshot().status !== 'error', ready: reasons.length === 0, reasons };
    },
    metrics: node.metrics,
    prune: (request) => node.prune(request),
    stop,
    [Symbol.asyncDispose]: stop,
    ...own,
  };
  remember(handle, hosted);
  return handle;
}
