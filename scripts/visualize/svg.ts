/** A laid-out chart as SVG: each state has its id in `data-state`, each transition its id in `data-transition`. */
import type { Chart } from '../../machines/chart.ts';
import { boundaryOf, isHalted } from '../../src/chart/part.ts';
import type { StageChart } from '../../src/chart/stage.ts';
import type { Box, Point } from './geometry.ts';
import { layOut, type DrawnState, type DrawnTransition } from './layout.ts';
import { baseLine, FONT } from './measure.ts';
import { STYLE } from './style.ts';

/** Lays a chart out and draws it, in light and dark. The same chart gives the same bytes. */
export async function svgOf(chart: Chart | StageChart): Promise<string> {
  const { width, height, states, transitions, entries } = await layOut(chart);
  const regionsOf = new Set(chart.states.filter(({ type }) => type === 'parallel').map(({ id }) => id));
  const boundary = boundaryOf(chart);
  const kindsOf = ({ state, holdsOthers }: DrawnState) => [
    ...(holdsOthers ? ['outer'] : []),
    ...(regionsOf.has(state.parent ?? '') ? ['region'] : []),
    ...(state.type === 'final' ? ['final'] : []),
    ...(boundary.has(state.id) ? ['boundary'] : []),
  ];
  const title = 'stage' in chart ? `Stage ${chart.stage}. ${chart.description}` : chart.description;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...states.map((drawn) => stateSvg(drawn, kindsOf(drawn))),
    ...entries.map(entrySvg),
    ...transitions.map((drawn) => transitionSvg(chart, drawn)),
    '</svg>',
    '',
  ].join('\n');
}

function stateSvg({ state, header, x, y, width, height }: DrawnState, kinds: readonly string[]): string {
  const text = header.texts.map(({ text: words, kind, ...at }) =>
    kind === 'name'
      ? textSvg(words, FONT.state, { x: x + at.x, y: y + at.y }, 'n')
      : textSvg(words, FONT.label, { x: x + at.x, y: y + at.y }, 'd'),
  );
  const title = state.description === '' ? '' : `<title>${escaped(state.description)}</title>`;
  return `<g${classes(kinds)} data-state="${escaped(state.id)}">${title}<rect x="${x}" y="${y}" width="${width}" height="${height}"/>${text.join('')}</g>`;
}

function entrySvg({ x, y, width }: Box): string {
  const radius = width / 2;
  return `<circle cx="${x + radius}" cy="${y + radius}" r="${radius}"/>`;
}

function transitionSvg(chart: Chart, { transition, routes, words }: DrawnTransition): string {
  const halts = !isHalted(chart, transition.source) && transition.targets.some((id) => isHalted(chart, id));
  const text = words.map((one) => textSvg(one.text, FONT.label, one));
  const title = transition.description === null ? '' : `<title>${escaped(transition.description)}</title>`;
  return `<g${classes(halts ? ['halts'] : [])} data-transition="${escaped(transition.id)}">${title}<path d="${routes.map(arrowOf).join('')}"/>${text.join('')}</g>`;
}

/** A line with an open head of its own: a marker would have an id, and several pictures may stand in one page. */
function arrowOf(points: readonly Point[]): string {
  const [last, before] = [points.at(-1), points.at(-2)];
  if (last === undefined || before === undefined) throw new Error('an arrow has two ends');
  return `${points.map(stepOf).join('')}${headOf(before, last)}`;
}

function stepOf({ x, y }: Point, index: number, points: readonly Point[]): string {
  const before = points[index - 1];
  if (before === undefined) return `M${x} ${y}`;
  if (before.y === y) return `H${x}`;
  return before.x === x ? `V${y}` : `L${x} ${y}`;
}

function headOf(from: Point, to: Point): string {
  if (from.y === to.y) return from.x < to.x ? 'm-5-4 5 4-5 4' : 'm5-4-5 4 5 4';
  return from.y < to.y ? 'm-4-5 4 5 4-5' : 'm-4 5 4-5 4 5';
}

function classes(names: readonly string[]): string {
  return names.length === 0 ? '' : ` class="${names.join(' ')}"`;
}

function textSvg(text: string, fontSize: number, { x, y }: Point, kind = ''): string {
  return `<text${classes(kind === '' ? [] : [kind])} x="${x}" y="${baseLine(y, fontSize)}">${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
