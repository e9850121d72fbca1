import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Command, Option } from 'commander';
import { CHART_NAMES } from '../../../machines/charts.ts';
import { TEXT_FORMATS, type TextFormat } from '../../chart/formats.ts';
import { STAGE_NAMES } from '../../chart/stage.ts';
import type { ExitCode } from '../../core/errors.ts';
import { getMachine } from '../../http/contract/why.ts';
import { askedChart, type Asking } from '../chart/asked.ts';
import { BARE_MARKS, liveText, PLAIN_MARKS, TERMINAL_MARKS, type Marks } from '../chart/live.ts';
import { chartTable } from '../chart/table.ts';
import { ask, type ClientFlags } from '../client.ts';
import { outputOf } from '../output.ts';
import { isOnTerminal } from '../table.ts';
import { checkCommand, pathsCommand } from './machine-model.ts';

type Format = TextFormat | 'svg';
const FORMATS: readonly Format[] = ['json', 'mermaid', 'dot', 'svg', 'scxml', 'xstate'];

interface MachineFlags extends Asking, ClientFlags {
  readonly format?: Format;
  readonly live?: string;
}

const HELP = `
Without a format, a table: a line for each transition, in the order in which they are tried. "always"
needs no event, "initial" is the entry into a state. What an inner state does not answer, the states
around it do, and "(root)" after them all.

--stage, --from and --event narrow the table and every format but svg, which has the stages of the node
chart only. What is shown of other parts is there because an arrow ends at it. "xstate" is what XState's
createMachine takes, "json" the graph as a node shows it at /v1/machine.

--live asks a running node, and draws its states with the current ones marked; then the transitions that
are allowed now, and for each other candidate why not, with the evidence.

Examples:
  replichart machine --chart primary
  replichart machine --from replicating.ingesting.detached
  replichart machine --event storage.failed
  replichart machine --stage 2-ingress --format mermaid
  replichart machine --format svg > node.svg
  replichart machine --format dot | dot -Tpdf > node.pdf
  replichart machine --live http://127.0.0.1:7002
  replichart machine paths --help
  replichart machine check --help`;

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
    .addOption(new Option('--stage <name>', 'only what belongs to a stage').choices(STAGE_NAMES))
    .option(
      '--from <state>',
      'only the ways out of a state: its own, those inside it, those of the states around',
    )
    .option('--event <event>', 'only the transitions on an event')
    .addOption(
      new Option(
        '--live <url>',
        'where a running node stands in its chart, and what it may do next',
      ).conflicts(['chart', 'format', 'stage', 'from', 'event']),
    )
    .option('--token-file <file>', 'with --live: a file with the bearer token of the node')
    .addOption(
      new Option('--json', 'print the graph, or what the node says, as one JSON object').conflicts('format'),
    )
    .addHelpText('after', HELP)
    .action(async (unknown: string | undefined, flags: MachineFlags) => {
      const refuse = (why: string) => command.error(`error: ${why}`);
      if (unknown !== undefined) refuse(`unknown command '${unknown}'`);
      if (flags.live !== undefined) return live(flags.live, flags);
      if (flags.tokenFile !== undefined)
        refuse('--token-file is for --live: nothing else is asked of a node');
      const chart = askedChart(flags, refuse);
      const { format } = flags;
      if (format === 'svg') outputOf(flags).result(chart, (await shippedDrawing(flags, refuse)).trimEnd());
      else
        outputOf(flags).result(
          chart,
          format === undefined ? chartTable(chart) : TEXT_FORMATS[format].write(chart).trimEnd(),
        );
    });
  command.addCommand(pathsCommand());
  command.addCommand(checkCommand(setExit));
  return command;
}

/** SVG is laid out when the package is made: laying out takes a library that a node has no other use for. */
function shippedDrawing(
  { chart, stage, from, event }: Asking,
  refuse: (why: string) => never,
): Promise<string> {
  if (from !== undefined || event !== undefined)
    refuse('--from and --event narrow every format but svg: with --format dot, Graphviz draws what is left');
  if (stage !== undefined && chart !== 'node')
    refuse(`--stage has an svg of the node chart only: with --format dot, Graphviz draws that of a ${chart}`);
  const name = stage === undefined ? chart : `stages/${stage}`;
  return readFile(createRequire(import.meta.url).resolve(`#visualizations/${name}.svg`), 'utf8');
}

async function live(url: string, flags: ClientFlags): Promise<void> {
  const answer = await ask(url, getMachine, flags);
  const output = outputOf(flags);
  output.result(answer, output.json ? '' : liveText(url, answer.data, marks()));
}

function marks(): Marks {
  if (!isOnTerminal()) return PLAIN_MARKS;
  return (process.env['NO_COLOR'] ?? '') === '' ? TERMINAL_MARKS : BARE_MARKS;
}
