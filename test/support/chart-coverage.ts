/**
 * Which states and transitions of the charts the tests' nodes go through. Every node that a test starts reports here
 * (`recordChart` is its inspector); each test file writes down what it saw, and the end of the run joins and prints it.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, InspectionEvent } from 'xstate';
import { transitionId } from '../../machines/chart.ts';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { stateNodes, transitionNames } from './charts.ts';

export const CHARTS = {
  node: nodeMachine as AnyStateMachine,
  primary: primaryMachine as AnyStateMachine,
} as const;
export type ChartName = keyof typeof CHARTS;
export const CHART_NAMES = ['node', 'primary'] as const satisfies readonly ChartName[];

/** Names of states and transitions that were gone through, for each chart. */
export type ChartCoverage = Record<
  ChartName,
  { readonly states: readonly string[]; readonly transitions: readonly string[] }
>;

const seen: Record<ChartName, { readonly states: Set<string>; readonly transitions: Set<string> }> = {
  node: { states: new Set(), transitions: new Set() },
  primary: { states: new Set(), transitions: new Set() },
};

interface ChartSnapshot {
  readonly machine: AnyStateMachine;
  readonly _nodes: readonly AnyStateNode[];
}

/** An inspector: notes the states entered and the transitions taken. */
export function recordChart(inspection: InspectionEvent): void {
  if (inspection.type !== '@xstate.microstep' && inspection.type !== '@xstate.snapshot') return;
  const { snapshot } = inspection;
  if (!isOfChart(snapshot)) return;
  const chart = chartOf(snapshot.machine);
  if (chart === null) return;
  const { states, transitions } = seen[chart];
  for (const { id } of snapshot._nodes) states.add(id);
  if (inspection.type === '@xstate.snapshot') return;
  for (const transition of inspection._transitions) {
    transitions.add(nameOf(transition));
    // An initial state with an eventless way out is left before any snapshot shows it.
    for (let node: AnyStateNode | undefined = transition.source; node !== undefined; node = node.parent)
      states.add(node.id);
  }
}

/** Everything noted in this process so far. */
export function recorded(): ChartCoverage {
  const listed = (chart: ChartName) => ({
    states: [...seen[chart].states].sort(),
    transitions: [...seen[chart].transitions].sort(),
  });
  return { node: listed('node'), primary: listed('primary') };
}

/** The report of a run; names what was never gone through where `withMissing` says so. */
export function coverageReport(parts: readonly ChartCoverage[], withMissing: boolean): string {
  return CHART_NAMES.flatMap((chart) => {
    const states = missingOf(
      stateNodes(CHARTS[chart]).map(({ id }) => id),
      parts.map((part) => part[chart].states),
    );
    const transitions = missingOf(
      transitionNames(CHARTS[chart]),
      parts.map((part) => part[chart].transitions),
    );
    const missing = [
      ...states.missing.map((name) => `  state never entered: ${name}`),
      ...transitions.missing.map((name) => `  transition never taken: ${name}`),
    ];
    return [
      `${chart} chart: states ${states.found}/${states.all}, transitions ${transitions.found}/${transitions.all}`,
      ...(withMissing ? missing : []),
    ];
  }).join('\n');
}

function missingOf(all: readonly string[], found: readonly (readonly string[])[]) {
  const union = new Set(found.flat());
  const missing = all.filter((name) => !union.has(name));
  return { all: all.length, found: all.length - missing.length, missing };
}

/** Effects are actors too; only a chart has a machine. */
function isOfChart(snapshot: unknown): snapshot is ChartSnapshot {
  return typeof snapshot === 'object' && snapshot !== null && 'machine' in snapshot && '_nodes' in snapshot;
}

/** `provide` makes a new machine of the same configuration. */
function chartOf(machine: AnyStateMachine): ChartName | null {
  return CHART_NAMES.find((name) => CHARTS[name].config === machine.config) ?? null;
}

const names = new WeakMap<AnyTransitionDefinition, string>();

function nameOf(transition: AnyTransitionDefinition): string {
  const name = names.get(transition) ?? transitionId(transition);
  names.set(transition, name);
  return name;
}
