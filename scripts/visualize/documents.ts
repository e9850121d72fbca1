/** The files in `visualizations/`: every chart in every format. */
import { TEXT_FORMATS } from '../../src/chart/formats.ts';
import { CHART_NAMES, CHARTS, type ChartName } from '../../machines/charts.ts';
import { svgOf } from './svg.ts';

export const VISUALIZATIONS: Readonly<Record<string, () => Promise<string>>> = Object.fromEntries(
  CHART_NAMES.flatMap((name) => [...textFiles(name), [pathOf(name, 'svg'), () => svgOf(CHARTS[name])]]),
);

function textFiles(name: ChartName): [string, () => Promise<string>][] {
  return Object.values(TEXT_FORMATS).map(({ extension, write }) => [
    pathOf(name, extension),
    async () => write(CHARTS[name]),
  ]);
}

function pathOf(name: ChartName, extension: string): string {
  return `visualizations/${name}.${extension}`;
}
