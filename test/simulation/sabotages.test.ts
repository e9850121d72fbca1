import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { planOf, planText } from '../../scripts/simulate/plan-file.ts';
import { planFor } from '../../scripts/simulate/plan.ts';
import { run } from '../../scripts/simulate/run.ts';
import { sabotaged, SABOTAGES } from '../../scripts/simulate/sabotages.ts';
import { shrink } from '../../scripts/simulate/shrink.ts';
import { recordFaults } from '../faults/report.ts';

const CAUSE = 'a halt has a cause';
const DURABLE = 'what the primary takes to be durable is durable';
const STRETCH = 'the WAL of a replica is a stretch of the durable WAL of the primary';

/** The first seed that finds it, and by which property. */
const FOUND: Record<keyof typeof SABOTAGES, readonly [seed: number, property: string]> = {
  'the primary does not sync its WAL': [1, DURABLE],
  'a replica does not sync its WAL': [33, CAUSE],
  'the primary acknowledges before its WAL is synced': [1, DURABLE],
  'a replica answers that it has persisted before it has written': [1, CAUSE],
  'the primary does not sync names': [1, DURABLE],
  'a replica does not sync names': [77, CAUSE],
  'an index write is not durable': [4, 'a start that is refused has a cause'],
  'the index is not synced before history goes': [4, 'a start that is refused has a cause'],
  'the index of a replica forgets an entry': [1, 'a read shows what history says'],
  'P5-I5 checksumMatches always holds': [49, STRETCH],
  'P5-I4 historyIsContinuous, P5-I4 unitIsInOrder and P5-I6 commitIdsAreDense always hold': [23, STRETCH],
  'P5-I4 historyIsThePrimarys always holds': [
    43,
    'a replica of another history halts, and no other one does',
  ],
  'P5-I10 noHaltIsRecorded always holds': [43, 'a halt stays until it is cleared'],
  'P5-I8 blocksAreIntact and P5-I8 baseIsWhole always hold': [24, CAUSE],
  'every rule of the read gate always holds': [3, 'a replica without faults catches up'],
  'P5-I12 viewIsApplied always holds': [6, 'a view shows nothing that is not durable on the primary'],
};

describe('a system that is wrong in one place is found', () => {
  for (const [name, [seed, property]] of Object.entries(FOUND))
    test(name, async () => {
      const system = SABOTAGES[name as keyof typeof SABOTAGES];
      const outcome = await sabotaged(system, () => run(planFor(seed), system.sabotage));
      expect(outcome.violation).toMatchObject({ property });
      recordFaults({
        faultClass: `sabotage: ${name}`,
        injectedBy: 'the simulation of a system that is wrong in one place',
        cases: 1,
        outcomes: { [`found by seed ${seed}: ${property}`]: 1 },
      });
      // The same plan holds on a system that is right: what was found is the sabotage.
      expect((await run(planFor(seed))).violation).toBeNull();
    });
});

const planFile = (name: string) => new URL(`plans/${name.replace(/\W+/g, '-')}.json`, import.meta.url);

// What a failing seed leaves behind when it is shrunk; written anew by `UPDATE_PLANS=1 npx vitest run test/simulation/sabotages`.
describe('a shrunk plan that was kept fails as long as the fault is there', () => {
  for (const [name, [seed, property]] of Object.entries(FOUND))
    test(name, async () => {
      const system = SABOTAGES[name as keyof typeof SABOTAGES];
      if (process.env['UPDATE_PLANS'] === '1')
        await sabotaged(system, async () => {
          const plan = planFor(seed);
          const { plan: smallest } = await shrink(plan, await run(plan, system.sabotage), system.sabotage);
          await writeFile(planFile(name), planText(smallest));
        });
      const plan = planOf(await readFile(planFile(name), 'utf8'));
      const outcome = await sabotaged(system, () => run(plan, system.sabotage));
      expect(outcome.violation).toMatchObject({ property });
      expect((await run(plan)).violation).toBeNull();
    });
});

test('what is found is shrunk to what it needs', async () => {
  const system = SABOTAGES['P5-I12 viewIsApplied always holds'];
  const [seed] = FOUND['P5-I12 viewIsApplied always holds'];
  const plan = planFor(seed);
  await sabotaged(system, async () => {
    const failed = await run(plan, system.sabotage);
    const { plan: smallest, outcome } = await shrink(plan, failed, system.sabotage);
    expect(outcome.violation?.property).toBe(failed.violation?.property);
    expect(smallest.actions.length).toBeLessThan(plan.actions.length / 4);
    for (const at of smallest.actions.keys()) {
      const thinner = { ...smallest, actions: smallest.actions.filter((_, index) => index !== at) };
      const { violation } = await run(thinner, system.sabotage);
      expect(violation?.property, `without action ${at}`).not.toBe(failed.violation?.property);
    }
  });
});
