/** What a state makes of an event: its own candidates, and those of the states around it where it has no last word. */
import type { Chart, ChartTransition } from '../../machines/chart.ts';
import { lineageOf } from './part.ts';

export interface Answer {
  readonly transition: ChartTransition;
  /** The state around it that answers; `null` where it is the state itself. */
  readonly inheritedFrom: string | null;
}

/** In the order in which they are tried; behind a candidate without a guard none is. Empty: the event changes nothing. */
export function answersTo(chart: Chart, state: string, event: string): readonly Answer[] {
  const tried = lineageOf(chart, state)
    .toReversed()
    .flatMap(({ id }) => chart.transitions.filter((one) => one.source === id && one.event === event));
  const last = tried.findIndex(({ guard }) => guard === null);
  return tried.slice(0, last === -1 ? tried.length : last + 1).map((transition) => ({
    transition,
    inheritedFrom: transition.source === state ? null : transition.source,
  }));
}

/** The events of a chart that are no ends of effects: `always` first, then in the order in which the chart names them. */
export function eventsOf({ transitions }: Chart): readonly string[] {
  const events = new Set(transitions.map(({ event }) => event));
  const named = [...events].filter(
    (event) => !/^(always|initial|xstate\.(done|error)\.actor\..*)$/.test(event),
  );
  return [...(events.has('always') ? ['always'] : []), ...named];
}
