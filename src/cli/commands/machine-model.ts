import { Command, Option } from 'commander';
import { CHART_NAMES, type ChartName } from '../../../machines/charts.ts';
import { EXIT, type ExitCode } from '../../core/errors.ts';
import { numberFrom } from '../arguments.ts';
import { outputOf } from '../output.ts';
import { progressLine } from '../progress.ts';

interface PathsFlags {
  readonly chart: ChartName;
  readonly json?: boolean;
}

interface CheckFlags {
  readonly chart?: ChartName;
  readonly units?: number;
  readonly faults: number;
  readonly crashes: number;
  readonly json?: boolean;
}

/** So many units, faults or crashes would be explored for longer than anyone waits. */
const UNITS_MAX = 8;
const TROUBLES_MAX = 4;

/** Up to here it is a matter of seconds; a chart alone takes no longer with three. */
const UNITS_QUICK = 1;
const TROUBLES_QUICK = 1;

// The model and the package that explores it are loaded when a command of theirs is run, and not before.

/** `replichart machine paths`: ways through a chart that together take every transition. */
export function pathsCommand(): Command {
  return new Command('paths')
    .description('the paths that tests are generated from: together they take every transition')
    .addOption(
      new Option('--chart <name>', 'node: the chart of a replica; primary: that of a primary')
        .choices(CHART_NAMES)
        .default('node'),
    )
    .option('--json', 'print the paths as one JSON object')
    .addHelpText(
      'after',
      `
Each path is a way of starting a node and what then happens to it, with where the chart rests after
each move. Together the paths take every transition of the chart, and see every answer of every
effect. They are the same every time. docs/TESTING.md tells how to make tests of them.

Example:
  replichart machine paths --chart primary`,
    )
    .action(async (flags: PathsFlags) => {
      const { pathsOf, pathsText } = await import('../model/paths.ts');
      const paths = pathsOf(flags.chart);
      outputOf(flags).result(paths, pathsText(paths));
    });
}

/** `replichart machine check`: everything that a chart can do, and whether it breaks a rule. */
export function checkCommand(setExit: (code: ExitCode) => void): Command {
  return new Command('check')
    .description('explore everything that the charts can do, and say whether anything breaks an invariant')
    .addOption(new Option('--chart <name>', 'only this one; otherwise both').choices(CHART_NAMES))
    .option(
      '--units <n>',
      'units of WAL (default: 3 for a chart alone, 1 among primary, network and disk)',
      numberFrom(1, UNITS_MAX),
    )
    .option('--faults <n>', 'failures and lies of effects, in one run', numberFrom(0, TROUBLES_MAX), 1)
    .option('--crashes <n>', 'crashes and stops of the replica, in one run', numberFrom(0, TROUBLES_MAX), 1)
    .option('--json', 'print the report as one JSON object')
    .addHelpText(
      'after',
      `
Each chart is explored among effects that may answer anything at any time, and that of a replica also
among a primary, a network and a disk, once beginning from WAL and once from a snapshot, with so many
faults and crashes. The defaults take a few seconds; every unit, fault or crash more takes ten times as
long, and memory with it.

The exit code is 0 where nothing breaks, and 1 with a counterexample: the shortest way there, one line
for each thing that happens.

Examples:
  replichart machine check
  replichart machine check --chart node --units 2`,
    )
    .action(async ({ chart, units, faults, crashes, ...flags }: CheckFlags) => {
      const { checkModel, modelText } = await import('../model/check.ts');
      const output = outputOf(flags);
      if ((units ?? 0) > UNITS_QUICK || faults > TROUBLES_QUICK || crashes > TROUBLES_QUICK)
        output.note('replichart: larger bounds than the defaults may take many minutes');
      const progress = progressLine();
      let report;
      try {
        report = checkModel(
          { charts: chart === undefined ? CHART_NAMES : [chart], units, faults, crashes },
          (text) => progress.show(text),
        );
      } finally {
        progress.clear();
      }
      output.result(report, modelText(report));
      if (report.verdict === 'broken') setExit(EXIT.failure);
    });
}
