import { UNBOUND_CLUSTER, type Identity } from '../core/identity.ts';
import type { HeaderRecord } from '../core/flight/records.ts';
import { unlike, type Unlike } from './difference.ts';

/**
 * Whose steps records tell of: one chart, one node, one cluster. What is not known yet is taken from the first record that
 * says it; from then on no other may be named (P5-I1).
 */
export class Owner {
  readonly #known = new Map<'chart' | 'node_id' | 'cluster_id', string>();

  /** Whom a header names, and who the chart was where it begins. */
  headed({ chart, node_id: nodeId, cluster_id: clusterId, point }: HeaderRecord): Unlike | null {
    return (
      this.#meet('chart', chart) ??
      this.#meet('node_id', nodeId) ??
      this.#meet('cluster_id', clusterId) ??
      this.identified(point.context['identity'] as Identity | null)
    );
  }

  /** Who the chart has found out that it is. */
  identified(identity: Identity | null): Unlike | null {
    if (identity === null) return null;
    const { nodeId, clusterId } = identity;
    // A header is written once the node is bound, and tells it of steps before: on the way there the chart had no cluster.
    const bound = clusterId === UNBOUND_CLUSTER ? null : clusterId;
    return this.#meet('node_id', nodeId) ?? this.#meet('cluster_id', bound);
  }

  #meet(what: 'chart' | 'node_id' | 'cluster_id', found: string | null): Unlike | null {
    if (found === null) return null;
    const known = this.#known.get(what);
    if (known !== undefined && known !== UNBOUND_CLUSTER) return unlike(what, known, found);
    this.#known.set(what, found);
    return null;
  }
}
