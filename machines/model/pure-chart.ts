/**
 * A production chart as a pure function: what follows from a state and an event, microstep by microstep, with no effect
 * running. The machine is the one that runs in a node; only its actors never start.
 */
import {
  createEmptyActor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
  type InspectionEvent,
  type StateValue,
} from 'xstate';
import { transitionId } from '../chart.ts';
import { inertScope } from '../inert-scope.ts';
import type { NodeContext, NodeInput } from '../context.ts';

/** A state of the chart between two microsteps. */
export interface Moment {
  readonly status: string;
  readonly value: StateValue;
  readonly context: NodeContext;
}

export interface Microstep {
  readonly before: Moment;
  readonly after: Moment;
  readonly event: string;
  /** The ids of the transitions taken; none where nothing answered the event. */
  readonly transitions: readonly string[];
}

/** A chart at rest, and how it came there from the state before. */
export interface Settled {
  readonly snapshot: AnyMachineSnapshot;
  readonly steps: readonly Microstep[];
  /** Why the chart itself failed: a guard, an action or an eventless loop. */
  readonly failure: string | null;
  /** The effect that has answered, where the chart stays as if it had not. */
  readonly unheard: string | null;
  /** The effects that did not run before. */
  readonly begun: readonly Running[];
}

/** An effect that runs, as the chart started it. */
export interface Running {
  readonly id: string;
  readonly src: string;
  readonly input: unknown;
}

/** Both functions change nothing, and the same arguments give the same result. */
export interface PureChart {
  readonly machine: AnyStateMachine;
  readonly initial: (input: NodeInput) => Settled;
  readonly send: (snapshot: AnyMachineSnapshot, event: EventObject) => Settled;
}

/** A machine of XState as a pure function; a chart that fails is no error but a `failure` in what is returned. */
export function pureChart(machine: AnyStateMachine): PureChart {
  let seen: { snapshot: AnyMachineSnapshot; event: string; transitions: readonly string[] }[] = [];
  const host = createEmptyActor();
  host.system.inspect((inspection: InspectionEvent) => {
    if (inspection.type !== '@xstate.microstep') return;
    seen.push({
      snapshot: inspection.snapshot as AnyMachineSnapshot,
      event: inspection.event.type,
      transitions: inspection._transitions.map(transitionId),
    });
  });
  const scope = inertScope(host);
  const settled = (
    before: AnyMachineSnapshot | null,
    answered: string | null,
    run: () => AnyMachineSnapshot,
  ): Settled => {
    seen = [];
    let failure: string | null = null;
    let snapshot: AnyMachineSnapshot | null = null;
    try {
      snapshot = run();
      if (snapshot.status === 'error') failure = String(snapshot.error);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    let last = before;
    const steps = seen.map(({ snapshot: after, event, transitions }): Microstep => {
      const step = { before: momentOf(last ?? after), after: momentOf(after), event, transitions };
      last = after;
      return step;
    });
    const reached = snapshot ?? last;
    if (reached === null) throw new Error(`the chart cannot be started: ${String(failure)}`);
    const asked = answered === null ? undefined : childOf(before, answered);
    const unheard = asked !== undefined && asked === childOf(reached, answered ?? '') ? answered : null;
    const begun = runningIn(reached).filter(({ id }) => childOf(reached, id) !== childOf(before, id));
    return { snapshot: reached, steps, failure, unheard, begun };
  };
  return {
    machine,
    initial: (input) =>
      settled(null, null, () => machine.getInitialSnapshot(scope, input) as AnyMachineSnapshot),
    send: (snapshot, event) =>
      settled(snapshot, effectOf(event), () => machine.transition(snapshot, event, scope)),
  };
}

/** The id of the effect whose end an event is. */
function effectOf({ type }: EventObject): string | null {
  return /^xstate\.(?:done|error)\.actor\.(\w+)$/.exec(type)?.[1] ?? null;
}

function childOf(snapshot: AnyMachineSnapshot | null, id: string): unknown {
  return (snapshot?.children as Readonly<Record<string, unknown>> | undefined)?.[id];
}

export function momentOf({ status, value, context }: AnyMachineSnapshot): Moment {
  return { status, value: value as StateValue, context: context as NodeContext };
}

/** What XState keeps of an actor that it made. */
interface ChildActor {
  readonly id: string;
  readonly src: string;
  readonly options: { readonly input: unknown };
}

/** The effects that run in a state; nothing runs in one that has ended. */
export function runningIn(snapshot: AnyMachineSnapshot): readonly Running[] {
  if (snapshot.status !== 'active') return [];
  const children = snapshot.children as Readonly<Record<string, ChildActor>>;
  return Object.values(children).map(({ id, src, options }) => ({ id, src, input: options.input }));
}
