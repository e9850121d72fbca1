/** Reads an SVG of a chart back, by its own words: groups with the ids of states and transitions, boxes, text, lines. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface DrawnText {
  readonly text: string;
  readonly kind: string;
  /** The room that it takes in a wide monospace face. */
  readonly box: Box;
}

export interface Drawn {
  readonly id: string;
  readonly box: Box | null;
  readonly texts: readonly DrawnText[];
  /** The lines of every path, corner by corner; heads of arrows are left out. */
  readonly lines: readonly (readonly Point[])[];
  readonly heads: number;
}

export interface DrawnChart {
  readonly page: Box;
  readonly states: readonly Drawn[];
  readonly transitions: readonly Drawn[];
}

/** The widest of the common monospace faces, relative to the size; what rises above a line, and hangs below it. */
const FACE = { advance: 0.62, ascent: 0.93, descent: 0.24 };

export function readSvg(svg: string): DrawnChart {
  const sizes = sizesIn(svg);
  const groups = [...svg.matchAll(/<g(?: class="[^"]*")? data-(state|transition)="([^"]+)">(.*?)<\/g>/g)].map(
    ([, kind, id = '', body = '']) => ({ kind, id: decoded(id), ...shapesIn(body, sizes) }),
  );
  const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
  const of = (wanted: string) =>
    groups.filter(({ kind }) => kind === wanted).map(({ kind: _, ...rest }) => rest);
  return { page: { x: 0, y: 0, width, height }, states: of('state'), transitions: of('transition') };
}

/** Sizes of text by its class, as the style of the picture says; without a class, the size of any text. */
function sizesIn(svg: string): ReadonlyMap<string, number> {
  const rules = [...svg.matchAll(/\.chart text(?:\.(\w+))? \{ font(?:-size)?: (\d+)px/g)];
  return new Map(rules.map(([, kind = '', size]) => [kind, Number(size)]));
}

function shapesIn(body: string, sizes: ReadonlyMap<string, number>): Omit<Drawn, 'id'> {
  const rect = /<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/.exec(body)?.slice(1).map(Number);
  const paths = [...body.matchAll(/<path d="([^"]+)"/g)].map(([, d = '']) => d);
  return {
    box:
      rect === undefined
        ? null
        : { x: rect[0] ?? 0, y: rect[1] ?? 0, width: rect[2] ?? 0, height: rect[3] ?? 0 },
    texts: [...body.matchAll(/<text(?: class="(\w+)")? x="(\d+)" y="(\d+)">([^<]*)<\/text>/g)].map(
      ([, kind = '', x, y, text = '']) => {
        const size = sizes.get(kind) ?? sizes.get('') ?? NaN;
        return { text: decoded(text), kind, box: roomOf(decoded(text), Number(x), Number(y), size) };
      },
    ),
    lines: paths.flatMap(linesIn),
    heads: paths.join('').split('m').length - 1,
  };
}

function roomOf(text: string, x: number, baseLine: number, size: number): Box {
  return {
    x,
    y: baseLine - size * FACE.ascent,
    width: [...text].length * size * FACE.advance,
    height: size * (FACE.ascent + FACE.descent),
  };
}

function linesIn(path: string): readonly (readonly Point[])[] {
  return path
    .split('M')
    .slice(1)
    .map((line) => {
      const points: Point[] = [];
      for (const [, step, x = '0', y = '0'] of `M${line.split('m')[0]}`.matchAll(
        /([MLHV])(-?\d+)(?: (-?\d+))?/g,
      )) {
        const before = points.at(-1) ?? { x: NaN, y: NaN };
        if (step === 'H') points.push({ x: Number(x), y: before.y });
        else if (step === 'V') points.push({ x: before.x, y: Number(x) });
        else points.push({ x: Number(x), y: Number(y) });
      }
      return points;
    });
}

function decoded(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

export function overlap(one: Box, other: Box): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

export function holds(outer: Box, inner: Box): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}
