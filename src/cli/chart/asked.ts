/** What of a chart a command line asks for. */
import { CHARTS, type ChartName } from '../../../machines/charts.ts';
import type { Chart } from '../../../machines/chart.ts';
import { narrowed } from '../../chart/narrow.ts';
import { STAGE_NAMES, stageChart, type StageName } from '../../chart/stage.ts';
import { near } from './near.ts';
import { shown } from './table.ts';

export interface Asking {
  readonly chart: ChartName;
  readonly stage?: StageName;
  readonly from?: string;
  readonly event?: string;
}

/** The chart or the part of it. What it does not have goes to `refuse`, which says so and does not come back. */
export function askedChart(asking: Asking, refuse: (why: string) => never): Chart {
  const { chart: name, stage, from, event } = asking;
  const whole = CHARTS[name];
  const part = stage === undefined ? whole : stageChart(whole, stage);
  if (part === null) {
    const others = STAGE_NAMES.filter((one) => stageChart(whole, one) !== null);
    return refuse(`the chart of a ${name} has nothing of stage '${stage}': it has ${others.join(', ')}`);
  }
  return narrowed(part, {
    from: from === undefined ? null : stateNamed(part, from, refuse),
    event: event === undefined ? null : eventNamed(part, event, refuse),
  });
}

/** A state by its id, or as tables show it: `halted.resting`, `(root)`. */
function stateNamed(chart: Chart, name: string, refuse: (why: string) => never): string {
  const found = chart.states.find(({ id }) => id === name || shown(chart, id) === name);
  if (found !== undefined) return found.id;
  return refuse(
    unknown(
      'state',
      name,
      chart.states.map(({ id }) => shown(chart, id)),
    ),
  );
}

function eventNamed(chart: Chart, name: string, refuse: (why: string) => never): string {
  const events = [...new Set(chart.transitions.map(({ event }) => event))];
  return events.includes(name) ? name : refuse(unknown('event', name, events));
}

function unknown(what: string, name: string, names: readonly string[]): string {
  const meant = near(name, names);
  const hint = meant.length === 0 ? 'replichart machine shows all of them' : `near are ${meant.join(', ')}`;
  return `there is no ${what} '${name}' here: ${hint}`;
}
