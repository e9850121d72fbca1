/** Where a transition is shown: beside an arrow between two boxes, or in a line of the box of its source. */
import type { Chart, ChartTransition } from '../../machines/chart.ts';
import { pathName, wordsOf } from '../../src/chart/labels.ts';
import { isHalted, lineageOf } from '../../src/chart/part.ts';

export interface Ends {
  /** The state whose children both ends are. */
  readonly within: string;
  readonly from: string;
  readonly to: string;
}

/** A line in the box of a state: words, an arrow, and where it goes. */
export interface ExitLine {
  readonly transition: ChartTransition;
  readonly words: string;
  readonly goesTo: string;
}

export interface Arrow {
  readonly ends: Ends;
  readonly transitions: readonly ChartTransition[];
  /** Those that have their words beside the arrow, and no line in a box. */
  readonly labelled: readonly ChartTransition[];
}

export interface Places {
  /** Transitions between neighbours, those of the same two boxes together: one arrow, a line of words for each. */
  readonly arrows: readonly Arrow[];
  /** By the id of their source. */
  readonly exits: ReadonlyMap<string, readonly ExitLine[]>;
}

/**
 * A transition between two children of one state is an arrow with its words. Any other is a line in the box of its
 * source, as arrows through many boxes are read by nobody; where it leads on to another part of the chart, an arrow
 * without words shows that between the two parts. What halts is a line only: almost every state has it.
 */
export function placesOf(chart: Chart): Places {
  const arrows = new Map<string, Arrow>();
  const exits = new Map<string, ExitLine[]>();
  for (const transition of chart.transitions) {
    const { source, event } = transition;
    const ends = event === 'initial' ? [entryEnds(transition)] : endsOf(chart, transition);
    const isLine = isExit(chart, transition, ends);
    if (isLine) exits.set(source, [...(exits.get(source) ?? []), exitLine(chart, transition)]);
    for (const one of ends) {
      const { transitions, labelled } = arrows.get(keyOf(one)) ?? { transitions: [], labelled: [] };
      arrows.set(keyOf(one), {
        ends: one,
        transitions: [...transitions, transition],
        labelled: isLine || event === 'initial' ? labelled : [...labelled, transition],
      });
    }
  }
  return { arrows: [...arrows.values()], exits };
}

export function keyOf({ within, from, to }: Ends): string {
  return JSON.stringify([within, from, to]);
}

export function entryOf(id: string): string {
  return `entry of ${id}`;
}

function entryEnds({ source, targets }: ChartTransition): Ends {
  return { within: source, from: entryOf(source), to: targets[0] ?? source };
}

function isExit({ id }: Chart, { source, event, targets }: ChartTransition, ends: readonly Ends[]): boolean {
  if (event === 'initial') return false;
  const isNeighbour = (to: string) => ends.some((one) => one.from === source && one.to === to);
  return source === id || targets.length === 0 || !targets.every(isNeighbour);
}

function exitLine(chart: Chart, transition: ChartTransition): ExitLine {
  const { targets } = transition;
  return {
    transition,
    words: wordsOf(transition),
    goesTo: targets.length === 0 ? 'stays' : targets.map((id) => pathName(chart, id)).join(' '),
  };
}

/** The arrows of a transition: none to what it is inside of or holds itself, and none that halts. */
function endsOf(chart: Chart, { source, targets }: ChartTransition): readonly Ends[] {
  return targets.flatMap((target) => {
    if (isHalted(chart, target) && !isHalted(chart, source)) return [];
    const up = lineageOf(chart, source);
    const down = lineageOf(chart, target);
    const shared = up.filter((state, at) => state === down[at]).length;
    const [within, from, to] = [up[shared - 1], up[shared], down[shared]];
    if (within === undefined || from === undefined || to === undefined) return [];
    return [{ within: within.id, from: from.id, to: to.id }];
  });
}
