import type { AnyStateMachine } from 'xstate';
import { chartOf, type Chart } from '../../machines/chart.ts';
import type { Claim, Route } from '../../machines/claims.ts';

/** A chart with all that its guards are made of. */
export interface ChartFacts {
  /** The chart by the name that faces give it: a replica runs `node`, a primary runs `primary`. */
  readonly name: 'node' | 'primary';
  /** The graph of the chart: it never changes, so it is read off the machine once. */
  readonly chart: () => Chart;
  readonly claims: Readonly<Record<string, Claim>>;
  readonly routes: Readonly<Record<string, Route>>;
}

export function chartFacts(
  name: ChartFacts['name'],
  machine: AnyStateMachine,
  claims: ChartFacts['claims'],
  routes: ChartFacts['routes'],
): ChartFacts {
  let chart: Chart | null = null;
  return { name, chart: () => (chart ??= chartOf(machine)), claims, routes };
}
