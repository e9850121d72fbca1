/** What is drawn from the charts: every picture shows each state and each transition of its chart, once. */
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf, type Chart, type ChartTransition } from '../../machines/chart.ts';
import { CHARTS } from '../../machines/charts.ts';
import { dotOf } from '../../src/chart/dot.ts';
import { wordsOf } from '../../src/chart/labels.ts';
import { mermaidOf, mermaidText } from '../../src/chart/mermaid.ts';
import { isWithin } from '../../src/chart/part.ts';
import { scxmlOf } from '../../src/chart/scxml.ts';
import { xstateOf } from '../../src/chart/xstate.ts';
import { picture, PICTURED, readDot, readMermaid, regionsOf } from '../support/pictures.ts';
import { chartInScxml, faultsOfScxml } from '../support/scxml.ts';
import { readSvg, type Box, type Point } from '../support/svg.ts';
import { readXml } from '../support/xml.ts';

describe.each(PICTURED)('the pictures of $name', ({ chart, file }) => {
  test('P5-I14: Mermaid draws every state in its parent and every transition, once', () => {
    expect(readMermaid(file('mmd'), chart)).toEqual({ ...picture(chart), regions: regionsOf(chart) });
    expect(file('mmd')).toBe(mermaidOf(chart));
  });

  test('P5-I14: DOT draws every state in its parent and every transition, once', () => {
    expect(readDot(file('dot'))).toEqual({ ...picture(chart), ids: chart.transitions.map(({ id }) => id) });
    expect(file('dot')).toBe(dotOf(chart));
  });

  test('P5-I14: JSON is the chart', () => {
    expect(JSON.parse(file('json'))).toEqual(chart);
  });

  test('P5-I14: SVG has every state and every transition, once, each with its words', () => {
    const { states, transitions } = readSvg(file('svg'));
    expect(states.map(({ id }) => id)).toEqual(chart.states.map(({ id }) => id));
    expect(states.map(({ texts }) => texts.map(({ text }) => text))).toEqual(
      chart.states.map(({ id, path, invariants, invokes }) => [
        path === '' ? id : path.split('.').at(-1),
        ...(invariants.length === 0 ? [] : [invariants.join(' ')]),
        ...invokes.map(({ src }) => `do: ${src}`),
      ]),
    );
    expect(transitions.map(({ id, texts }) => ({ id, words: texts[0]?.text ?? '' }))).toEqual(
      chart.transitions.map((one) => ({ id: one.id, words: wordsOf(one) })),
    );
  });

  test('P5-I14: in the SVG neighbours are joined by an arrow; any other way says where it goes, and no arrow goes another', () => {
    const { states, transitions } = readSvg(file('svg'));
    const parentOf = (id: string) => chart.states.find((state) => state.id === id)?.parent;
    /** Whether a point lies on the edge of a state, or of one around it that is not around the other end too. */
    const isAt = (point: Point | undefined, id: string, other: string) =>
      states.some(
        (state) =>
          isWithin(id, state.id) &&
          (state.id === id || !isWithin(other, state.id)) &&
          touches(state.box, point),
      );
    const faults = transitions.flatMap(({ id, texts, lines, heads }, at) => {
      const { source, targets, event } = chart.transitions[at] as ChartTransition;
      const goesTo = targets.map((target) => target.slice(chart.id.length + 1)).join(' ') || 'stays';
      const isExit = texts.length === 2 && texts[1]?.text === goesTo;
      // The first line of an exit stands between its words; what else is drawn joins boxes.
      const arrows = isExit ? lines.slice(1) : lines;
      const strays = arrows.filter(
        (line) =>
          !targets.some(
            (target) =>
              (event === 'initial' || isAt(line[0], source, target)) && isAt(line.at(-1), target, source),
          ),
      );
      const areNeighbours = targets.some(
        (target) => target !== source && parentOf(target) === parentOf(source),
      );
      const isRight = areNeighbours || event === 'initial' ? !isExit && arrows.length === 1 : isExit;
      return isRight && strays.length === 0 && lines.length > 0 && heads === lines.length ? [] : [id];
    });
    expect(faults).toEqual([]);
  });

  test('P5-I14: SCXML is valid, and has the states and transitions of the chart with all that decides them', () => {
    const root = readXml(file('scxml'));
    expect(faultsOfScxml(root)).toEqual([]);
    const { states, transitions } = chartInScxml(root);
    // Where SCXML says that something has a state in it, compound and atomic are the same.
    const type = (one: string) => (one === 'compound' || one === 'atomic' ? 'state' : one);
    expect(states).toEqual(
      chart.states.map(({ path: _path, initial: _initial, ...state }) => ({
        ...state,
        type: type(state.type),
      })),
    );
    expect(transitions).toEqual(chart.transitions.map(({ invariant: _, ...transition }) => transition));
    expect(file('scxml')).toBe(scxmlOf(chart));
  });

  test('P5-I14: XState makes a machine with the same states and transitions of its configuration', () => {
    const made = imported(file('machine.json'));
    expect(made.states.map(({ id, parent }) => ({ id, parent }))).toEqual(
      chart.states.map(({ id, parent }) => ({ id, parent })),
    );
    // A part shows neither every entry nor, at its boundary, every candidate: those that it shows count from the first.
    const shown = (all: readonly ChartTransition[]) =>
      all.filter(({ event }) => event !== 'initial').map(({ id: _, ...transition }) => transition);
    expect(shown(made.transitions)).toEqual(shown(chart.transitions));
    expect(file('machine.json')).toBe(xstateOf(chart));
  });
});

test.each(['node', 'primary'] as const)(
  'P5-I14: the machine that XState makes of %s.machine.json has the very same chart',
  (name) => {
    const made = PICTURED.find((one) => one.name === name)?.file('machine.json') ?? '';
    expect(imported(made)).toEqual(CHARTS[name]);
  },
);

describe('what means something to a format is escaped in it:', () => {
  const quoting = chartOf(
    createMachine({
      id: 'm',
      initial: 'a"\\',
      states: { 'a"\\': { description: '<&>', on: { e: { guard: "it's \\ so" } } } },
    }),
  );

  test('in Mermaid and DOT', () => {
    expect(mermaidText('a: "b"; c-->d #1 {e} ’')).toBe(
      'a#58; #34;b#34;#59; c--#62;d #35;1 #123;e#125; #8217;',
    );
    expect(dotOf(quoting)).toContain('"m.a\\"\\\\" [label="a\\"\\\\"]');
  });

  test('in SCXML, where it can be read back', () => {
    const { states, transitions } = chartInScxml(readXml(scxmlOf(quoting)));
    expect(states[1]).toMatchObject({ id: 'm.a"\\', description: '<&>' });
    expect(transitions[1]?.guard).toBe("it's \\ so");
  });
});

/** The chart of the machine that XState makes of a configuration. */
function imported(json: string): Chart {
  return chartOf(createMachine(JSON.parse(json) as { readonly id: string }));
}

function touches(box: Box | null, point: Point | undefined): boolean {
  if (box === null || point === undefined) return false;
  const along = (at: number, from: number, size: number) => at >= from - 1 && at <= from + size + 1;
  const onEdge = (at: number, from: number, size: number) =>
    Math.min(Math.abs(at - from), Math.abs(at - from - size)) <= 1;
  return (
    (onEdge(point.x, box.x, box.width) && along(point.y, box.y, box.height)) ||
    (onEdge(point.y, box.y, box.height) && along(point.x, box.x, box.width))
  );
}
