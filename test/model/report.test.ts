/**
 * The production charts, explored whole, and the node chart among a primary, a network and a disk: nothing that must
 * never happen happens, and without any one guard it does. The numbers are pinned by docs/generated/MODEL.md.
 */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { modelDocument, modelReport } from '../../scripts/model-document.ts';

const report = modelReport();

describe.each(report.charts.map((chart) => [chart.name, chart] as const))('the %s chart', (_name, chart) => {
  test('P5-I2: breaks no rule in any state that can be reached, and ends nowhere but in a stop', () => {
    expect(chart.counterexample).toBeNull();
  });

  test('P5-I3: takes every one of its transitions', () => {
    expect(chart.transitions.never).toEqual([]);
    expect(chart.transitions.taken).toBe(chart.transitions.all);
  });

  test('P5-I17: asks every guard with both outcomes', () => {
    const oneSided = Object.entries(chart.guards).filter(
      ([, { held, failed }]) => held === 0 || failed === 0,
    );
    expect(oneSided).toEqual([]);
  });
});

test.each(report.products.map((product) => [product.bootstrap, product] as const))(
  'P5-I2: a replica that begins from %s breaks no rule, whatever primary, network, disk and crashes do',
  (_bootstrap, { counterexample, bound, states }) => {
    expect(counterexample).toBeNull();
    expect(bound).toEqual({ units: 2, faults: 1, crashes: 1 });
    expect(states).toBeGreaterThan(5_000);
  },
);

test('P5-I10: no guard can be left out, or shut, without something that must never happen', () => {
  const survivors = report.mutants.filter(({ by }) => by === null);
  expect(survivors.map(({ chart, guard, says }) => `${chart}: ${guard} always ${String(says)}`)).toEqual([]);
  expect(report.mutants.length).toBeGreaterThan(80);
});

test('P5-I14: docs/generated/MODEL.md is what the exploration says', async () => {
  // Renewed by: npm run generate docs/generated/MODEL.md
  expect(modelDocument(report)).toBe(await readFile('docs/generated/MODEL.md', 'utf8'));
});
