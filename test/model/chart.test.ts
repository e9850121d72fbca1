/** The charts as data, and what is drawn from it: every picture shows each state and each transition once. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import {
  chartOf,
  stateNodes,
  transitionId,
  transitionsOf,
  type Chart,
  type ChartTransition,
} from '../../machines/chart.ts';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { dotOf } from '../../src/chart/dot.ts';
import { mermaidId, mermaidOf, mermaidText } from '../../src/chart/mermaid.ts';
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
  ['the node chart', 'node', nodeMachine, CHARTS.node],
  ['the chart of a primary', 'primary', primaryMachine, CHARTS.primary],
] as const)('%s', (_name, name, machine, chart) => {
  const committed = (extension: string) =>
    readFileSync(new URL(`../../visualizations/${name}.${extension}`, import.meta.url), 'utf8');

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

  test('P5-I14: Mermaid draws every state in its parent and every transition, once', () => {
    const drawn = readMermaid(committed('mmd'), chart);
    expect(drawn).toEqual({ ...picture(chart), regions: regionsOf(chart) });
    expect(committed('mmd')).toBe(mermaidOf(chart));
  });

  test('P5-I14: DOT draws every state in its parent and every transition, once', () => {
    expect(readDot(committed('dot'))).toEqual({
      ...picture(chart),
      ids: chart.transitions.map(({ id }) => id),
    });
    expect(committed('dot')).toBe(dotOf(chart));
  });

  test('P5-I14: JSON is the chart', () => {
    expect(JSON.parse(committed('json'))).toEqual(chart);
  });

  test('P5-I14: SVG has every state and every transition, once, each with its words', () => {
    const { states, transitions } = readSvg(committed('svg'));
    expect(states.map(({ id }) => id)).toEqual(chart.states.map(({ id }) => id));
    expect(transitions.map(({ id, words }) => ({ id, words }))).toEqual(
      chart.transitions.map(({ id, event, guard }) => ({
        id,
        words: event === 'initial' ? [] : [event, ...(guard === null ? [] : [`[${guard}]`])],
      })),
    );
    expect(transitions.filter(({ paths }) => paths !== 1)).toEqual([]);
  });

  test('P5-I14: in the SVG no words lie on a state that holds no others, nor on other words', () => {
    const { states, transitions } = readSvg(committed('svg'));
    const words = transitions.flatMap(({ id, box }) => (box === null ? [] : [{ id, box }]));
    const boxes = states.flatMap(({ id, box }) =>
      box !== null && !chart.states.some(({ parent }) => parent === id) ? [{ id, box }] : [],
    );
    expect([words.length, boxes.length]).toEqual([
      chart.transitions.filter(({ event }) => event !== 'initial').length,
      chart.states.filter(({ type }) => type === 'atomic' || type === 'final').length,
    ]);
    const overlapping = words.flatMap((one, at) =>
      [...boxes, ...words.slice(at + 1)]
        .filter((other) => overlap(one.box, other.box))
        .map((other) => [one.id, other.id]),
    );
    expect(overlapping).toEqual([]);
  });
});

test('what means something to Mermaid or DOT is escaped in labels', () => {
  expect(mermaidText('a: "b"; c-->d #1 {e} ’')).toBe('a#58; #34;b#34;#59; c--#62;d #35;1 #123;e#125; #8217;');
  const quoting = createMachine({ id: 'm', initial: 'a"\\', states: { 'a"\\': {} } });
  expect(dotOf(chartOf(quoting))).toContain('"m.a\\"\\\\" [label="a\\"\\\\"]');
});

interface Picture {
  readonly states: readonly { readonly id: string; readonly parent: string | null }[];
  readonly arrows: readonly string[];
}

/** What every drawing has to show: states in their parents, arrows with their words. */
function picture({ states, transitions }: Chart): Picture {
  return {
    states: states.map(({ id, parent }) => ({ id, parent })),
    arrows: transitions
      .flatMap((one) => (one.targets.length === 0 ? [one.source] : one.targets).map((end) => arrow(one, end)))
      .sort(),
  };
}

function arrow(
  { source, event, guard }: Pick<ChartTransition, 'source' | 'event' | 'guard'>,
  end: string,
): string {
  const words = event === 'initial' ? '' : guard === null ? event : `${event} [${guard}]`;
  return `${source} > ${end} : ${words}`;
}

/** Regions of a parallel state are kept apart by one line less than there are regions. */
function regionsOf({ states }: Chart): number {
  const parallel = states.filter(({ type }) => type === 'parallel').map(({ id }) => id);
  return states.filter(({ parent }) => parallel.includes(parent ?? '')).length - parallel.length;
}

function readMermaid(text: string, chart: Chart): Picture & { readonly regions: number } {
  const idOf = new Map(chart.states.map(({ id }) => [mermaidId(id), id]));
  expect(idOf.size).toBe(chart.states.length);
  const named = (name: string) => idOf.get(name) ?? `unknown ${name}`;
  const states: Picture['states'][number][] = [];
  const arrows: string[] = [];
  const around: string[] = [];
  let regions = 0;
  const [head, ...lines] = text.trimEnd().split('\n');
  expect(head).toBe('stateDiagram-v2');
  for (const line of lines.map((one) => one.trim())) {
    const declared = /^state "[^"]*" as (\w+)( \{)?$/.exec(line);
    const drawn = /^(\[\*\]|\w+) --> (\w+)(?: : ([^:;#]*))?$/.exec(line);
    if (declared !== null) {
      const id = named(declared[1] as string);
      states.push({ id, parent: around.at(-1) ?? (id === chart.id ? null : chart.id) });
      if (declared[2] !== undefined) around.push(id);
    } else if (drawn !== null) {
      const [, from = '', to = '', words = ''] = drawn;
      const source = from === '[*]' ? (around.at(-1) ?? chart.id) : named(from);
      // The loops of a state share one arrow.
      arrows.push(...words.split(', ').map((one) => `${source} > ${named(to)} : ${one}`));
    } else if (line === '--') regions += 1;
    else if (line === '}') around.pop();
    else throw new Error(`not understood: ${line}`);
  }
  return { states, arrows: arrows.sort(), regions };
}

function readDot(text: string): Picture & { readonly ids: readonly string[] } {
  const states: Picture['states'][number][] = [];
  const arrows: string[] = [];
  const ids: string[] = [];
  const around: string[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const opened = /^subgraph "cluster ([^"]+)" \{$/.exec(line)?.[1];
    const drawn = /^"([^"]+)" -> "([^"]+)" \[id="([^"]+)", label="([^"]*)"/.exec(line);
    const node = /^"([^"]+)" \[/.exec(line)?.[1];
    if (opened !== undefined) around.push(opened);
    else if (drawn !== null) {
      const [, source, target, id = '', label = ''] = drawn;
      arrows.push(`${source} > ${target} : ${label.replaceAll('\\n', ' ')}`);
      ids.push(id);
    } else if (node !== undefined)
      states.push({ id: node, parent: (node === around.at(-1) ? around.at(-2) : around.at(-1)) ?? null });
    else if (line === '}') around.pop();
  }
  return { states, arrows: arrows.sort(), ids };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function readSvg(svg: string) {
  const groups = [...svg.matchAll(/<g class="[^"]*" data-(state|transition)="([^"]+)">(.*?)<\/g>/g)].map(
    ([, kind, id = '', body = '']) => ({
      kind,
      id: decoded(id),
      words: [...body.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, words = '']) => decoded(words)),
      paths: [...body.matchAll(/<path /g)].length,
      box: boxIn(body),
    }),
  );
  return {
    states: groups.filter(({ kind }) => kind === 'state'),
    transitions: groups.filter(({ kind }) => kind === 'transition'),
  };
}

function boxIn(body: string): Box | null {
  const found = /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/.exec(body);
  if (found === null) return null;
  const [x = 0, y = 0, width = 0, height = 0] = found.slice(1).map(Number);
  return { x, y, width, height };
}

function decoded(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

function overlap(one: Box, other: Box): boolean {
  const apart = (from: number, size: number, otherFrom: number, otherSize: number) =>
    from + size <= otherFrom + 0.2 || otherFrom + otherSize <= from + 0.2;
  return !apart(one.x, one.width, other.x, other.width) && !apart(one.y, one.height, other.y, other.height);
}
