/** A part of a chart that is a chart itself: every state is in its parent, every arrow ends at states of it. */
import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';

export interface ChartPart extends Chart {
  /** States that are not meant themselves: they hold some that are, or an arrow begins or ends at them. */
  readonly boundary: readonly string[];
}

/**
 * The states that are meant, some transitions, and the boundary states that these need. Boundary states are without what
 * they hold, unless that is there for a reason of its own.
 */
export function partOf(
  chart: Chart,
  meant: ReadonlySet<string>,
  transitions: readonly ChartTransition[],
): ChartPart {
  const ends = transitions.flatMap(({ source, targets }) => [source, ...targets]);
  const shown = new Set([...meant, ...ends].flatMap((id) => lineageOf(chart, id).map((state) => state.id)));
  const states = chart.states.filter(({ id }) => shown.has(id));
  return {
    id: chart.id,
    description: chart.description,
    initial: shownInitial(chart, shown),
    states: states.map((state) => ({ ...state, initial: shownInitial(state, shown) })),
    transitions,
    boundary: states.map(({ id }) => id).filter((id) => !meant.has(id)),
  };
}

/** The boundary states of a part; a whole chart has none. */
export function boundaryOf(chart: Chart | ChartPart): ReadonlySet<string> {
  return new Set('boundary' in chart ? chart.boundary : []);
}

/** A state and those that it is inside of, the root first. */
export function lineageOf({ states }: Chart, id: string): readonly ChartState[] {
  return states.filter((state) => isWithin(id, state.id));
}

/** Whether a state is another one or inside it. */
export function isWithin(id: string, outer: string): boolean {
  return id === outer || id.startsWith(`${outer}.`);
}

/** Whether a state is the one that a chart halts in, or inside it. */
export function isHalted({ id: root }: Chart, id: string): boolean {
  return isWithin(id, `${root}.halted`);
}

function shownInitial({ initial }: Pick<ChartState, 'initial'>, shown: ReadonlySet<string>): string | null {
  return initial !== null && shown.has(initial) ? initial : null;
}
