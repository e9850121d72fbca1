/**
 * Charts that are wrong in one place: a transition that leads elsewhere, or nowhere, or records nothing; an action that
 * forgets one field; an effect that is not asked one. Whatever is not noticed is either a hole in the rules, or something that
 * the chart does not need.
 */
import { assign, createMachine, type AnyStateMachine } from 'xstate';
import type { NodeContext } from '../context.ts';

export interface ChartMutant {
  /** `node.replicating.validating.idle always[0]: leads to provingPresence`. */
  readonly name: string;
  /** @throws Error where XState does not take the configuration. */
  readonly machine: () => AnyStateMachine;
}

type Config = Readonly<Record<string, unknown>>;

/** One way out of a state, as the configuration has it. */
interface Way {
  readonly state: readonly string[];
  readonly keys: readonly string[];
  readonly place: number;
  readonly transition: Config;
  /** The states beside its target. */
  readonly siblings: readonly string[];
}

/** Every way out of every state, changed in each of the ways in which it can be wrong. */
export function* wayMutants(machine: AnyStateMachine): Generator<ChartMutant> {
  const root = machine.config as unknown as Config;
  for (const way of waysOf(root, [])) {
    const where = `${[machine.id, ...way.state].join('.')} ${way.keys.join('.')}[${way.place}]`;
    for (const [what, change] of changesOf(way)) {
      const config = withWay(root, way, change);
      yield {
        name: `${where}: ${what}`,
        machine: () => createMachine(config as never, machine.implementations as never),
      };
    }
  }
}

function* changesOf({ transition, siblings }: Way): Generator<[string, Config | null]> {
  const { target, actions } = transition;
  if (typeof target === 'string') {
    const { target: _, ...staying } = transition;
    yield ['leads nowhere', staying];
    for (const name of siblings) {
      const elsewhere = target.includes('.') || target.startsWith('#') ? besides(target, name) : name;
      yield [`leads to ${elsewhere}`, { ...transition, target: elsewhere }];
    }
  }
  if (actions !== undefined) {
    const { actions: _, ...silent } = transition;
    yield ['records nothing', silent];
  }
  yield ['is gone', null];
}

/** `#node.halted` becomes `#node.stopped`. */
function besides(target: string, name: string): string {
  return `${target.slice(0, target.lastIndexOf('.') + 1)}${name}`;
}

function* waysOf(root: Config, state: readonly string[]): Generator<Way> {
  const config = at(root, state);
  const { always, on = {}, invoke, states = {} } = config as Record<string, Config | undefined>;
  const found: [readonly string[], unknown][] = [
    [['always'], always],
    ...Object.entries(on).map(([event, value]): [readonly string[], unknown] => [['on', event], value]),
    [['invoke', 'onDone'], invoke?.['onDone']],
    [['invoke', 'onError'], invoke?.['onError']],
  ];
  for (const [keys, value] of found)
    for (const [place, transition] of listed(value).entries())
      yield { state, keys, place, transition, siblings: besideTarget(root, state, transition['target']) };
  for (const name of Object.keys(states)) yield* waysOf(root, [...state, name]);
}

/** The two states beside a target that come after it, in document order. */
function besideTarget(root: Config, state: readonly string[], target: unknown): readonly string[] {
  if (typeof target !== 'string') return [];
  const path = target.startsWith('#')
    ? target.split('.').slice(1)
    : [...state.slice(0, -1), target.replace(/^\./, '')];
  const names = Object.keys(at(root, path.slice(0, -1))['states'] as Config);
  const index = names.indexOf(path.at(-1) ?? '');
  return [1, 2]
    .map((step) => names[(index + step) % names.length] ?? '')
    .filter((name) => name !== path.at(-1));
}

function at(root: Config, state: readonly string[]): Config {
  return state.reduce((config, name) => (config['states'] as Record<string, Config>)[name] as Config, root);
}

function listed(value: unknown): readonly Config[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => (typeof one === 'string' ? { target: one } : (one as Config)));
}

function withWay(root: Config, { state, keys, place }: Way, change: Config | null): Config {
  const changed = (config: Config, path: readonly string[]): Config => {
    const [key, ...rest] = path;
    if (key === undefined) return config;
    if (rest.length > 0) return { ...config, [key]: changed(config[key] as Config, rest) };
    const list = listed(config[key]);
    const ways = change === null ? list.filter((_, index) => index !== place) : list.with(place, change);
    return { ...config, [key]: ways };
  };
  return changed(root, [...state.flatMap((name) => ['states', name]), ...keys]);
}

interface Assigner {
  readonly assignment: (args: object, params: unknown) => Readonly<Record<string, unknown>>;
}

/** Every field that an action records, forgotten. */
export function* fieldMutants(
  machine: AnyStateMachine,
  explored: (machine: AnyStateMachine) => void,
): Generator<ChartMutant> {
  const recorded = new Set<string>();
  const actions = machine.implementations.actions as unknown as Readonly<Record<string, Assigner>>;
  const names = Object.keys(actions).filter((name) => 'assignment' in (actions[name] as object));
  const wrapped = (name: string, seen: (partial: Readonly<Record<string, unknown>>) => object) =>
    assign((args: object, params: unknown) => seen((actions[name] as Assigner).assignment(args, params)));
  const watching = Object.fromEntries(
    names.map((name) => [
      name,
      wrapped(name, (partial) => {
        for (const field of Object.keys(partial)) recorded.add(`${name} ${field}`);
        return partial;
      }),
    ]),
  );
  explored(machine.provide({ actions: watching } as never) as AnyStateMachine);
  for (const one of [...recorded].sort()) {
    const [name = '', field = ''] = one.split(' ');
    const forgetting = wrapped(name, ({ [field]: _, ...rest }) => rest);
    yield {
      name: `${name} forgets ${field}`,
      machine: () => machine.provide({ actions: { [name]: forgetting } } as never) as AnyStateMachine,
    };
  }
}

type Question = (args: object) => unknown;

/** The chart in which an effect is asked something else than what the chart asks it. */
export function askedOtherwise(
  machine: AnyStateMachine,
  effect: string,
  change: (asked: never, args: { readonly context: NodeContext }) => unknown,
): AnyStateMachine {
  const changed = (config: Config): Config => {
    const { invoke, states } = config as Record<string, Config | undefined>;
    const inner = states && Object.entries(states).map(([name, one]) => [name, changed(one as Config)]);
    const input = invoke?.['input'];
    return {
      ...config,
      ...(inner === undefined ? {} : { states: Object.fromEntries(inner) as Config }),
      ...(invoke?.['src'] === effect && typeof input === 'function'
        ? {
            invoke: {
              ...invoke,
              input: (args: { readonly context: NodeContext }) =>
                change((input as Question)(args) as never, args),
            },
          }
        : {}),
    };
  };
  const config = changed(machine.config as Config);
  return createMachine(config as never, machine.implementations as never);
}

/** Every field that an effect is asked, forgotten. */
export function* inputMutants(
  machine: AnyStateMachine,
  explored: (machine: AnyStateMachine) => void,
): Generator<ChartMutant> {
  const asked = new Set<string>();
  const effects = Object.keys(machine.implementations.actors);
  const watching = effects.reduce(
    (watched, effect) =>
      askedOtherwise(watched, effect, (input: object | null) => {
        for (const field of Object.keys(input ?? {})) asked.add(`${effect} ${field}`);
        return input;
      }),
    machine,
  );
  explored(watching);
  for (const one of [...asked].sort()) {
    const [effect = '', field = ''] = one.split(' ');
    yield {
      name: `${effect} is not asked ${field}`,
      machine: () =>
        askedOtherwise(machine, effect, (input: object) => {
          const { [field]: _, ...rest } = input as Config;
          return rest;
        }),
    };
  }
}
