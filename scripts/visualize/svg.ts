/** A laid-out chart as SVG: each state has its id in `data-state`, each transition its id in `data-transition`. */
import type { Chart } from '../../machines/chart.ts';
import { labelOf } from '../../src/chart/labels.ts';
import { FONT, layOut, type Box, type DrawnState, type DrawnTransition, type Point } from './layout.ts';

const STYLE = `
  .chart { --ink: #1f2328; --faint: #57606a; --paper: #ffffff; --fill: #f6f8fa; --line: #8c959f; --halt: #b3261e; background: var(--paper); }
  @media (prefers-color-scheme: dark) {
    .chart { --ink: #e6edf3; --faint: #9da7b3; --paper: #0d1117; --fill: #161b22; --line: #768390; --halt: #ff7b72; }
  }
  .chart text { font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: var(--ink); }
  .chart .state text { font-size: ${FONT.state}px; }
  .chart .state .detail { fill: var(--faint); }
  .chart .name { font-weight: 600; }
  .chart .state rect { fill: var(--fill); stroke: var(--line); stroke-width: 1.2; }
  .chart .state.outer > rect { fill: none; }
  .chart .state.region > rect { stroke-dasharray: 6 4; }
  .chart .state.final > rect { stroke-width: 3; }
  .chart .transition path { fill: none; stroke: var(--line); stroke-width: 1.1; marker-end: url(#arrow); }
  .chart .transition.halts path { stroke: var(--halt); marker-end: url(#halt-arrow); }
  .chart .transition text { font-size: ${FONT.label}px; }
  .chart .transition .detail { fill: var(--faint); }
  .chart .transition.halts text { fill: var(--halt); }
  .chart .transition rect { fill: var(--paper); opacity: 0.85; }
  .chart .entry { fill: var(--ink); }
  #arrow path { fill: var(--line); }
  #halt-arrow path { fill: var(--halt); }
`;

/** Lays a chart out and draws it, in light and dark. The same chart gives the same bytes. */
export async function svgOf(chart: Chart): Promise<string> {
  const { width, height, states, transitions, entries } = await layOut(chart);
  const regionsOf = new Set(chart.states.filter(({ type }) => type === 'parallel').map(({ id }) => id));
  const haltedId = `${chart.id}.halted`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(chart.description)}</title>`,
    `<style>${STYLE}</style>`,
    `<defs>${marker('arrow')}${marker('halt-arrow')}</defs>`,
    ...states.map((drawn) => stateSvg(drawn, regionsOf.has(drawn.state.parent ?? ''))),
    ...entries.map(entrySvg),
    ...transitions.map((drawn) => transitionSvg(drawn, haltedId)),
    '</svg>',
    '',
  ].join('\n');
}

function marker(id: string): string {
  return `<marker id="${id}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker>`;
}

function stateSvg({ state, lines, holdsOthers, ...box }: DrawnState, isRegion: boolean): string {
  const kinds = [
    'state',
    ...(holdsOthers ? ['outer'] : []),
    ...(isRegion ? ['region'] : []),
    ...(state.type === 'final' ? ['final'] : []),
  ];
  const text = lines.map((line, index) =>
    textSvg(line, { x: box.x + 8, y: box.y + 8 }, index, FONT.state, index === 0 ? 'name' : 'detail'),
  );
  return `<g class="${kinds.join(' ')}" data-state="${escaped(state.id)}"><title>${escaped(state.description)}</title>${rectSvg(box, 7)}${text.join('')}</g>`;
}

function entrySvg({ x, y, width }: Box): string {
  const radius = width / 2;
  return `<circle class="entry" cx="${tenths(x + radius)}" cy="${tenths(y + radius)}" r="${radius}"/>`;
}

function transitionSvg({ transition, routes, label }: DrawnTransition, haltedId: string): string {
  const isHalted = (id: string) => id === haltedId || id.startsWith(`${haltedId}.`);
  const halts = transition.targets.some(isHalted) && !isHalted(transition.source);
  const kinds = halts ? 'transition halts' : 'transition';
  const paths = routes.map((points) => `<path d="${pathOf(points)}"/>`);
  const text =
    label === null
      ? []
      : labelOf(transition).map((line, index) =>
          textSvg(line, label, index, FONT.label, index === 0 ? 'event' : 'detail'),
        );
  const title = transition.description === null ? '' : `<title>${escaped(transition.description)}</title>`;
  return `<g class="${kinds}" data-transition="${escaped(transition.id)}">${title}${paths.join('')}${label === null ? '' : rectSvg(label, 0)}${text.join('')}</g>`;
}

function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join(' ');
}

function rectSvg({ x, y, width, height }: Box, radius: number): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`;
}

function textSvg(text: string, at: Point, line: number, fontSize: number, kind: string): string {
  const y = at.y + fontSize + line * fontSize * FONT.lineHeight;
  return `<text class="${kind}" x="${tenths(at.x)}" y="${tenths(y)}">${escaped(text)}</text>`;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
