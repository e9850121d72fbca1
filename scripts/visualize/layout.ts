/**
 * Where everything of a chart stands in its picture. ELK lays out the inside of each state by itself, the innermost
 * first; the same chart is laid out the same each time.
 */
import type { ElkExtendedEdge } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';
import { wordsOf } from '../../src/chart/labels.ts';
import { header, type Header } from './boxes.ts';
import { found, moved, shapeBox, type Box, type Point, type Size } from './geometry.ts';
import { insideOf, type Inside } from './inside.ts';
import { FONT } from './measure.ts';
import { entryOf, keyOf, placesOf, type Places } from './places.ts';

export interface DrawnState extends Box {
  readonly state: ChartState;
  readonly header: Header;
  readonly holdsOthers: boolean;
}

export interface Words extends Point {
  readonly text: string;
}

export interface DrawnTransition {
  readonly transition: ChartTransition;
  readonly routes: readonly (readonly Point[])[];
  /** Each begins at the left end of its top line. */
  readonly words: readonly Words[];
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** In the order of the chart: outer states before those that they hold. */
  readonly states: readonly DrawnState[];
  readonly transitions: readonly DrawnTransition[];
  /** The points at which compound states are entered. */
  readonly entries: readonly Box[];
}

const MARGIN = 8;

export async function layOut(chart: Chart): Promise<Drawing> {
  const places = placesOf(chart);
  const insides = new Map<string, Inside>();
  const sizes = new Map<string, Size>();
  // Backwards: what a state holds comes before the state.
  for (const state of [...chart.states].reverse()) {
    const inside = await insideOf(chart, state, places, sizes);
    if (inside !== null) insides.set(state.id, inside);
  }
  const corners = cornersOf(chart, insides);
  const states = chart.states.map((state) => ({
    ...placed(corners, state.id, sizes.get(state.id)),
    state,
    header: header(state, places.exits.get(state.id) ?? []),
    holdsOthers: chart.states.some(({ parent }) => parent === state.id),
  }));
  const root = found(sizes.get(chart.id), chart.id);
  return {
    width: root.width + 2 * MARGIN,
    height: root.height + 2 * MARGIN,
    states,
    transitions: chart.transitions.map((transition) => drawn(transition, places, insides, corners, states)),
    entries: chart.states.flatMap(({ id }) => {
      const entry = insides.get(id)?.boxes.get(entryOf(id));
      return entry === undefined ? [] : [moved(entry, found(corners.get(id), id))];
    }),
  };
}

function cornersOf(chart: Chart, insides: ReadonlyMap<string, Inside>): ReadonlyMap<string, Point> {
  const corners = new Map<string, Point>();
  for (const { id, parent } of chart.states) {
    if (parent === null) corners.set(id, { x: MARGIN, y: MARGIN });
    else
      corners.set(id, moved(found(insides.get(parent)?.boxes.get(id), id), found(corners.get(parent), id)));
  }
  return corners;
}

function placed(corners: ReadonlyMap<string, Point>, id: string, size: Size | undefined): Box {
  const { x, y } = found(corners.get(id), id);
  return { x, y, ...found(size, id) };
}

function drawn(
  transition: ChartTransition,
  places: Places,
  insides: ReadonlyMap<string, Inside>,
  corners: ReadonlyMap<string, Point>,
  states: readonly DrawnState[],
): DrawnTransition {
  const source = states.find(({ state }) => state.id === transition.source);
  const line = source?.header.exits.find((one) => one.transition === transition);
  const own = source === undefined || line === undefined ? [] : [{ line, at: source }];
  const arrows = places.arrows
    .filter(({ transitions }) => transitions.includes(transition))
    .map(({ ends, labelled }) => {
      const edge = found(insides.get(ends.within)?.edges.get(keyOf(ends)), transition.id);
      const corner = found(corners.get(ends.within), transition.id);
      const line = labelled.indexOf(transition);
      const label = edge.labels?.[0];
      const words =
        line < 0 || label === undefined
          ? []
          : [{ text: wordsOf(transition), ...moved(below(shapeBox(label), line), corner) }];
      return { routes: routesOf(edge, corner), words };
    });
  return {
    transition,
    routes: [
      ...own.map(({ line: { arrow }, at }) => arrow.map((point) => moved(point, at))),
      ...arrows.flatMap(({ routes }) => routes),
    ],
    words: [
      ...own.flatMap(({ line: { words }, at }) => words.map((one) => ({ ...one, ...moved(one, at) }))),
      ...arrows.flatMap(({ words }) => words),
    ],
  };
}

function below({ x, y }: Point, line: number): Point {
  return { x, y: y + line * FONT.label * FONT.lineHeight };
}

function routesOf({ sections = [] }: ElkExtendedEdge, corner: Point): readonly (readonly Point[])[] {
  return sections.map(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map((point) => moved(point, corner)),
  );
}
