import { describe, expect, test } from 'vitest';
import { CHARTS } from '../../machines/charts.ts';
import { isConfiguration } from '../../machines/configuration.ts';

const REGIONS = ['ingesting.receiving', 'validating.idle', 'applying.idle', 'readGate.closed'];
const inEveryRegion = REGIONS.map((region) => `replicating.${region}`);
const lineOf = (regions: readonly string[]) => regions.join(' | ');

describe('P5-I3: a line that names a state the chart can rest in', () => {
  test.each([
    ['primary', 'disabled'],
    ['replica', 'disabled'],
    ['replica', 'initializing.identifying'],
    ['replica', lineOf(inEveryRegion)],
  ] as const)('%s: %s', (role, line) => {
    expect(isConfiguration(role, line)).toBe(true);
  });

  test('every state without states of its own that stands in no region', () => {
    const leaves = CHARTS.node.states.filter(
      ({ path, type }) => (type === 'atomic' || type === 'final') && !path.startsWith('replicating.'),
    );
    expect(leaves.length).toBeGreaterThan(10);
    expect(leaves.filter(({ path }) => !isConfiguration('replica', path))).toEqual([]);
  });
});

describe('P5-I3: a line that names none', () => {
  test.each([
    ['a state that does not exist', 'replica', 'dreaming'],
    ['a child that does not exist', 'replica', 'initializing.dreaming'],
    ['a state of the other chart', 'primary', lineOf(inEveryRegion)],
    ['nothing', 'replica', ''],
    ['a state without its child', 'replica', 'initializing'],
    ['one region of four', 'replica', inEveryRegion[0] ?? ''],
    ['three regions of four', 'replica', lineOf(inEveryRegion.slice(1))],
    ['two states at once', 'replica', 'disabled | initializing.identifying'],
    ['a region in two states', 'replica', lineOf([...inEveryRegion, 'replicating.validating.checking'])],
    ['a child of a leaf', 'replica', 'disabled.further'],
    ['regions in another separator', 'replica', inEveryRegion.join('|')],
    ['the name of a prototype', 'replica', '__proto__'],
    ['what every object inherits', 'replica', 'initializing.constructor'],
    ['a prototype to be written to', 'replica', '__proto__.polluted'],
  ] as const)('%s', (_, role, line) => {
    expect(isConfiguration(role, line)).toBe(false);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
