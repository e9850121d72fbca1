/** The inside of one state, laid out by ELK. */
import elk, { type ElkExtendedEdge } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartState } from '../../machines/chart.ts';
import { wordsOf } from '../../src/chart/labels.ts';
import { header, HEADER, type Header } from './boxes.ts';
import { found, shapeBox, type Box, type Size } from './geometry.ts';
import { FONT, textHeight, textWidth } from './measure.ts';
import { entryOf, keyOf, type Arrow, type Places } from './places.ts';

/** Where things stand within the box of one state. */
export interface Inside {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly edges: ReadonlyMap<string, ElkExtendedEdge>;
}

const ENTRY_SIZE = 8;
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.randomSeed': '1',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.considerModelOrder.strategy': 'PREFER_NODES',
  'elk.layered.considerModelOrder.components': 'MODEL_ORDER',
  'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'TAIL_LAYER',
  'elk.spacing.nodeNode': '16',
  'elk.spacing.edgeLabel': '3',
  'elk.spacing.edgeEdge': '8',
  'elk.spacing.edgeNode': '10',
  'elk.spacing.labelNode': '4',
  'elk.spacing.componentComponent': '16',
  'elk.layered.spacing.nodeNodeBetweenLayers': '9',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
};
/** Lays out what a state holds, notes the size that it comes to have, and says where within it everything stands. */
export async function insideOf(
  chart: Chart,
  state: ChartState,
  places: Places,
  sizes: Map<string, Size>,
): Promise<Inside | null> {
  const own = header(state, places.exits.get(state.id) ?? []);
  const children = chart.states.filter(({ parent }) => parent === state.id);
  if (children.length === 0) {
    sizes.set(state.id, { width: own.width, height: own.height });
    return null;
  }
  const isEntered = chart.transitions.some(({ source, event }) => source === state.id && event === 'initial');
  const graph = await new elk.default().layout({
    id: state.id,
    layoutOptions: { ...OPTIONS, ...shapeOf(state), 'elk.padding': paddingBelow(own) },
    children: [
      ...(isEntered ? [{ id: entryOf(state.id), width: ENTRY_SIZE, height: ENTRY_SIZE }] : []),
      ...children.map(({ id }) => ({ id, ...found(sizes.get(id), id) })),
    ],
    edges: places.arrows.filter(({ ends }) => ends.within === state.id).map(edgeOf),
  });
  const { width, height } = shapeBox(graph);
  sizes.set(state.id, { width: Math.max(width, own.width), height });
  return {
    boxes: new Map((graph.children ?? []).map((node) => [node.id, shapeBox(node)])),
    edges: new Map((graph.edges ?? []).map((edge) => [edge.id, edge])),
  };
}

/** Stages follow each other to the right, regions stand side by side, and within a stage things go down. */
function shapeOf({ parent, type }: ChartState): Readonly<Record<string, string>> {
  if (type === 'parallel') return { 'elk.algorithm': 'rectpacking', 'elk.aspectRatio': '8' };
  return parent === null ? { 'elk.direction': 'RIGHT', 'elk.aspectRatio': '2' } : { 'elk.direction': 'DOWN' };
}

function paddingBelow(own: Header): string {
  return `[top=${own.height + HEADER.padding},left=14,bottom=14,right=14]`;
}

function edgeOf({ ends, labelled }: Arrow): ElkExtendedEdge {
  const lines = labelled.map(wordsOf);
  const label = {
    text: lines.join('\n'),
    width: Math.max(...lines.map((line) => textWidth(line, FONT.label))),
    height: textHeight(lines.length, FONT.label),
    layoutOptions: { 'elk.edgeLabels.placement': 'CENTER' },
  };
  return {
    id: keyOf(ends),
    sources: [ends.from],
    targets: [ends.to],
    labels: lines.length === 0 ? [] : [label],
  };
}
