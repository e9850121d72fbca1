import { expect } from 'vitest';
import { sorted } from '../../scripts/simulate/figures.ts';
import { runMany } from '../../scripts/simulate/many.ts';
import { depth } from '../faults/depth.ts';
import { recordFaults } from '../faults/report.ts';

/** How many seeds a stretch has; more of them: `npm run simulate`. */
const SEEDS = depth === 'all' ? 2_500 : 1_000;

/** The seeds of the so manieth stretch. Each stretch is a file of tests, as files run at the same time. */
export async function seedsHold(stretch: number): Promise<void> {
  const from = (stretch - 1) * SEEDS + 1;
  const { failure, seeds, figures } = await runMany(from, SEEDS);
  expect(failure, failure?.transcript.join('\n')).toBeNull();
  expect(seeds).toBe(SEEDS);
  recordFaults({
    faultClass: `simulated clusters, seeds ${from} to ${from + SEEDS - 1}`,
    injectedBy: 'a plan drawn from each seed',
    cases: SEEDS,
    outcomes: { 'every property held': SEEDS, ...sorted(figures) },
  });
}
