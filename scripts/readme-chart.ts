/** The chart in the README: what there is at the top, and what leads from where to where. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chart, ChartState } from '../machines/chart.ts';
import { CHARTS } from '../machines/charts.ts';
import { shortName } from '../src/chart/labels.ts';
import { mermaidId } from '../src/chart/mermaid.ts';
import { lineageOf } from '../src/chart/part.ts';
import { STAGE_NAMES } from '../src/chart/stage.ts';

export const CHART_BEGIN = '<!-- The chart: written by npm run generate. -->';
export const CHART_END = '<!-- The end of the chart. -->';

/** The README as it is, with the chart of today between its marks. */
export async function readmeWithChart(root: string): Promise<string> {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const [before, rest, ...more] = text.split(CHART_BEGIN);
  const [, after, ...others] = rest?.split(CHART_END) ?? [];
  if (before === undefined || after === undefined || more.length + others.length > 0)
    throw new Error(`README.md must have one place between "${CHART_BEGIN}" and "${CHART_END}"`);
  const drawing = ['```mermaid', overviewOf(CHARTS.node).trimEnd(), '```'].join('\n');
  return `${before}${CHART_BEGIN}\n\n${drawing}\n\n${links()}\n\n${CHART_END}${after}`;
}

/** The top of a chart in Mermaid: its states, the regions of parallel ones, and an arrow where any transition leads on. */
export function overviewOf(chart: Chart): string {
  const shown = chart.states.filter((state) => isShown(chart, state));
  const top = shown.filter(({ parent }) => parent === chart.id);
  return [
    'stateDiagram-v2',
    '  direction TB',
    ...top.flatMap((state) => stateLines(shown, state)),
    ...arrowsOf(chart),
    '',
  ].join('\n');
}

function isShown({ id, states }: Chart, { parent }: ChartState): boolean {
  return parent === id || states.some((state) => state.id === parent && state.type === 'parallel');
}

function stateLines(shown: readonly ChartState[], state: ChartState): readonly string[] {
  const regions = shown.filter(({ parent }) => parent === state.id);
  const declared = (one: ChartState) => `state "${shortName(one)}" as ${mermaidId(one.id)}`;
  if (regions.length === 0) return [`  ${declared(state)}`];
  const inner = regions.flatMap((region, at) => [...(at === 0 ? [] : ['--']), declared(region)]);
  return [`  ${declared(state)} {`, ...inner.map((line) => `    ${line}`), '  }'];
}

/** Each once, in the order of the chart. Where a region leads on, the state that holds the regions is left as a whole. */
function arrowsOf(chart: Chart): readonly string[] {
  const topOf = (id: string) => lineageOf(chart, id)[1]?.id;
  const arrows = chart.transitions.flatMap(({ source, event, targets }) =>
    targets.map((target) => {
      const [from, to] = [topOf(source), topOf(target)];
      if (to === undefined || from === to) return null;
      if (from !== undefined) return `  ${mermaidId(from)} --> ${mermaidId(to)}`;
      return event === 'initial' ? `  [*] --> ${mermaidId(to)}` : null;
    }),
  );
  return [...new Set(arrows)].filter((arrow) => arrow !== null);
}

function links(): string {
  const drawing = (name: string) => `[${name.split('/').at(-1)}](visualizations/${name}.svg)`;
  return [
    `Every state and every transition: ${['node', 'primary'].map(drawing).join(', ')}; a stage at a time:`,
    `${STAGE_NAMES.map((name) => drawing(`stages/${name}`)).join(', ')};`,
    `as tables: [state × event](docs/generated/STATE-EVENT.md), [what each state means](docs/generated/CHART.md).`,
  ].join('\n');
}
