/** A plan that fails, without what it does not need for that. */
import { run, type Outcome } from './run.ts';
import type { Plan } from './plan.ts';
import type { Sabotage } from './host.ts';

export interface Shrunk {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly tries: number;
}

/** Leaves out actions, many at first and one at a time in the end, as long as the same property does not hold. */
export async function shrink(plan: Plan, failed: Outcome, sabotage: Sabotage = {}): Promise<Shrunk> {
  let smallest = { plan, outcome: failed };
  let tries = 0;
  const fails = async (actions: Plan['actions']): Promise<boolean> => {
    tries += 1;
    const thinner = { ...plan, actions };
    const outcome = await run(thinner, sabotage);
    if (outcome.violation?.property !== failed.violation?.property) return false;
    smallest = { plan: thinner, outcome };
    return true;
  };
  for (let size = plan.actions.length >> 1; size >= 1; size >>= 1) {
    let hasShrunk = true;
    // One that was needed at first may not be any more when others are gone.
    while (hasShrunk) {
      hasShrunk = false;
      for (let from = 0; from < smallest.plan.actions.length;) {
        const { actions } = smallest.plan;
        if (await fails([...actions.slice(0, from), ...actions.slice(from + size)])) hasShrunk = true;
        else from += size;
      }
    }
  }
  return { ...smallest, tries };
}
