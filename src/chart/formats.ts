import type { Chart } from '../../machines/chart.ts';
import { dotOf } from './dot.ts';
import { mermaidOf } from './mermaid.ts';

/** The formats that a chart is written in at run time, with the end of their file names. */
export const TEXT_FORMATS = {
  json: { extension: 'json', write: jsonOf },
  mermaid: { extension: 'mmd', write: mermaidOf },
  dot: { extension: 'dot', write: dotOf },
} as const satisfies Record<string, { readonly extension: string; readonly write: (chart: Chart) => string }>;

export type TextFormat = keyof typeof TEXT_FORMATS;

function jsonOf(chart: Chart): string {
  return `${JSON.stringify(chart, null, 2)}\n`;
}
