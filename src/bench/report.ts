import { tableText } from '../cli/table.ts';
import type { BenchResult } from './run.ts';
import type { Goal, Measured, TitledTable } from './workload.ts';

/** What programs get: every figure, without the tables that are made of them. */
export function resultJson({ measured, ...rest }: BenchResult) {
  return { ...rest, goals: measured?.goals ?? [], figures: measured?.figures ?? null };
}

/** What was found, whether that is enough, and what was asked for; a workload that has no goal has no such table. */
export function goalTables({ goals }: Measured): readonly TitledTable[] {
  const rows = goals.map(({ id, met, found, goal }) => [id, metText(met), found, goal]);
  return rows.length === 0 ? [] : [{ title: 'goals', head: ['id', 'met', 'found', 'goal'], rows }];
}

function metText(met: Goal['met']): string {
  return met === null ? 'not decided' : met ? 'met' : 'NOT met';
}

/** What the figures were measured on and with, a line each. */
export function settingText({ machine, load_averages: load, note, ...rest }: BenchResult): readonly string[] {
  const windows = rest.seconds === 0 ? '' : ` with windows of ${rest.seconds} s`;
  const gibibytes = (machine.memory_bytes / 2 ** 30).toFixed(1);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${gibibytes} GiB, ${machine.system}, Node ${machine.node}, ${machine.file_system}`,
    `${rest.rounds} rounds${windows}, ${rest.documents} documents, at ${rest.at}; everything on this machine, over loopback`,
    `load averages (1, 5, 15 min) ${load.before.join(' ')} before, ${load.after.join(' ')} after`,
    ...(note === null ? [] : [note]),
  ];
}

/** The result as a document that is kept beside the figures. */
export function resultMarkdown(result: BenchResult, command: string): string {
  const { workload, measured, limits } = result;
  return [
    `# Workload ${workload}`,
    '',
    `Written by \`${command}\`; all figures: [${workload}.json](${workload}.json).`,
    '',
    ...settingText(result).map((line) => `- ${line}`),
    '',
    ...(measured === null ? [] : [...goalTables(measured), ...measured.tables]).flatMap(markdownTable),
    '## What the figures do not say',
    '',
    ...limits.map((limit) => `- ${limit}`),
    '',
  ].join('\n');
}

function markdownTable({ title, head, rows }: TitledTable): readonly string[] {
  const line = (cells: readonly (string | number | null)[]) =>
    `| ${cells.map((cell) => String(cell ?? '-').replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    `## ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
  ];
}

/** The result for a terminal. The goals come last: they are what is looked for at the end of a long output. */
export function resultText(result: BenchResult): string {
  const { measured } = result;
  const tables = measured === null ? [] : [...measured.tables, ...goalTables(measured)];
  return [
    settingText(result).join('\n'),
    ...tables.map((table) => `${table.title}\n${tableText(table)}`),
  ].join('\n\n');
}
