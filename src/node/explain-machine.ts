import { candidatesOf, type Candidate } from '../../machines/candidates.ts';
import { replicaState, type ReplicaState } from '../../machines/replica-state.ts';
import type { ChartFacts } from './chart-facts.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import { stateLine } from '../core/state-line.ts';

export interface MachineExplanation {
  readonly chart_id: ChartFacts['name'];
  /** Every active state, regions apart: `replicating.ingesting.receiving | replicating.readGate.open`. */
  readonly machine_state: string;
  readonly replica_state: ReplicaState;
  readonly status: NodeSnapshot['status'];
  readonly candidates: readonly Candidate[];
}

/**
 * Where a node is in its chart, and every transition out of there with the verdict of its guard (P5-I14). The same
 * snapshot gives the same bytes.
 */
export function explainMachine(
  { name, chart, claims, routes }: ChartFacts,
  snapshot: NodeSnapshot,
): MachineExplanation {
  const { value, status } = snapshot;
  return {
    chart_id: name,
    machine_state: stateLine(value),
    replica_state: replicaState(value),
    status,
    candidates: candidatesOf(chart(), snapshot, claims, routes),
  };
}
