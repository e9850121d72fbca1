/** What is written into the box of a state, and how large that makes it. */
import type { ChartState, ChartTransition } from '../../machines/chart.ts';
import { shortName } from '../../src/chart/labels.ts';
import { baseLine, FONT, textHeight, textWidth } from './measure.ts';
import type { ExitLine } from './places.ts';

/** Pixels: around the text of a box, between two pieces of a line, and of the arrow in a line. */
export const HEADER = { padding: 6, gap: 6, arrow: 16 } as const;

interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface HeaderText extends Spot {
  readonly text: string;
  readonly kind: 'name' | 'detail';
}

/** Everything within a box, seen from its corner; text begins at the left end of its top line. */
export interface Header {
  readonly texts: readonly HeaderText[];
  readonly exits: readonly {
    readonly transition: ChartTransition;
    readonly words: readonly (Spot & { readonly text: string })[];
    readonly arrow: readonly Spot[];
  }[];
  readonly width: number;
  readonly height: number;
}

/** The name, the invariants that a state serves, the effect that runs in it, and a line for each exit. */
export function header(state: ChartState, exits: readonly ExitLine[]): Header {
  const { padding, gap } = HEADER;
  const name = shortName(state);
  const invariants = state.invariants.join(' ');
  const afterName = padding + textWidth(name, FONT.state) + gap;
  const onBaseLine = baseLine(padding, FONT.state) - baseLine(0, FONT.label);
  const effects = state.invokes.map(({ src }) => `do: ${src}`);
  const lineAt = (line: number) =>
    padding + textHeight(1, FONT.state) + Math.round(line * FONT.label * FONT.lineHeight);
  const texts: HeaderText[] = [
    { text: name, kind: 'name', x: padding, y: padding },
    ...(invariants === ''
      ? []
      : [{ text: invariants, kind: 'detail' as const, x: afterName, y: onBaseLine }]),
    ...effects.map((text, at) => ({ text, kind: 'detail' as const, x: padding, y: lineAt(at) })),
  ];
  const lines = exits.map((exit, at) => exitAt(exit, lineAt(effects.length + at)));
  const rights = [
    ...texts.map(({ text, kind, x }) => x + textWidth(text, kind === 'name' ? FONT.state : FONT.label)),
    ...lines.flatMap(({ words }) => words.map(({ text, x }) => x + textWidth(text, FONT.label))),
  ];
  return {
    texts,
    exits: lines,
    width: Math.max(...rights) + padding,
    height: lineAt(effects.length + exits.length) + padding,
  };
}

function exitAt({ transition, words, goesTo }: ExitLine, y: number): Header['exits'][number] {
  const { padding, gap, arrow } = HEADER;
  const from = padding + textWidth(words, FONT.label) + gap;
  const middle = y + Math.round((FONT.label * FONT.lineHeight) / 2);
  return {
    transition,
    words: [
      { text: words, x: padding, y },
      { text: goesTo, x: from + arrow + gap, y },
    ],
    arrow: [
      { x: from, y: middle },
      { x: from + arrow, y: middle },
    ],
  };
}
