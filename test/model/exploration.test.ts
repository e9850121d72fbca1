import { getAdjacencyMap as maintained } from 'xstate/graph';
import type { AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { CHARTS } from '../../machines/charts.ts';
import { alphabetOf, movesOf, unmatched } from '../../machines/model/alphabet.ts';
import { chartModel, futureOf } from '../../machines/model/chart-model.ts';
import { checkChart, exploreChart, tableOf } from '../../machines/model/check.ts';
import { explore, type Model } from '../../machines/model/graph.ts';
import { unitsOf } from '../../machines/model/history.ts';
import { nodeOutcomes } from '../../machines/model/outcomes.ts';
import { coveringPaths, nameOfPath } from '../../machines/model/paths.ts';
import { pureChart } from '../../machines/model/pure-chart.ts';
import { RULES } from '../../machines/model/rules.ts';
import type { NodeContext } from '../../machines/context.ts';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { kindOf, mergedDiffer } from './abstraction.ts';

const node = nodeMachine as AnyStateMachine;
const primary = primaryMachine as AnyStateMachine;
const TABLES = { node: tableOf('replica'), primary: tableOf('primary') };

describe('the payload table', () => {
  test('P5-I17: has an answer for every event of the charts, and for no other', () => {
    expect(unmatched(node, TABLES.node)).toEqual([]);
    expect(unmatched(primary, TABLES.primary)).toEqual([]);
  });

  test('an effect without an answer, or an answer without an effect, stops the exploration', () => {
    const { validate, ...rest } = nodeOutcomes;
    expect(Object.keys(validate).length).toBeGreaterThan(5);
    expect(() => movesOf(node, rest, { units: 1 })).toThrow('the answer of validate has no payload');
    expect(() => movesOf(primary, TABLES.node, { units: 1 })).toThrow('validate is no effect of the chart');
  });

  test('P5-I1: the alphabet is what the chart says', () => {
    const events = CHARTS.node.transitions.map(({ event }) => event);
    const named = [...new Set(events)].filter((event) => event !== 'always' && event !== 'initial').sort();
    expect(alphabetOf(node)).toEqual(named);
  });
});

describe('the abstraction', () => {
  test('P5-I2: two states that are taken for the same do the same, whatever happens next', () => {
    const { compared, differing } = mergedDiffer(node, 1);
    expect(differing.slice(0, 3)).toEqual([]);
    expect(compared).toBeGreaterThan(500);
  });

  test('P5-I2: with more WAL everything is still possible that was possible with less', () => {
    const kinds = (units: number) =>
      new Set(
        [...exploreChart(node, 'replica', { units }).vertices.values()].map(({ state }) =>
          kindOf(state.settled?.snapshot),
        ),
      );
    const three = kinds(3);
    expect([...kinds(2)].filter((kind) => !three.has(kind))).toEqual([]);
  });
});

test('P5-I2: the maintained package explores the same states and steps', () => {
  const both = [undefined, maintained as never].map((traverse) =>
    explore(
      chartModel(node, { role: 'replica', table: TABLES.node, bound: { units: 1 }, rules: RULES }),
      undefined,
      traverse,
    ),
  );
  const [frozen, kept] = both.map(({ vertices }) =>
    [...vertices.values()].map(({ key, edges }) => [key, edges.map(({ move, to }) => [move.name, to])]),
  );
  expect(kept).toEqual(frozen);
});

test('an exploration ends with the nearest wrong state, and says how it is reached', () => {
  const counting: Model<number, number> = {
    initial: 0,
    moves: () => [1, 3],
    next: (from, move) => Math.min(from + move, 20),
    keyOf: String,
    nameOf: String,
    wrongWith: (state) => (state === 7 ? 'seven' : null),
  };
  const { wrong } = explore(counting);
  expect([wrong?.what, wrong?.path.map(({ state }) => state)]).toEqual(['seven', [1, 4, 7]]);
  expect(explore({ ...counting, wrongWith: () => null }).vertices.size).toBe(21);
  expect(() =>
    explore({ ...counting, wrongWith: () => null, next: (from, move) => from + move }, 100),
  ).toThrow('Traversal limit exceeded');
});

test('a rule is looked at on every way into a state, also where the state is known', () => {
  const twoWays: Model<string, string> = {
    initial: 'a',
    moves: (state) => (state === 'a' ? ['well', 'badly'] : []),
    next: (_from, move) => `b by ${move}`,
    keyOf: (state) => state.slice(0, 1),
    nameOf: (move) => move,
    wrongWith: (state) => (state === 'b by badly' ? 'the bad way' : null),
  };
  expect(explore(twoWays).wrong?.path.map(({ move }) => move)).toEqual(['badly']);
});

describe('paths', () => {
  const graph = exploreChart(node, 'replica', { units: 3 });
  const paths = coveringPaths(graph);

  test('P5-I17: take every transition and see every answer of every effect', () => {
    const taken = new Set(paths.flatMap(({ steps }) => steps.flatMap(({ transitions }) => transitions)));
    const all = CHARTS.node.transitions.filter(({ event }) => event !== 'initial').map(({ id }) => id);
    expect(all.filter((id) => !taken.has(id))).toEqual([]);
    const walked = new Set(paths.flatMap(({ steps }) => steps.map(({ move }) => move.name)));
    const answers = Object.entries(nodeOutcomes).flatMap(([effect, outcomes]) =>
      Object.keys(outcomes).map((outcome) => `${effect}: ${outcome}`),
    );
    expect(answers.filter((name) => !walked.has(name))).toEqual([]);
  });

  test('P5-I11: are the same every time', () => {
    const again = coveringPaths(exploreChart(node, 'replica', { units: 3 }));
    expect(again.map(nameOfPath)).toEqual(paths.map(nameOfPath));
    expect(new Set(paths.map(nameOfPath)).size).toBe(paths.length);
  });

  test('P5-I4: lead from one state of the pure chart to the next', () => {
    const chart = pureChart(node);
    for (const { start, snapshot, steps } of paths) {
      let at = chart.initial(start.input).snapshot;
      expect(at.value).toEqual(snapshot.value);
      for (const step of steps) {
        at = chart.send(at, step.move.event).snapshot;
        expect(futureOf(at)).toBe(futureOf(step.snapshot));
      }
      const { applied } = at.context as NodeContext;
      if (applied !== null) expect(Number.isInteger(unitsOf(applied))).toBe(true);
    }
  });
});

test('P5-I3: a chart with a way to nowhere is found out', () => {
  const stuck = node.provide({ guards: { 'route allReceivedIsValidated': () => false } } as never);
  const { transitions } = checkChart(stuck as AnyStateMachine, 'replica', { units: 1 });
  expect(transitions.never).toContain('node.replicating.ingesting.settling -- always [0]');
});
