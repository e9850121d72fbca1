/** The files in `visualizations/`: every chart, and every stage of the node chart, in every format. */
import { CHART_NAMES, CHARTS } from '../../machines/charts.ts';
import type { Chart } from '../../machines/chart.ts';
import { TEXT_FORMATS } from '../../src/chart/formats.ts';
import { STAGE_NAMES, stageChart, type StageChart, type StageName } from '../../src/chart/stage.ts';
import { svgOf } from './svg.ts';

export const VISUALIZATIONS: Readonly<Record<string, () => Promise<string>>> = Object.fromEntries([
  ...CHART_NAMES.flatMap((name) => filesOf(`visualizations/${name}`, CHARTS[name])),
  ...STAGE_NAMES.flatMap((name) => filesOf(`visualizations/stages/${name}`, stageOf(name))),
]);

function filesOf(path: string, chart: Chart | StageChart): [string, () => Promise<string>][] {
  const texts = Object.values(TEXT_FORMATS).map(({ extension, write }): [string, () => Promise<string>] => [
    `${path}.${extension}`,
    async () => write(chart),
  ]);
  return [...texts, [`${path}.svg`, () => svgOf(chart)]];
}

/** The chart of a replica has every stage. */
function stageOf(name: StageName): StageChart {
  const chart = stageChart(CHARTS.node, name);
  if (chart === null) throw new Error(`the node chart has no state of stage ${name}`);
  return chart;
}
