/**
 * A chart as plain data, read off the machine itself: every state, every transition, and what decides it (P5-I1, P5-I3).
 * Whatever draws or explains a chart draws and explains this, so that no picture can differ from what runs.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { assertThat } from '../src/core/errors.ts';
import type { InvariantId } from '../src/core/invariants.ts';

export interface ChartState {
  /** The path behind the id of the chart: `node.replicating.ingesting`. */
  readonly id: string;
  /** Empty for the root. */
  readonly path: string;
  readonly parent: string | null;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final';
  readonly description: string;
  readonly invariants: readonly InvariantId[];
  readonly invokes: readonly { readonly id: string; readonly src: string }[];
  /** The id of the child that is entered first; only a compound state has one. */
  readonly initial: string | null;
}

export interface ChartTransition {
  /** Source, event, and the place among the candidates of both: `node.disabled -- node.stop [0]`. */
  readonly id: string;
  readonly source: string;
  /** `always` without an event, `initial` for the entry into a compound state. */
  readonly event: string;
  /** The name of the guard. */
  readonly guard: string | null;
  /** The invariant that decides, where the guard is one. */
  readonly invariant: InvariantId | null;
  /** Empty: the state is not left. */
  readonly targets: readonly string[];
  /** The names of the actions. */
  readonly actions: readonly string[];
  readonly description: string | null;
  readonly invariants: readonly InvariantId[];
}

export interface Chart {
  readonly id: string;
  readonly description: string;
  readonly initial: string | null;
  /** In document order; the root comes first. */
  readonly states: readonly ChartState[];
  /** In document order of their sources; of one source and event, in the order in which they are tried. */
  readonly transitions: readonly ChartTransition[];
}

/** The chart of a machine. The same machine gives the same bytes. */
export function chartOf(machine: AnyStateMachine): Chart {
  const nodes = stateNodes(machine);
  return {
    id: machine.root.id,
    description: machine.root.description ?? '',
    initial: initialOf(machine.root),
    states: nodes.map(stateOf),
    transitions: nodes.flatMap((node) => [...initialEdges(node), ...transitionsOf(node).map(transitionOf)]),
  };
}

/** Every state of a machine, in document order; the root comes first. */
export function stateNodes(machine: AnyStateMachine): AnyStateNode[] {
  const walk = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(walk)];
  return walk(machine.root);
}

/** Every transition that a state defines itself: on events, when effects end, and eventless ones. */
export function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

/** `always` for an eventless transition. */
export function eventOf({ eventType }: AnyTransitionDefinition): string {
  return (eventType as string) === '' ? 'always' : (eventType as string);
}

/** `null` without a guard; `inline` for one that has no name. */
export function guardName({ guard }: AnyTransitionDefinition): string | null {
  return guard === undefined ? null : nameOf(guard);
}

/** The id of a transition: it stays as long as source, event and place among the candidates stay. */
export function transitionId(transition: AnyTransitionDefinition): string {
  const event = eventOf(transition);
  const place = transitionsOf(transition.source)
    .filter((one) => eventOf(one) === event)
    .indexOf(transition);
  assertThat(place >= 0, `a transition of ${transition.source.id} is among its own`);
  return idOf(transition.source.id, event, place);
}

function idOf(source: string, event: string, place: number): string {
  return `${source} -- ${event} [${place}]`;
}

function stateOf(node: AnyStateNode): ChartState {
  const { id, path, parent, type, description = '', invoke } = node;
  assertThat(type !== 'history', `${id} is no history state: a node remembers in files`);
  return {
    id,
    path: path.join('.'),
    parent: parent?.id ?? null,
    type,
    description,
    invariants: invariantsOf(node),
    invokes: invoke.map((one) => ({ id: one.id, src: nameOf(one.src) })),
    initial: initialOf(node),
  };
}

function transitionOf(transition: AnyTransitionDefinition): ChartTransition {
  const guard = guardName(transition);
  return {
    id: transitionId(transition),
    source: transition.source.id,
    event: eventOf(transition),
    guard,
    invariant: (guard?.match(/^P5-I\d+(?= )/)?.[0] ?? null) as InvariantId | null,
    targets: transition.target?.map(({ id }) => id) ?? [],
    actions: transition.actions.map(nameOf),
    description: transition.description ?? null,
    invariants: invariantsOf(transition),
  };
}

function initialEdges(node: AnyStateNode): ChartTransition[] {
  const initial = initialOf(node);
  if (initial === null) return [];
  return [
    {
      id: idOf(node.id, 'initial', 0),
      source: node.id,
      event: 'initial',
      guard: null,
      invariant: null,
      targets: [initial],
      actions: node.initial.actions.map(nameOf),
      description: null,
      invariants: [],
    },
  ];
}

function initialOf(node: AnyStateNode): string | null {
  return node.initial.target[0]?.id ?? null;
}

function invariantsOf({ meta }: { readonly meta?: unknown }): readonly InvariantId[] {
  return (meta as { readonly invariants?: readonly InvariantId[] } | undefined)?.invariants ?? [];
}

/** Guards, actions and effects are named by a string, or by an object that holds it with parameters. */
function nameOf(named: unknown): string {
  if (typeof named === 'string') return named;
  const { type } = named as { readonly type?: unknown };
  return typeof type === 'string' ? type : 'inline';
}
