/** Seed after seed, until all are through or one fails. */
import { addTo, type Figures } from './figures.ts';
import { planFor, type Plan } from './plan.ts';
import { run, type Outcome } from './run.ts';
import { shrink } from './shrink.ts';
import type { Sabotage } from './host.ts';

export interface Failure {
  readonly seed: number;
  readonly property: string;
  readonly found: string;
  /** The smallest plan that fails so, and every step of it. */
  readonly plan: Plan;
  readonly transcript: readonly string[];
}

export interface Many {
  readonly seeds: number;
  readonly steps: number;
  readonly figures: Figures;
  readonly failure: Failure | null;
}

export async function runMany(
  from: number,
  seeds: number,
  progress: (done: number) => void = () => undefined,
  sabotage: Sabotage = {},
): Promise<Many> {
  const figures: Figures = {};
  let steps = 0;
  for (let done = 0; done < seeds; done += 1) {
    const plan = planFor(from + done);
    const outcome = await run(plan, sabotage);
    steps += outcome.steps;
    addTo(figures, outcome.figures);
    progress(done + 1);
    if (outcome.violation !== null)
      return { seeds: done + 1, steps, figures, failure: await failureOf(plan, outcome, sabotage) };
  }
  return { seeds, steps, figures, failure: null };
}

export async function failureOf(
  plan: Plan,
  failed: Outcome,
  sabotage: Sabotage = {},
): Promise<Failure | null> {
  const { plan: smallest, outcome } = await shrink(plan, failed, sabotage);
  if (outcome.violation === null) return null;
  const transcript: string[] = [];
  await run(smallest, sabotage, (line) => transcript.push(line));
  return { seed: plan.seed, ...outcome.violation, plan: smallest, transcript };
}
