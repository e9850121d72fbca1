import type { Chart } from '../../machines/chart.ts';
import { dotOf } from './dot.ts';
import { mermaidOf } from './mermaid.ts';
import { scxmlOf } from './scxml.ts';
import { xstateOf } from './xstate.ts';

/** The formats that a chart is written in at run time, with the end of their file names. */
export const TEXT_FORMATS = {
  json: { extension: 'json', write: jsonOf },
  mermaid: { extension: 'mmd', write: mermaidOf },
  dot: { extension: 'dot', write: dotOf },
  scxml: { extension: 'scxml', write: scxmlOf },
  xstate: { extension: 'machine.json', write: xstateOf },
} as const satisfies Record<string, { readonly extension: string; readonly write: (chart: Chart) => string }>;

export type TextFormat = keyof typeof TEXT_FORMATS;

function jsonOf(chart: Chart): string {
  return `${JSON.stringify(chart, null, 2)}\n`;
}
