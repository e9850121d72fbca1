/** The charts as data: every state and every transition of the machines, and an id for each. */
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf, stateNodes, transitionId, transitionsOf } from '../../machines/chart.ts';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { CHARTS } from '../../machines/charts.ts';

const small = createMachine({
  id: 'm',
  description: 'Small.',
  initial: 'a',
  on: { 'x.y': { description: 'nothing is left' } },
  states: {
    a: {
      description: 'First.',
      meta: { invariants: ['P5-I1'] },
      invoke: {
        id: 'work',
        src: 'work',
        onDone: { target: 'both', actions: ['one', { type: 'two' }] },
        onError: 'end',
      },
      always: [
        { guard: 'P5-I4 isSo', target: 'both', meta: { invariants: ['P5-I4'] }, description: 'it is so' },
        { guard: { type: 'route elsewhere' }, target: 'end' },
      ],
    },
    both: { type: 'parallel', states: { left: { initial: 'in', states: { in: {} } }, right: {} } },
    end: { type: 'final' },
  },
});

describe('a chart that is not ours', () => {
  const bare = createMachine({
    id: 'n',
    entry: () => undefined,
    initial: 'a',
    states: { a: { on: { go: { guard: () => true, actions: () => undefined } } } },
  });

  test('may have no description, and name nothing', () => {
    const { description, transitions } = chartOf(bare);
    expect(description).toBe('');
    expect(transitions.map(({ guard, actions }) => ({ guard, actions }))).toEqual([
      { guard: null, actions: [] },
      { guard: 'inline', actions: ['inline'] },
    ]);
  });

  test('P5-I3: a transition that is no transition of its source has no id', () => {
    const [, [own] = []] = stateNodes(bare).map(transitionsOf);
    expect(own && transitionId(own)).toBe('n.a -- go [0]');
    expect(() => own && transitionId({ ...own })).toThrow('a transition of n.a is among its own');
  });
});

describe('a chart as data', () => {
  const state = { parent: 'm', description: '', invariants: [], invokes: [], initial: null };
  const edge = { guard: null, invariant: null, actions: [], description: null, invariants: [] };

  test('P5-I3: has every state and every transition, with what decides it, in document order', () => {
    expect(chartOf(small)).toEqual({
      id: 'm',
      description: 'Small.',
      initial: 'm.a',
      states: [
        {
          ...state,
          id: 'm',
          path: '',
          parent: null,
          type: 'compound',
          description: 'Small.',
          initial: 'm.a',
        },
        {
          ...state,
          id: 'm.a',
          path: 'a',
          type: 'atomic',
          description: 'First.',
          invariants: ['P5-I1'],
          invokes: [{ id: 'work', src: 'work' }],
        },
        { ...state, id: 'm.both', path: 'both', type: 'parallel' },
        {
          ...state,
          id: 'm.both.left',
          path: 'both.left',
          parent: 'm.both',
          type: 'compound',
          initial: 'm.both.left.in',
        },
        { ...state, id: 'm.both.left.in', path: 'both.left.in', parent: 'm.both.left', type: 'atomic' },
        { ...state, id: 'm.both.right', path: 'both.right', parent: 'm.both', type: 'atomic' },
        { ...state, id: 'm.end', path: 'end', type: 'final' },
      ],
      transitions: [
        { ...edge, id: 'm -- initial [0]', source: 'm', event: 'initial', targets: ['m.a'] },
        {
          ...edge,
          id: 'm -- x.y [0]',
          source: 'm',
          event: 'x.y',
          targets: [],
          description: 'nothing is left',
        },
        {
          ...edge,
          id: 'm.a -- xstate.done.actor.work [0]',
          source: 'm.a',
          event: 'xstate.done.actor.work',
          targets: ['m.both'],
          actions: ['one', 'two'],
        },
        {
          ...edge,
          id: 'm.a -- xstate.error.actor.work [0]',
          source: 'm.a',
          event: 'xstate.error.actor.work',
          targets: ['m.end'],
        },
        {
          ...edge,
          id: 'm.a -- always [0]',
          source: 'm.a',
          event: 'always',
          guard: 'P5-I4 isSo',
          invariant: 'P5-I4',
          targets: ['m.both'],
          description: 'it is so',
          invariants: ['P5-I4'],
        },
        {
          ...edge,
          id: 'm.a -- always [1]',
          source: 'm.a',
          event: 'always',
          guard: 'route elsewhere',
          targets: ['m.end'],
        },
        {
          ...edge,
          id: 'm.both.left -- initial [0]',
          source: 'm.both.left',
          event: 'initial',
          targets: ['m.both.left.in'],
        },
      ],
    });
  });

  test('a history state is refused: what a node remembers stands in files', () => {
    const machine = createMachine({ id: 'm', initial: 'a', states: { a: {}, h: { type: 'history' } } });
    expect(() => chartOf(machine)).toThrow('m.h is no history state');
  });
});

describe.each([
  ['the node chart', nodeMachine, CHARTS.node],
  ['the chart of a primary', primaryMachine, CHARTS.primary],
] as const)('%s', (_name, machine, chart) => {
  test('P5-I3: has the states and transitions of the machine, and an id for each', () => {
    const nodes = stateNodes(machine);
    expect(chart.states.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
    const compound = nodes.filter(({ type }) => type === 'compound').length;
    const own = nodes.flatMap(transitionsOf).length;
    expect(chart.transitions).toHaveLength(own + compound);
    const ids = [...chart.states, ...chart.transitions].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(chart).toEqual(JSON.parse(JSON.stringify(chartOf(machine))));
  });

  test('P5-I3: every arrow begins and ends at a state of the chart', () => {
    const ids = new Set(chart.states.map(({ id }) => id));
    const ends = chart.transitions.flatMap(({ source, targets }) => [source, ...targets]);
    expect(ends.filter((id) => !ids.has(id))).toEqual([]);
  });
});
