import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import type { Chart, ChartTransition } from '../../../machines/chart.ts';
import { TEXT_FORMATS, type TextFormat } from '../../chart/formats.ts';
import { CHART_NAMES, CHARTS, type ChartName } from '../../../machines/charts.ts';
import type { ExitCode } from '../../core/errors.ts';
import { outputOf } from '../output.ts';
import { checkCommand, pathsCommand } from './machine-model.ts';

type Format = TextFormat | 'svg';
const FORMATS: readonly Format[] = ['json', 'mermaid', 'dot', 'svg'];

interface MachineFlags {
  readonly chart: ChartName;
  readonly format?: Format;
  readonly json?: boolean;
}

/** `replichart machine`: the statechart that a node runs, read off the machine itself; below it, what can be made of it. */
export function machineCommand(setExit: (code: ExitCode) => void): Command {
  const command = new Command('machine')
    .usage('[options] [command]')
    // Where it does something by itself, commander takes the name of a command that it does not have for an argument.
    .argument('[command]')
    .description('the statechart of a node: every state, every transition, and what decides it')
    .addOption(
      new Option('--chart <name>', 'node: the chart of a replica; primary: that of a primary')
        .choices(CHART_NAMES)
        .default('node'),
    )
    .addOption(new Option('--format <format>', 'print a drawing or the graph').choices(FORMATS))
    .addOption(new Option('--json', 'print the graph as one JSON object').conflicts('format'))
    .addHelpText(
      'after',
      `
Without a format, a table: a line for each transition, in the order in which they are tried. "always"
needs no event, "initial" is the entry into a state. What an inner state does not answer, the states
around it do, and "(root)" after them all.

Examples:
  replichart machine --chart primary
  replichart machine --format svg > node.svg
  replichart machine --format dot | dot -Tpdf > node.pdf
  replichart machine paths --help
  replichart machine check --help`,
    )
    .action(async (unknown: string | undefined, flags: MachineFlags) => {
      if (unknown !== undefined) command.error(`error: unknown command '${unknown}'`);
      const chart = CHARTS[flags.chart];
      outputOf(flags).result(chart, await textOf(chart, flags));
    });
  command.addCommand(pathsCommand());
  command.addCommand(checkCommand(setExit));
  return command;
}

async function textOf(chart: Chart, { chart: name, format }: MachineFlags): Promise<string> {
  if (format === undefined) return tableOf(chart);
  const text = format === 'svg' ? await shippedDrawing(name) : TEXT_FORMATS[format].write(chart);
  return text.trimEnd();
}

/** SVG is laid out when the package is made: laying out takes a library that a node has no other use for. */
function shippedDrawing(name: ChartName): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve(`#visualizations/${name}.svg`), 'utf8');
}

function tableOf(chart: Chart): string {
  const rows = chart.states.flatMap(({ id }) => {
    const transitions = chart.transitions.filter(({ source }) => source === id);
    return transitions.length === 0 ? [[shown(chart, id), '-', '-', '-']] : transitions.map(rowOf(chart));
  });
  return columnsText([['state', 'event', 'guard', 'target'], ...rows]);
}

function rowOf(chart: Chart) {
  return ({ source, event, guard, targets }: ChartTransition): readonly string[] => [
    shown(chart, source),
    event,
    guard ?? '-',
    targets.length === 0 ? '(stays)' : targets.map((id) => shown(chart, id)).join(' '),
  ];
}

/** Within one chart every id begins with the same word; without it the lines are short enough to read. */
function shown({ id: root }: Chart, id: string): string {
  return id === root ? '(root)' : id.slice(root.length + 1);
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
