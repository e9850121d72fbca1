import type { Position } from '../core/position.ts';
import type { PreparedCommit } from '../core/wal/operation.ts';
import type { MetricsPage } from './metrics.ts';
import type { SnapshotStore } from '../io/snapshot-store.ts';
import type { ChartFacts } from './chart-facts.ts';
import type { OpenStorage } from './node-storage.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import type { Pruned, PruneRequest } from './pruner.ts';
import type { ReadGate } from './read-gate.ts';
import type { TransitionBuffer } from './transition-buffer.ts';

/** What the faces of a node need of it, whichever its role. */
export interface ServedNode {
  snapshot(): NodeSnapshot;
  /** What is applied and can be read; `null` before recovery is through. */
  applied(): Position | null;
  /** Calls the listener after every transition; returns how to end that. */
  subscribe(listener: (snapshot: NodeSnapshot) => void): () => void;
  /**
   * Calls the listener when what is applied may have grown, and when the node may have changed otherwise; returns how to end
   * that.
   */
  onApplied(listener: () => void): () => void;
  /** Where the primary's durable history ends, as far as this node knows. */
  primaryPosition(): Pick<Position, 'lsn' | 'commitId'> | null;
  /** @throws ReplichartError `WRITE_REFUSED` on a replica. */
  commit(commit: PreparedCommit): Promise<Position>;
  /** The files and the index, while they are open. */
  files(): OpenStorage | null;
  /** The snapshots that the node keeps; a replica keeps none. */
  readonly snapshots: SnapshotStore;
  readonly chart: ChartFacts;
  /** Admits reads, and explains why or why not. */
  readonly gate: ReadGate;
  /** The newest transitions of this run, for whoever follows them. */
  readonly transitions: TransitionBuffer;
  readonly metrics: MetricsPage;
  /**
   * Replaces history by its outcome: a base file, and the WAL behind it. The node goes on meanwhile.
   * @throws ReplichartError as `Pruner.prune` does.
   */
  prune(request?: PruneRequest): Promise<Pruned>;
  /** Ends the effects under way, closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

/** Commit id of the cut of the base file that a node's history begins with, 0 without one; `null` where it is not known. */
export function baseCutOf(node: Pick<ServedNode, 'files' | 'snapshot'>): number | null {
  return node.files()?.storage.baseCut ?? node.snapshot().context.applied?.snapshotCut ?? null;
}
