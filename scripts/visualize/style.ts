import { FONT } from './measure.ts';

/**
 * The looks of a chart. Every colour is a custom property of `.chart`, light and dark, so that a page around the picture
 * can set its own.
 */
export const STYLE = `
.chart { --ink: #1f2328; --faint: #57606a; --paper: #ffffff; --fill: #f6f8fa; --line: #6e7781; --halt: #b3261e; background: var(--paper); }
@media (prefers-color-scheme: dark) { .chart { --ink: #e6edf3; --faint: #9da7b3; --paper: #0d1117; --fill: #161b22; --line: #8b949e; --halt: #ff7b72; } }
.chart text { font: ${FONT.label}px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: var(--ink); }
.chart text.n { font-size: ${FONT.state}px; font-weight: 600; }
.chart text.d { fill: var(--faint); }
.chart rect { fill: var(--fill); stroke: var(--line); stroke-width: 1.2; rx: 6px; }
.chart .outer > rect { fill: none; }
.chart .region > rect { stroke-dasharray: 6 4; }
.chart .boundary > rect { fill: none; stroke-dasharray: 2 3; }
.chart .final > rect { stroke-width: 3; }
.chart path { fill: none; stroke: var(--line); stroke-width: 1.1; }
.chart .halts path { stroke: var(--halt); }
.chart .halts text { fill: var(--halt); }
.chart circle { fill: var(--ink); }
`;
