import type { applicationActors } from '../../../machines/4-application.ts';
import type { ApplicationFacts } from '../../../src/core/application.ts';
import { indexOf } from '../history.ts';
import { seam, seamThrows, world, type EffectExecutors } from './executor.ts';

/** How each way in which an application ends is caused. */
export const applicationExecutors: Record<keyof typeof applicationActors, EffectExecutors> = {
  apply: {
    outcomes: {
      applied: world(),
      'with a checkpoint elsewhere': seam('a lie: it applied one unit, and says two', async (one) => {
        one.left.appliedBeyond = 1;
        const { chains } = one.units;
        return {
          alter: (facts: ApplicationFacts) => ({
            ...facts,
            checkpoint: { ...facts.checkpoint, ...chains[indexOf(one.units, facts.checkpoint.lsn) + 1] },
          }),
        };
      }),
    },
    fails: world(async ({ disk }) => disk.failNext('index.write')),
  },
  boundary: {
    outcomes: { reached: world() },
    fails: seamThrows('the boundary does nothing that could fail'),
  },
};
