import { expect, test } from 'vitest';
import { planOf, planText } from '../../scripts/simulate/plan-file.ts';
import { planFor } from '../../scripts/simulate/plan.ts';
import { run } from '../../scripts/simulate/run.ts';
import { argumentsOf } from '../../scripts/simulate/arguments.ts';
import { WHOLE_TIMEOUT_MS } from '../faults/depth.ts';
import { seedsHold } from './seeds.ts';

test(
  'P5-I4 P5-I6 P5-I7 P5-I10 P5-I11 P5-I12: what is acknowledged stays, and what is read is true',
  { timeout: WHOLE_TIMEOUT_MS },
  () => seedsHold(1),
);

test('the same seed is the same run, step by step', async () => {
  for (const seed of [7, 33, 91]) {
    const lines: string[][] = [[], []];
    const [first, second] = [
      await run(planFor(seed), {}, (line) => lines[0]?.push(line)),
      await run(planFor(seed), {}, (line) => lines[1]?.push(line)),
    ];
    expect(lines[1]).toEqual(lines[0]);
    expect(second).toEqual(first);
  }
  expect((await run(planFor(7))).trace).not.toBe((await run(planFor(8))).trace);
});

test('a plan that was written down is the same plan', async () => {
  const plan = planFor(12);
  expect(planOf(planText(plan))).toEqual(plan);
  expect((await run(planOf(planText(plan)))).trace).toBe((await run(plan)).trace);
});

test('arguments that make no sense are refused', () => {
  expect(argumentsOf(['--seeds', '5', '--from', '9'])).toEqual({
    kind: 'seeds',
    from: 9,
    seeds: 5,
    json: false,
  });
  expect(argumentsOf(['--seed', '5', '--json'])).toEqual({ kind: 'one', seed: 5, plan: null, json: true });
  expect(argumentsOf(['--help'])).toEqual({ kind: 'help' });
  for (const wrong of [
    ['--seeds', 'x'],
    ['--seeds', '-1'],
    ['--plan', 'f'],
    ['--seed', '1', '--from', '2'],
    ['more'],
  ])
    expect(argumentsOf(wrong), wrong.join(' ')).toMatchObject({ kind: 'usage' });
});
