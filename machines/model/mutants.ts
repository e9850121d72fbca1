/**
 * Whether every guard, every way out of a state and every recorded field earns its keep: without it something that must
 * never happen happens, and here is how.
 */
import type { AnyStateMachine } from 'xstate';
import type { NodeInput } from '../context.ts';
import { errorText } from '../../src/core/errors.ts';
import { fieldMutants, inputMutants, wayMutants, type ChartMutant } from './chart-mutants.ts';
import { checkChart, checkProduct, exploreChart, guardsAsked, type Counterexample } from './check.ts';

export interface GuardMutant {
  readonly guard: string;
  /** What the guard says, whatever is asked. */
  readonly says: boolean;
  /** Where it was noticed; `null`: nowhere. */
  readonly by: 'exploration' | 'product' | null;
  readonly counterexample: Counterexample | null;
  /** What is wrong with the world that it leads to, whatever the rules of the chart say; `null`: nothing, or no world is modelled. */
  readonly inTheWorld: string | null;
}

/** Three units: so much that one waits, one is in flight, and one is being proven. */
const BOUND = { units: 3 };

/** Each guard of a chart turned into one that always holds, and one that never does. */
export function* guardMutants(machine: AnyStateMachine, role: NodeInput['role']): Generator<GuardMutant> {
  for (const guard of guardsAsked(machine))
    for (const says of [true, false]) {
      const mutant = mutated(machine, guard, says);
      const inTheWorld = role === 'replica' ? brokenInTheWorld(mutant) : null;
      yield { guard, says, ...noticed(mutant, role), inTheWorld };
    }
}

export function mutated(machine: AnyStateMachine, guard: string, says: boolean): AnyStateMachine {
  return machine.provide({ guards: { [guard]: () => says } } as never) as AnyStateMachine;
}

/** What the world alone has against a chart: no rule of the chart is asked, and no table of what must come of an answer. */
export function brokenInTheWorld(machine: AnyStateMachine): string | null {
  for (const bootstrap of ['wal', 'snapshot'] as const) {
    const bound = { units: 1, faults: 1, crashes: 0 };
    const { counterexample } = checkProduct(machine, { bound, bootstrap }, { rules: [] });
    if (counterexample !== null) return counterexample.what;
  }
  return null;
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

export interface ChartMutantFate {
  readonly name: string;
  /** `refused`: it is no chart, or one that the payload table does not fit; `coverage`: a transition is never taken. */
  readonly by: 'refused' | 'exploration' | 'product' | 'coverage' | null;
  readonly what: string;
}

/** Two units take every transition of the charts but two, in half the time that three take. */
const MUTANT_BOUND = { units: 2 };

/** Every way out of a state and every recorded field changed, one at a time, and what became of it. */
export function* chartMutants(machine: AnyStateMachine, role: NodeInput['role']): Generator<ChartMutantFate> {
  const never = new Set(checkChart(machine, role, MUTANT_BOUND).transitions.never);
  const explored = (watching: AnyStateMachine) => void exploreChart(watching, role, MUTANT_BOUND);
  const mutants = [
    ...fieldMutants(machine, explored),
    ...inputMutants(machine, explored),
    ...wayMutants(machine),
  ];
  for (const mutant of mutants) yield { name: mutant.name, ...fateOf(mutant, role, never) };
}

function fateOf(
  { machine }: ChartMutant,
  role: NodeInput['role'],
  neverAnyway: ReadonlySet<string>,
): Omit<ChartMutantFate, 'name'> {
  let mutant: AnyStateMachine;
  let report: ReturnType<typeof checkChart>;
  try {
    mutant = machine();
    report = checkChart(mutant, role, MUTANT_BOUND);
  } catch (error) {
    return { by: 'refused', what: errorText(error) };
  }
  const { counterexample, transitions } = report;
  if (counterexample !== null) return { by: 'exploration', what: counterexample.what };
  const [never] = transitions.never.filter((id) => !neverAnyway.has(id));
  if (never !== undefined) return { by: 'coverage', what: `never taken: ${never}` };
  for (const bootstrap of role === 'replica' ? (['wal', 'snapshot'] as const) : []) {
    const product = checkProduct(mutant, { bound: { units: 2, faults: 1, crashes: 0 }, bootstrap });
    if (product.counterexample !== null) return { by: 'product', what: product.counterexample.what };
  }
  // What only a third unit can show.
  const wider = checkChart(mutant, role, BOUND);
  if (wider.counterexample !== null) return { by: 'exploration', what: wider.counterexample.what };
  const [missing] = wider.transitions.never;
  return missing === undefined ? { by: null, what: '' } : { by: 'coverage', what: `never taken: ${missing}` };
}
