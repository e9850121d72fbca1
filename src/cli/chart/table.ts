import type { Chart, ChartTransition } from '../../../machines/chart.ts';
import { boundaryOf } from '../../chart/part.ts';

/** A line for each transition, in the order in which they are tried; and for each state that has none. */
export function chartTable(chart: Chart): string {
  const boundary = boundaryOf(chart);
  const rows = chart.states.flatMap(({ id }) => {
    const transitions = chart.transitions.filter(({ source }) => source === id);
    if (transitions.length > 0) return transitions.map(rowOf(chart));
    return boundary.has(id) ? [] : [[shown(chart, id), '-', '-', '-']];
  });
  return columnsText([['state', 'event', 'guard', 'target'], ...rows]);
}

/** Within one chart every id begins with the same word; without it the lines are short enough to read. */
export function shown({ id: root }: Pick<Chart, 'id'>, id: string): string {
  return id === root ? '(root)' : id.slice(root.length + 1);
}

function rowOf(chart: Chart) {
  return ({ source, event, guard, targets }: ChartTransition): readonly string[] => [
    shown(chart, source),
    event,
    guard ?? '-',
    targets.length === 0 ? '(stays)' : targets.map((id) => shown(chart, id)).join(' '),
  ];
}

function columnsText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
