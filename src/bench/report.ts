import type { BenchResult } from './run.ts';
import type { Goal, TitledTable } from './workload.ts';

/** What programs get: every figure, without the tables that are made of them. */
export function resultJson({ measured, ...rest }: BenchResult) {
  return { ...rest, goals: measured?.goals ?? [], figures: measured?.figures ?? null };
}

export function goalText({ goal, met, found }: Goal): string {
  return `${met ? 'met' : 'NOT met'}: ${goal}; ${found}`;
}

/** What the figures were measured on and with, a line each. */
export function settingText({ machine, load_averages: load, note, ...rest }: BenchResult): readonly string[] {
  const gibibytes = (machine.memory_bytes / 2 ** 30).toFixed(1);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${gibibytes} GiB, ${machine.system}, Node ${machine.node}, ${machine.file_system}`,
    `${rest.rounds} rounds with windows of ${rest.seconds} s, at ${rest.at}; everything on this machine, over loopback`,
    `load averages (1, 5, 15 min) ${load.before.join(' ')} before, ${load.after.join(' ')} after`,
    ...(note === null ? [] : [note]),
  ];
}

/** The result as a document that is kept beside the figures. */
export function resultMarkdown(result: BenchResult): string {
  const { workload, measured, limits } = result;
  return [
    `# Workload ${workload}`,
    '',
    `Written by \`replichart bench ${workload} --record\`; all figures: [${workload}.json](${workload}.json).`,
    '',
    ...settingText(result).map((line) => `- ${line}`),
    '',
    '## Goals',
    '',
    ...(measured?.goals ?? []).map((goal) => `- ${goalText(goal)}`),
    '',
    ...(measured?.tables ?? []).flatMap(markdownTable),
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
