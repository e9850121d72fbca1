import { candidatesOf, type Candidate } from '../../machines/candidates.ts';
import { chartOf, type Chart } from '../../machines/chart.ts';
import type { Claim, Route } from '../../machines/claims.ts';
import { nodeClaims, nodeMachine, nodeRoutes } from '../../machines/node.ts';
import { primaryClaims, primaryMachine, primaryRoutes } from '../../machines/primary.ts';
import { replicaState, type ReplicaState } from '../../machines/replica-state.ts';
import type { Role } from '../core/identity.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import { stateLine } from './transition-log.ts';

/** The charts by the names that faces give them: a replica runs `node`, a primary runs `primary`. */
export const CHART_NAMES = ['node', 'primary'] as const;
export type ChartName = (typeof CHART_NAMES)[number];

interface ChartFacts {
  readonly chart: Chart;
  readonly claims: Readonly<Record<string, Claim>>;
  readonly routes: Readonly<Record<string, Route>>;
}

/** The charts never change, so they are read off the machines once. */
const CHARTS: Readonly<Record<ChartName, ChartFacts>> = {
  node: { chart: chartOf(nodeMachine), claims: nodeClaims, routes: nodeRoutes },
  primary: { chart: chartOf(primaryMachine), claims: primaryClaims, routes: primaryRoutes },
};

const NAME_OF: Readonly<Record<Role, ChartName>> = { replica: 'node', primary: 'primary' };

export interface MachineExplanation {
  /** Every active state, regions apart: `replicating.ingesting.receiving | replicating.readGate.open`. */
  readonly machine_state: string;
  readonly replica_state: ReplicaState;
  readonly status: NodeSnapshot['status'];
  readonly chart: ChartName;
  readonly candidates: readonly Candidate[];
}

/**
 * Where a node is in its chart, and every transition out of there with the verdict of its guard (P5-I14). The same
 * snapshot gives the same bytes.
 */
export function explainMachine(snapshot: NodeSnapshot): MachineExplanation {
  const { value, status, context } = snapshot;
  const name = NAME_OF[context.input.role];
  const { chart, claims, routes } = CHARTS[name];
  return {
    machine_state: stateLine(value),
    replica_state: replicaState(value),
    status,
    chart: name,
    candidates: candidatesOf(chart, snapshot, claims, routes),
  };
}

/** The chart that a node of a role runs; always the same object. */
export function chartFor(role: Role): Chart {
  return chartNamed(NAME_OF[role]);
}

export function chartNamed(name: ChartName): Chart {
  return CHARTS[name].chart;
}
