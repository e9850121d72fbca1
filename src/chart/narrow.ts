/** A chart narrowed to what somebody asks about: the ways out of a state, the answers to an event. */
import type { Chart, ChartTransition } from '../../machines/chart.ts';
import { answersTo } from './answers.ts';
import { isWithin, partOf, type ChartPart } from './part.ts';

export interface Asked {
  /** The id of a state. */
  readonly from: string | null;
  readonly event: string | null;
}

/**
 * With a state: the transitions of it and of what it holds, and those of the states around it, which answer what it does
 * not. With an event: only those on it. With neither, the chart whole.
 */
export function narrowed(chart: Chart, { from, event }: Asked): Chart | ChartPart {
  if (from === null && event === null) return chart;
  const transitions = chart.transitions.filter(
    (one) => (event === null || one.event === event) && (from === null || leaves(chart, one, from)),
  );
  const asked = chart.states.filter(
    ({ id }) => from !== null && (event === null ? isWithin(id, from) : id === from),
  );
  return partOf(
    chart,
    new Set([...asked.map(({ id }) => id), ...transitions.map(({ source }) => source)]),
    transitions,
  );
}

/** Of the states around it, what the state itself has no last word on; their entries are behind it. */
function leaves(chart: Chart, transition: ChartTransition, from: string): boolean {
  const { source, event } = transition;
  if (isWithin(source, from)) return true;
  return (
    event !== 'initial' && answersTo(chart, from, event).some((answer) => answer.transition === transition)
  );
}
