import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';
import { shortName } from './labels.ts';

/** The configuration of a machine, or of a state in it, as JSON. */
export interface MachineConfig {
  readonly [field: string]: unknown;
}

/**
 * A chart as the configuration of a machine, in JSON: XState's `createMachine` takes it, and makes a machine of the same
 * chart. Guards, actions and effects are names; who runs it provides them. Where a part of a chart does not show how a
 * state is entered, the first state in it stands for that, as it would in SCXML.
 */
export function xstateOf(chart: Chart): string {
  return `${JSON.stringify(machineConfig(chart), null, 2)}\n`;
}

export function machineConfig(chart: Chart): MachineConfig {
  const root = chart.states.find(({ parent }) => parent === null);
  return { id: chart.id, ...(root === undefined ? {} : stateConfig(chart, root)) };
}

function stateConfig(chart: Chart, state: ChartState): MachineConfig {
  const { id, description, invariants, type } = state;
  const children = chart.states.filter(({ parent }) => parent === id);
  const own = chart.transitions.filter(({ source }) => source === id);
  const ofEffects = new Set(state.invokes.flatMap((one) => [doneOf(one.id), errorOf(one.id)]));
  const others = own.filter(
    ({ event }) => event !== 'always' && event !== 'initial' && !ofEffects.has(event),
  );
  const isParallel = type === 'parallel' && children.length > 0;
  const [first] = children;
  return {
    ...(description === '' ? {} : { description }),
    ...metaOf(invariants),
    ...(isParallel || type === 'final' ? { type } : {}),
    ...(isParallel || first === undefined ? {} : { initial: entryConfig(state, own, first) }),
    ...effectConfigs(state, own),
    ...(others.length === 0 ? {} : { on: byEvent(others) }),
    ...(own.some(isAlways) ? { always: own.filter(isAlways).map(transitionConfig) } : {}),
    ...(first === undefined
      ? {}
      : {
          states: Object.fromEntries(children.map((child) => [shortName(child), stateConfig(chart, child)])),
        }),
  };
}

function entryConfig(state: ChartState, own: readonly ChartTransition[], first: ChartState): unknown {
  const target = (state.initial ?? first.id).slice(state.id.length + 1);
  const actions = own.find(({ event }) => event === 'initial')?.actions ?? [];
  return actions.length === 0 ? target : { target, actions };
}

function effectConfigs({ invokes }: ChartState, own: readonly ChartTransition[]): MachineConfig {
  if (invokes.length === 0) return {};
  return {
    invoke: invokes.map(({ id, src }) => {
      const on = (event: string) => own.filter((one) => one.event === event).map(transitionConfig);
      const [done, failed] = [on(doneOf(id)), on(errorOf(id))];
      return {
        id,
        src,
        ...(done.length === 0 ? {} : { onDone: done }),
        ...(failed.length === 0 ? {} : { onError: failed }),
      };
    }),
  };
}

function doneOf(id: string): string {
  return `xstate.done.actor.${id}`;
}

function errorOf(id: string): string {
  return `xstate.error.actor.${id}`;
}

function isAlways({ event }: ChartTransition): boolean {
  return event === 'always';
}

function byEvent(transitions: readonly ChartTransition[]): MachineConfig {
  const events = [...new Set(transitions.map(({ event }) => event))];
  return Object.fromEntries(
    events.map((event) => [event, transitions.filter((one) => one.event === event).map(transitionConfig)]),
  );
}

function transitionConfig({
  guard,
  targets,
  actions,
  description,
  invariants,
}: ChartTransition): MachineConfig {
  return {
    ...(guard === null ? {} : { guard }),
    ...(targets.length === 0 ? {} : { target: targets.map((id) => `#${id}`) }),
    ...(actions.length === 0 ? {} : { actions }),
    ...(description === null ? {} : { description }),
    ...metaOf(invariants),
  };
}

function metaOf(invariants: readonly string[]): MachineConfig {
  return invariants.length === 0 ? {} : { meta: { invariants } };
}
