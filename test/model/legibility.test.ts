/** Every word of every picture can be read: nothing on top of it, nothing cut off, enough contrast in light and dark. */
import { describe, expect, test } from 'vitest';
import { PICTURED } from '../support/pictures.ts';
import { holds, overlap, readSvg, type Box, type Point } from '../support/svg.ts';

describe.each(PICTURED)('the SVG of $name', ({ file }) => {
  const { page, states, transitions } = readSvg(file('svg'));
  const words = [...states, ...transitions].flatMap(({ id, texts }) =>
    texts.map(({ text, box }) => ({ what: `${text} (${id})`, box })),
  );

  test('no words lie on other words', () => {
    expect(words.length).toBeGreaterThan(states.length);
    const faults = words.flatMap(({ what, box }, at) =>
      words.slice(at + 1).flatMap((other) => (overlap(box, other.box) ? [[what, other.what]] : [])),
    );
    expect(faults).toEqual([]);
  });

  test('words stand inside a box or outside it, never across its edge, and all on the page', () => {
    const boxes = states.flatMap(({ id, box }) => (box === null ? [] : [{ id, box }]));
    expect(boxes.length).toBe(states.length);
    const faults = words.flatMap(({ what, box }) => [
      ...(holds(page, box) ? [] : [[what, 'the page']]),
      ...boxes.filter((one) => overlap(one.box, box) && !holds(one.box, box)).map(({ id }) => [what, id]),
    ]);
    expect(faults).toEqual([]);
  });

  test('what is written into a state stands in its box, and in no box inside that', () => {
    const own = new Map(transitions.map(({ id, texts }) => [id, texts]));
    const faults = states.flatMap(({ id, box, texts }) => {
      const exits = [...own]
        .filter(([transition, found]) => transition.startsWith(`${id} -- `) && found.length === 2)
        .flatMap(([, found]) => found);
      const inner = states.filter((other) => other.id.startsWith(`${id}.`)).map((other) => other.box);
      return [...texts, ...exits]
        .filter(
          (text) =>
            box === null ||
            !holds(box, text.box) ||
            inner.some((one) => one !== null && overlap(one, text.box)),
        )
        .map(({ text }) => [id, text]);
    });
    expect(faults).toEqual([]);
  });

  test('no arrow goes through words, and every one goes straight or around corners', () => {
    const steps = transitions.flatMap(({ id, lines }) =>
      lines.flatMap((line) => line.slice(1).map((to, at) => ({ id, from: line[at] ?? to, to }))),
    );
    expect(steps.filter(({ from, to }) => from.x !== to.x && from.y !== to.y)).toEqual([]);
    const faults = steps.flatMap(({ id, from, to }) =>
      words.filter(({ box }) => overlap(box, stroke(from, to))).map(({ what }) => [id, what]),
    );
    expect(faults).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'words have a contrast of 4.5 to 1 and more when it is %s',
    (mode) => {
      const colours = coloursIn(file('svg'))[mode];
      for (const ink of ['ink', 'faint', 'halt'])
        for (const ground of ['paper', 'fill'])
          expect({ ink, ground, enough: contrast(colours(ink), colours(ground)) >= 4.5 }).toEqual({
            ink,
            ground,
            enough: true,
          });
      // The words of a picture have no other colours than those.
      const inks = [...file('svg').matchAll(/ text(?:\.\w+)? \{[^}]*?fill: ([^;]+);/g)].map(
        ([, fill]) => fill,
      );
      expect(inks.sort()).toEqual(['var(--faint)', 'var(--halt)', 'var(--ink)']);
    },
  );
});

test('the pictures are small enough for a page that shows all of them', () => {
  const bytes = PICTURED.map(({ name, file }) => [name, Buffer.byteLength(file('svg'))] as const);
  expect(bytes.filter(([, size]) => size > 75_000)).toEqual([]);
});

function stroke(from: Point, to: Point): Box {
  const [x, y] = [Math.min(from.x, to.x), Math.min(from.y, to.y)];
  return { x, y, width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y) };
}

type Colours = (name: string) => string;

/** The custom properties of a picture, first those for light and then those for dark. */
function coloursIn(svg: string): { readonly light: Colours; readonly dark: Colours } {
  const [light, dark, ...more] = [...svg.matchAll(/\.chart \{( --[^}]+)\}/g)].map(([, rule = '']) => {
    const found = new Map(
      [...rule.matchAll(/--(\w+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour]),
    );
    return (name: string) => found.get(name) ?? `no ${name}`;
  });
  if (light === undefined || dark === undefined || more.length > 0) throw new Error('light and dark are two');
  return { light, dark };
}

/** As WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const [dark = NaN, light = NaN] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
