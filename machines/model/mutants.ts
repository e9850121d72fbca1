/** Whether every guard earns its keep: without it something that must never happen happens, and here is how. */
import type { AnyStateMachine } from 'xstate';
import type { NodeInput } from '../context.ts';
import { checkChart, checkProduct, guardsAsked, type Counterexample } from './check.ts';

export interface GuardMutant {
  readonly guard: string;
  /** What the guard says, whatever is asked. */
  readonly says: boolean;
  /** Where it was noticed; `null`: nowhere. */
  readonly by: 'exploration' | 'product' | null;
  readonly counterexample: Counterexample | null;
}

/** Three units: so much that one waits, one is in flight, and one is being proven. */
const BOUND = { units: 3 };

/** Each guard of a chart turned into one that always holds, and one that never does. */
export function* guardMutants(machine: AnyStateMachine, role: NodeInput['role']): Generator<GuardMutant> {
  for (const guard of guardsAsked(machine))
    for (const says of [true, false]) yield { guard, says, ...noticed(mutated(machine, guard, says), role) };
}

export function mutated(machine: AnyStateMachine, guard: string, says: boolean): AnyStateMachine {
  return machine.provide({ guards: { [guard]: () => says } } as never) as AnyStateMachine;
}

/** Rules first; then what a replica among a primary, a network and a disk comes to. */
export function noticed(
  machine: AnyStateMachine,
  role: NodeInput['role'],
): Pick<GuardMutant, 'by' | 'counterexample'> {
  const { counterexample } = checkChart(machine, role, BOUND);
  if (counterexample !== null) return { by: 'exploration', counterexample };
  if (role === 'replica')
    for (const bootstrap of ['wal', 'snapshot'] as const) {
      const bound = { units: 2, faults: 1, crashes: 0 };
      const product = checkProduct(machine, { bound, bootstrap });
      if (product.counterexample !== null) return { by: 'product', counterexample: product.counterexample };
    }
  return { by: null, counterexample: null };
}
