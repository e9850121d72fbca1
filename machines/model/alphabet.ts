/** The alphabet of a chart: read off the machine, joined with the payload table; what has no payload is an error. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import type { EffectFault } from '../../src/core/halt.ts';
import { eventOf, stateNodes, transitionsOf } from '../chart.ts';
import { CANNOT, type Bound, type Outcome } from './outcome.ts';
import { runningIn, type Running } from './pure-chart.ts';

/** One thing that may happen to a chart, by a name that a person and an executor understand. */
export interface ChartMove {
  /** `validate: checksum does not match`, `validate fails`, `node.stop`. */
  readonly name: string;
  readonly event: EventObject;
  /** The effect that ends, if it is one. */
  readonly effect: string | null;
  /** The name of its answer; `null` for a failure, and for what comes from outside. */
  readonly outcome: string | null;
}

export type PayloadTable = Readonly<Record<string, Readonly<Record<string, Outcome<never, unknown>>>>>;

const STORAGE_FAULT: EffectFault = {
  effect: 'writePath',
  code: 'STORAGE_FAILED',
  message: 'EIO: i/o error, fdatasync',
  error: { name: 'Error', code: 'EIO' },
};

/** What a host, an operator or the write path may say to a chart. */
const OUTSIDE: Readonly<Record<string, EventObject>> = {
  'node.stop': { type: 'node.stop' },
  'replica.attach': { type: 'replica.attach' },
  'storage.failed': { type: 'storage.failed', fault: STORAGE_FAULT } as EventObject,
};

const DONE = 'xstate.done.actor.';
const FAILED = 'xstate.error.actor.';

/** Every event that a chart speaks of. */
export function alphabetOf(machine: AnyStateMachine): readonly string[] {
  const events = stateNodes(machine).flatMap((node) => transitionsOf(node).map(eventOf));
  return [...new Set(events)].filter((event) => event !== 'always').sort();
}

/** Events of the chart for which nobody says what they carry, and payloads for which there is no event. */
export function unmatched(machine: AnyStateMachine, table: PayloadTable): readonly string[] {
  const alphabet = alphabetOf(machine);
  const outside = alphabet.filter((event) => !event.startsWith(DONE) && !event.startsWith(FAILED));
  const effects = new Set(
    alphabet.filter((event) => event.startsWith(DONE)).map((event) => event.slice(DONE.length)),
  );
  const failing = new Set(
    alphabet.filter((event) => event.startsWith(FAILED)).map((event) => event.slice(FAILED.length)),
  );
  return [
    ...outside.filter((event) => !(event in OUTSIDE)).map((event) => `${event} has no payload`),
    ...[...effects].filter((id) => !(id in table)).map((id) => `the answer of ${id} has no payload`),
    ...[...effects]
      .filter((id) => !failing.has(id))
      .map((id) => `nothing says what a failure of ${id} leads to`),
    ...Object.keys(table)
      .filter((id) => !effects.has(id))
      .map((id) => `${id} is no effect of the chart`),
  ];
}

/** Everything that may happen in a state: each running effect answers in each of its ways or fails, and each word from outside. */
export function movesOf(machine: AnyStateMachine, table: PayloadTable, bound: Bound) {
  const missing = unmatched(machine, table);
  if (missing.length > 0) throw new Error(`the payload table does not fit the chart: ${missing.join('; ')}`);
  const outside = alphabetOf(machine)
    .filter((event) => event in OUTSIDE)
    .map((name): ChartMove => ({ name, event: OUTSIDE[name] as EventObject, effect: null, outcome: null }));
  return (snapshot: AnyMachineSnapshot): readonly ChartMove[] =>
    snapshot.status === 'active'
      ? [...runningIn(snapshot).flatMap((effect) => answersOf(effect, table, bound)), ...outside]
      : [];
}

function answersOf({ id, src, input }: Running, table: PayloadTable, bound: Bound): ChartMove[] {
  const answers = Object.entries(table[src] ?? {}).flatMap(([outcome, answer]) => {
    const output = answer(input as never, bound);
    return output === CANNOT ? [] : [answerOf(id, outcome, output)];
  });
  return [...answers, failureOf(id)];
}

/** An effect answers. */
export function answerOf(effect: string, outcome: string, output: unknown): ChartMove {
  const event = { type: `${DONE}${effect}`, output, actorId: effect };
  return { name: `${effect}: ${outcome}`, event, effect, outcome };
}

/** An effect fails instead of answering: the disk, or a bug. */
export function failureOf(effect: string): ChartMove {
  const error = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  const event = { type: `${FAILED}${effect}`, error, actorId: effect };
  return { name: `${effect} fails`, event, effect, outcome: null };
}
