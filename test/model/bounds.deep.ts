/** The explorations again, with more WAL, more faults and more crashes than `npm test` has time for. */
import { readFile } from 'node:fs/promises';
import type { AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { checkChart, checkProduct } from '../../machines/model/check.ts';
import { nodeMachine } from '../../machines/node.ts';
import { chartMutantFates, chartMutantsDocument } from '../../scripts/chart-mutants-document.ts';
import { mergedDiffer } from './abstraction.ts';

const node = nodeMachine as AnyStateMachine;

// Some combinations of the regions occur only with a fourth and a fifth unit; no rule is broken in them.
test.each([4, 5])('P5-I2: the chart breaks no rule with %i units of WAL either', (units) => {
  const { counterexample, states, transitions } = checkChart(node, 'replica', { units });
  process.stdout.write(`${units} units: ${states} states\n`);
  expect([counterexample, transitions.never]).toEqual([null, []]);
});

test('P5-I2: states that are taken for the same do the same, also with three units', () => {
  const { compared, differing } = mergedDiffer(node, 3);
  expect(differing.slice(0, 3)).toEqual([]);
  expect(compared).toBeGreaterThan(5_000);
});

describe.each(['wal', 'snapshot'] as const)('a replica that begins from %s', (bootstrap) => {
  test.each([
    { units: 3, faults: 1, crashes: 0 },
    { units: 3, faults: 0, crashes: 1 },
    { units: 2, faults: 2, crashes: 1 },
    { units: 2, faults: 1, crashes: 2 },
  ])('P5-I2: breaks no rule with $units units, $faults faults and $crashes crashes', (bound) => {
    const { counterexample, states } = checkProduct(node, { bound, bootstrap });
    process.stdout.write(`${bootstrap} ${JSON.stringify(bound)}: ${states} states\n`);
    expect(counterexample).toBeNull();
  });
});

test('P5-I17: no chart that is wrong in one place goes unnoticed, and docs/generated/CHART-MUTANTS.md says so', async () => {
  const fates = chartMutantFates();
  expect(fates.filter(({ by }) => by === null)).toEqual([]);
  // Renewed by: npm run generate docs/generated/CHART-MUTANTS.md
  expect(chartMutantsDocument(fates)).toBe(await readFile('docs/generated/CHART-MUTANTS.md', 'utf8'));
});
