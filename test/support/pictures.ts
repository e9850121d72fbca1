/** Reads pictures of charts back: what a drawing shows is compared with what the chart says. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Chart, ChartTransition } from '../../machines/chart.ts';
import { CHART_NAMES, CHARTS } from '../../machines/charts.ts';
import { mermaidId } from '../../src/chart/mermaid.ts';
import { STAGE_NAMES, stageChart } from '../../src/chart/stage.ts';

export interface Pictured {
  /** Of its files in `visualizations/`, without the end that tells the format. */
  readonly name: string;
  readonly chart: Chart;
  readonly file: (extension: string) => string;
}

/** Every chart that is drawn: the two whole ones, and each stage of the node chart. */
export const PICTURED: readonly Pictured[] = [
  ...CHART_NAMES.map((name) => pictured(name, CHARTS[name])),
  ...STAGE_NAMES.map((name) => pictured(`stages/${name}`, stageChart(CHARTS.node, name))),
];

function pictured(name: string, chart: Chart | null): Pictured {
  if (chart === null) throw new Error(`${name} is no part of the node chart`);
  return {
    name,
    chart,
    file: (extension) =>
      readFileSync(new URL(`../../visualizations/${name}.${extension}`, import.meta.url), 'utf8'),
  };
}

export interface Picture {
  readonly states: readonly { readonly id: string; readonly parent: string | null }[];
  readonly arrows: readonly string[];
}

/** What every drawing has to show: states in their parents, arrows with their words. */
export function picture({ states, transitions }: Chart): Picture {
  return {
    states: states.map(({ id, parent }) => ({ id, parent })),
    arrows: transitions
      .flatMap((one) => (one.targets.length === 0 ? [one.source] : one.targets).map((end) => arrow(one, end)))
      .sort(),
  };
}

function arrow(
  { source, event, guard }: Pick<ChartTransition, 'source' | 'event' | 'guard'>,
  end: string,
): string {
  const words = event === 'initial' ? '' : guard === null ? event : `${event} [${guard}]`;
  return `${source} > ${end} : ${words}`;
}

/** Regions of a parallel state are kept apart by one line less than there are regions. */
export function regionsOf({ states }: Chart): number {
  return states
    .filter(({ type }) => type === 'parallel')
    .map(({ id }) => states.filter(({ parent }) => parent === id).length)
    .reduce((lines, regions) => lines + Math.max(0, regions - 1), 0);
}

export function readMermaid(text: string, chart: Chart): Picture & { readonly regions: number } {
  const idOf = new Map(chart.states.map(({ id }) => [mermaidId(id), id]));
  expect(idOf.size).toBe(chart.states.length);
  const named = (name: string) => idOf.get(name) ?? `unknown ${name}`;
  const states: Picture['states'][number][] = [];
  const arrows: string[] = [];
  const around: string[] = [];
  let regions = 0;
  const [head, ...lines] = text.trimEnd().split('\n');
  expect(head).toBe('stateDiagram-v2');
  for (const line of lines.map((one) => one.trim())) {
    const declared = /^state "[^"]*" as (\w+)( \{)?$/.exec(line);
    const drawn = /^(\[\*\]|\w+) --> (\w+)(?: : ([^:;#]*))?$/.exec(line);
    if (declared !== null) {
      const id = named(declared[1] as string);
      states.push({ id, parent: around.at(-1) ?? (id === chart.id ? null : chart.id) });
      if (declared[2] !== undefined) around.push(id);
    } else if (drawn !== null) {
      const [, from = '', to = '', words = ''] = drawn;
      const source = from === '[*]' ? (around.at(-1) ?? chart.id) : named(from);
      // The loops of a state share one arrow.
      arrows.push(...words.split(', ').map((one) => `${source} > ${named(to)} : ${one}`));
    } else if (line === '--') regions += 1;
    else if (line === '}') around.pop();
    else throw new Error(`not understood: ${line}`);
  }
  return { states, arrows: arrows.sort(), regions };
}

export function readDot(text: string): Picture & { readonly ids: readonly string[] } {
  const states: Picture['states'][number][] = [];
  const arrows: string[] = [];
  const ids: string[] = [];
  const around: string[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const opened = /^subgraph "cluster ([^"]+)" \{$/.exec(line)?.[1];
    const drawn = /^"([^"]+)" -> "([^"]+)" \[id="([^"]+)", label="([^"]*)"/.exec(line);
    const node = /^"([^"]+)" \[/.exec(line)?.[1];
    if (opened !== undefined) around.push(opened);
    else if (drawn !== null) {
      const [, source, target, id = '', label = ''] = drawn;
      arrows.push(`${source} > ${target} : ${label.replaceAll('\\n', ' ')}`);
      ids.push(id);
    } else if (node !== undefined)
      states.push({ id: node, parent: (node === around.at(-1) ? around.at(-2) : around.at(-1)) ?? null });
    else if (line === '}') around.pop();
  }
  return { states, arrows: arrows.sort(), ids };
}
