/** The charts by name, for those who draw and print them. */
import { chartOf, type Chart } from './chart.ts';
import { nodeMachine } from './node.ts';
import { primaryMachine } from './primary.ts';

export const CHARTS: Readonly<Record<'node' | 'primary', Chart>> = {
  node: chartOf(nodeMachine),
  primary: chartOf(primaryMachine),
};
export type ChartName = keyof typeof CHARTS;
export const CHART_NAMES = Object.keys(CHARTS) as ChartName[];
