/**
 * The whole check of a chart: exploration among any answers, and of a replica's chart also the products with primary, network
 * and disk. The same machine gives the same report.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { stateLine, type StateValue } from '../../src/core/state-line.ts';
import { chartOf, guardName, stateNodes, transitionsOf } from '../chart.ts';
import type { NodeContext, NodeInput } from '../context.ts';
import { alphabetOf, type PayloadTable } from './alphabet.ts';
import { chartModel, type ChartState, type Move, type Taken } from './chart-model.ts';
import { explore, type Graph, type Step } from './graph.ts';
import type { Bound } from './outcome.ts';
import { nodeOutcomes, primaryOutcomes } from './outcomes.ts';
import { productModel, type ProductMove, type ProductOptions, type ProductState } from './product/product.ts';
import { hasAll, isDoomed } from './product/catching-up.ts';
import { stranded } from './reach.ts';
import { RULES, type Rule } from './rules.ts';

/** What is wrong, and the shortest way there, one line for each thing that happens. */
export interface Counterexample {
  readonly what: string;
  readonly transcript: readonly string[];
}

export interface ChartReport {
  readonly bound: Bound;
  readonly states: number;
  readonly steps: number;
  readonly events: number;
  readonly transitions: { readonly taken: number; readonly all: number; readonly never: readonly string[] };
  /** How often each guard held, and did not. */
  readonly guards: Readonly<Record<string, GuardOutcomes>>;
  readonly counterexample: Counterexample | null;
}

export interface GuardOutcomes {
  readonly held: number;
  readonly failed: number;
}

export interface ProductReport extends ProductOptions {
  readonly states: number;
  readonly steps: number;
  readonly counterexample: Counterexample | null;
}

/** What else a check looks at. */
export interface CheckOptions {
  /** What must hold; left out, `RULES`. Whoever adds to it says `[...RULES, ownRule]`. */
  readonly rules?: readonly Rule[];
  /** Told of every new state, with how many there are by then. */
  readonly found?: (states: number) => void;
}

/** The payload table of the chart of a role. */
export function tableOf(role: NodeInput['role']): PayloadTable {
  return role === 'primary' ? primaryOutcomes : nodeOutcomes;
}

export type ChartGraph = Graph<ChartState, Move, Taken>;

/** Everything a chart can do among effects that answer anything. */
export function exploreChart(
  machine: AnyStateMachine,
  role: NodeInput['role'],
  bound: Bound,
  { rules = RULES, ...told }: CheckOptions = {},
): ChartGraph {
  return explore(chartModel(machine, { role, table: tableOf(role), bound, rules, ...told }));
}

/**
 * Explores a chart among effects that answer anything, and says whether a rule breaks or a state is a dead end; which
 * transitions were taken, and what the guards said. Where there is a counterexample, it is a shortest one, and the figures are
 * those of the exploration up to it.
 *
 * @throws Error where the payload table does not fit the chart.
 */
export function checkChart(
  machine: AnyStateMachine,
  role: NodeInput['role'],
  bound: Bound,
  options: CheckOptions = {},
): ChartReport {
  const counted = countingGuards(machine);
  const graph = exploreChart(counted.machine, role, bound, options);
  const taken = new Set(
    [...graph.vertices.values()].flatMap(({ edges }) => edges.flatMap(({ note }) => note ?? [])),
  );
  const all = chartOf(machine)
    .transitions.filter(({ event }) => event !== 'initial')
    .map(({ id }) => id);
  return {
    bound,
    ...sizeOf(graph),
    events: alphabetOf(machine).length,
    transitions: { taken: taken.size, all: all.length, never: all.filter((id) => !taken.has(id)) },
    guards: counted.outcomes(),
    counterexample: wrongIn(graph) ?? deadEnd(graph),
  };
}

/** Every working state can still halt and stop; one that is no end leads on. */
function deadEnd(graph: ChartGraph): Counterexample | null {
  const at = (state: ChartState, ...names: readonly string[]) =>
    state.settled !== null && names.some((name) => state.settled?.snapshot.matches(name));
  const works = (state: ChartState) => !at(state, 'halted', 'stopped');
  const goals: readonly [string, (state: ChartState) => boolean, (state: ChartState) => boolean][] = [
    ['P5-I10: A working node can always halt.', (state) => at(state, 'halted'), works],
    [
      'P5-I3: A node can always be stopped.',
      (state) => state.settled?.snapshot.matches({ stopped: 'closed' }) === true,
      () => true,
    ],
  ];
  for (const [what, isWanted, shouldReach] of goals) {
    const found = stranded(graph, isWanted, shouldReach);
    if (found !== null) return { what, transcript: transcriptOf(graph.pathTo(found.key)) };
  }
  return null;
}

/**
 * Explores a replica's chart among a primary, a network and a disk, up to a bound on units of WAL, faults and crashes; says
 * whether a rule breaks, or a replica that lost nothing for good cannot catch up. A counterexample is a shortest one.
 */
export function checkProduct(
  machine: AnyStateMachine,
  options: ProductOptions,
  { rules, ...told }: CheckOptions = {},
): ProductReport {
  const graph = explore({ ...productModel(machine, options, rules), ...told });
  return { ...options, ...sizeOf(graph), counterexample: wrongIn(graph) ?? noProgress(graph) };
}

type ProductGraph = Graph<ProductState, ProductMove>;

/** Where nothing was lost for good, a replica can come to hold all of its primary's history, and to serve it. */
function noProgress(graph: ProductGraph): Counterexample | null {
  const found = stranded(graph, isCaughtUp, ({ world }) => !isDoomed(world));
  return found === null
    ? null
    : {
        what: 'P5-I10: A replica that lost nothing for good can come to serve all of its primary’s history.',
        transcript: transcriptOf(graph.pathTo(found.key)),
      };
}

function isCaughtUp({ node, world }: ProductState): boolean {
  return node !== null && node.snapshot.matches({ replicating: { readGate: 'open' } }) && hasAll(world);
}

function wrongIn<State extends ChartState | ProductState, M extends { name: string }, Note>(
  graph: Graph<State, M, Note>,
): Counterexample | null {
  return graph.wrong === null ? null : { what: graph.wrong.what, transcript: transcriptOf(graph.wrong.path) };
}

function sizeOf(graph: { readonly vertices: ReadonlyMap<string, { readonly edges: readonly unknown[] }> }) {
  let steps = 0;
  for (const { edges } of graph.vertices.values()) steps += edges.length;
  return { states: graph.vertices.size, steps };
}

/** What happened, and where the chart and its positions stood after it. */
function transcriptOf(
  path: readonly Step<ChartState | ProductState, { readonly name: string }>[],
): readonly string[] {
  return path.map(({ move, state }, index) => {
    const settled = 'settled' in state ? state.settled : state.node;
    const where = settled === null ? '' : `  → ${lineOf(settled.snapshot)}`;
    return `${index + 1}. ${move.name}${where}`;
  });
}

/** Where a chart rests, as one line, with the cause of a halt: `replicating.ingesting.receiving | …`. */
export function lineOf(snapshot: AnyMachineSnapshot): string {
  const { halt } = snapshot.context as NodeContext;
  const line = stateLine(snapshot.value as StateValue);
  return halt === null ? line : `${line} (${halt.rule ?? halt.code})`;
}

/** The machine with guards that are counted as XState evaluates them. */
function countingGuards(machine: AnyStateMachine) {
  const outcomes = new Map<string, { held: number; failed: number }>(
    guardsAsked(machine).map((name) => [name, { held: 0, failed: 0 }]),
  );
  const guards = Object.fromEntries(
    [...outcomes].map(([name, count]) => {
      const guard = guardOf(machine, name);
      return [
        name,
        (args: object) => {
          const holds = guard(args);
          count[holds ? 'held' : 'failed'] += 1;
          return holds;
        },
      ];
    }),
  );
  return {
    machine: machine.provide({ guards } as never) as AnyStateMachine,
    outcomes: () => Object.fromEntries(outcomes),
  };
}

/** The names of the guards that a chart asks, in document order. */
export function guardsAsked(machine: AnyStateMachine): readonly string[] {
  const names = stateNodes(machine).flatMap((node) => transitionsOf(node).map(guardName));
  return [...new Set(names)].filter((name) => name !== null);
}

function guardOf(machine: AnyStateMachine, name: string): (args: object) => boolean {
  const guard = machine.implementations.guards[name] as unknown;
  if (typeof guard !== 'function') throw new Error(`the chart asks "${name}", which is no guard`);
  return guard as (args: object) => boolean;
}
