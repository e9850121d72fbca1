import type { AnyStateMachine } from 'xstate';
import { nodeMachine } from '../../machines/node.ts';
import { chartModel } from '../../machines/model/chart-model.ts';
import { explore } from '../../machines/model/graph.ts';
import { nodeOutcomes, primaryOutcomes } from '../../machines/model/outcomes.ts';
import { coveringPaths, type TestPath } from '../../machines/model/paths.ts';
import { pureChart } from '../../machines/model/pure-chart.ts';
import { RULES } from '../../machines/model/rules.ts';
import { retraced } from '../../machines/model/walk.ts';
import { primaryMachine } from '../../machines/primary.ts';

/** The charts, and how much history there is in their paths: units of WAL. */
const CHARTS = {
  replica: { machine: nodeMachine as AnyStateMachine, table: nodeOutcomes, bound: { units: 3 } },
  primary: { machine: primaryMachine as AnyStateMachine, table: primaryOutcomes, bound: { units: 2 } },
} as const;

/** The paths that together take every transition of a role's chart. */
export function pathsOf(role: keyof typeof CHARTS): readonly TestPath[] {
  const { machine, table, bound } = CHARTS[role];
  const chart = pureChart(machine);
  const graph = explore(chartModel(machine, { role, table, bound, rules: RULES }));
  return coveringPaths(graph).map((path) => retraced(chart, path));
}
