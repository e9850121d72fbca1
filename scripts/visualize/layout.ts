/** Where everything of a chart stands in its picture. ELK decides; the same chart is laid out the same each time. */
import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';
import { labelOf, shortName } from '../../src/chart/labels.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface DrawnState extends Box {
  readonly state: ChartState;
  readonly lines: readonly string[];
  readonly holdsOthers: boolean;
}

export interface DrawnTransition {
  readonly transition: ChartTransition;
  /** One line a target. */
  readonly routes: readonly (readonly Point[])[];
  readonly label: Box | null;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Outer states before those that they hold. */
  readonly states: readonly DrawnState[];
  readonly transitions: readonly DrawnTransition[];
  /** The points at which compound states are entered. */
  readonly entries: readonly Box[];
}

export const FONT = { state: 12, label: 10, lineHeight: 1.35 } as const;
/** As of the widest common monospace face, relative to its size: a label is never wider than the room that it was given. */
const CHARACTER_WIDTH = 0.62;
const ENTRY_SIZE = 9;
const PADDING = 8;

/** Said of every compound state: ELK hands down none of it. */
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.mergeEdges': 'true',
  'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'TAIL_LAYER',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeLabel': '3',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeNode': '12',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
};
const ROOT_OPTIONS = {
  ...OPTIONS,
  'elk.randomSeed': '1',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
};

export async function layOut(chart: Chart): Promise<Drawing> {
  const top = chart.states.filter(({ parent }) => parent === null);
  const graph: ElkNode = await new elk.default().layout({
    id: '',
    layoutOptions: ROOT_OPTIONS,
    children: top.map((state) => nodeOf(chart, state)),
    edges: chart.transitions.flatMap(edgesOf),
  });
  const nodes = new Map(all(graph).map((node) => [node.id, node]));
  const edges = new Map(all(graph).flatMap(({ edges: own = [] }) => own.map((edge) => [edge.id, edge])));
  return {
    width: rounded(graph.width),
    height: rounded(graph.height),
    states: chart.states.map((state) => ({
      ...boxOf(nodes.get(state.id)),
      state,
      lines: linesOf(state),
      holdsOthers: holdsOthers(chart, state),
    })),
    transitions: chart.transitions.map((transition) => drawn(transition, edges)),
    entries: chart.states
      .filter(({ initial }) => initial !== null)
      .map(({ id }) => boxOf(nodes.get(entryOf(id)))),
  };
}

/** What is written into a state: its name, the effect that runs in it, the invariants that it serves. */
function linesOf(state: ChartState): readonly string[] {
  const { invokes, invariants } = state;
  return [
    shortName(state),
    ...invokes.map(({ src }) => `do: ${src}`),
    ...(invariants.length === 0 ? [] : [invariants.join(' ')]),
  ];
}

function holdsOthers({ states }: Chart, { id }: ChartState): boolean {
  return states.some(({ parent }) => parent === id);
}

function nodeOf(chart: Chart, state: ChartState): ElkNode {
  const { width, height } = sizeOf(linesOf(state), FONT.state);
  if (!holdsOthers(chart, state))
    return { id: state.id, width: width + 2 * PADDING, height: height + 2 * PADDING };
  return {
    id: state.id,
    layoutOptions: {
      ...OPTIONS,
      'elk.padding': `[top=${height + 2 * PADDING},left=20,bottom=20,right=20]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width + 2 * PADDING},${height + 2 * PADDING})`,
    },
    children: [
      ...(state.initial === null ? [] : [{ id: entryOf(state.id), width: ENTRY_SIZE, height: ENTRY_SIZE }]),
      ...chart.states.filter(({ parent }) => parent === state.id).map((child) => nodeOf(chart, child)),
    ],
  };
}

function edgesOf(transition: ChartTransition): ElkExtendedEdge[] {
  const { source, event } = transition;
  const text = labelOf(transition);
  const from = event === 'initial' ? entryOf(source) : source;
  return endsOf(transition).map((end, index) => ({
    id: edgeId(transition, end),
    sources: [from],
    targets: [end],
    labels:
      text.length === 0 || index > 0
        ? []
        : [
            {
              text: text.join('\n'),
              ...sizeOf(text, FONT.label),
              layoutOptions: { 'elk.edgeLabels.placement': 'CENTER' },
            },
          ],
  }));
}

/** A transition without a target is drawn as a loop. */
function endsOf({ source, targets }: ChartTransition): readonly string[] {
  return targets.length === 0 ? [source] : targets;
}

function drawn(transition: ChartTransition, edges: ReadonlyMap<string, ElkExtendedEdge>): DrawnTransition {
  const found = endsOf(transition).map((end) => edges.get(edgeId(transition, end)));
  const label = found[0]?.labels?.[0];
  return {
    transition,
    routes: found.flatMap((edge) =>
      (edge?.sections ?? []).map(({ startPoint, bendPoints = [], endPoint }) =>
        [startPoint, ...bendPoints, endPoint].map(({ x, y }) => ({ x: rounded(x), y: rounded(y) })),
      ),
    ),
    label: label === undefined ? null : boxOf(label),
  };
}

function all(node: ElkNode): ElkNode[] {
  return [node, ...(node.children ?? []).flatMap(all)];
}

function entryOf(id: string): string {
  return `entry of ${id}`;
}

function edgeId({ id }: ChartTransition, end: string): string {
  return `${id} to ${end}`;
}

function sizeOf(lines: readonly string[], fontSize: number) {
  const longest = Math.max(...lines.map(({ length }) => length));
  return {
    width: Math.ceil(longest * fontSize * CHARACTER_WIDTH),
    height: Math.ceil(lines.length * fontSize * FONT.lineHeight),
  };
}

function boxOf(shape: Partial<Box> | undefined): Box {
  if (shape === undefined) throw new Error('something of the chart was not laid out');
  const { x, y, width, height } = shape;
  return { x: rounded(x), y: rounded(y), width: rounded(width), height: rounded(height) };
}

/** A tenth of a pixel is enough, and the same on every processor. */
function rounded(value: number | undefined): number {
  if (value === undefined) throw new Error('something of the chart was not laid out');
  return Math.round(value * 10) / 10;
}
