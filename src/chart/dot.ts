import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';
import { labelOf, shortName } from './labels.ts';
import { isWithin } from './part.ts';

const HEAD = [
  '  compound=true',
  '  rankdir=LR',
  '  fontname="monospace"',
  '  node [shape=box, style=rounded, fontname="monospace", fontsize=11]',
  '  edge [fontname="monospace", fontsize=9]',
];

/**
 * A chart in Graphviz's language. A state that holds others is a cluster with a point in it: arrows of Graphviz end at
 * nodes, so the point is where those of the cluster begin and end.
 */
export function dotOf(chart: Chart): string {
  const top = chart.states.filter(({ parent }) => parent === null);
  return [
    `digraph ${quoted(chart.id)} {`,
    ...HEAD,
    ...top.flatMap((state) => stateLines(chart, state)).map(indented),
    ...chart.transitions.flatMap((transition) => arrows(chart, transition)).map(indented),
    '}',
    '',
  ].join('\n');
}

function stateLines(chart: Chart, state: ChartState): readonly string[] {
  const id = quoted(state.id);
  const children = chart.states.filter(({ parent }) => parent === state.id);
  if (children.length === 0) {
    const outline = state.type === 'final' ? ', peripheries=2' : '';
    return [`${id} [label=${quoted(shortName(state))}${outline}]`];
  }
  return [
    `subgraph ${cluster(state.id)} {`,
    `  label=${quoted(shortName(state))}`,
    `  style=${isRegion(chart, state) ? '"rounded,dashed"' : 'rounded'}`,
    `  ${id} [shape=point, label=""]`,
    ...children.flatMap((child) => stateLines(chart, child)).map(indented),
    '}',
  ];
}

function isRegion({ states }: Chart, { parent }: ChartState): boolean {
  return states.some(({ id, type }) => id === parent && type === 'parallel');
}

function arrows(chart: Chart, transition: ChartTransition): readonly string[] {
  const { id, source, event, targets } = transition;
  const label = quoted(labelOf(transition).join('\n'));
  return (targets.length === 0 ? [source] : targets).map((target) => {
    // Graphviz cuts an arrow at the border of a cluster only where its other end lies outside.
    const tail = event !== 'initial' && !isWithin(target, source) && isCluster(chart, source);
    const head = !isWithin(source, target) && isCluster(chart, target);
    const attributes = [
      `id=${quoted(id)}`,
      `label=${label}`,
      ...(tail ? [`ltail=${cluster(source)}`] : []),
      ...(head ? [`lhead=${cluster(target)}`] : []),
    ];
    return `${quoted(source)} -> ${quoted(target)} [${attributes.join(', ')}]`;
  });
}

function isCluster({ states }: Chart, id: string): boolean {
  return states.some(({ parent }) => parent === id);
}

function cluster(id: string): string {
  return quoted(`cluster ${id}`);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

function indented(line: string): string {
  return `  ${line}`;
}
