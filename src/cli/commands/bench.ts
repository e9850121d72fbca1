import { Argument, Command } from 'commander';
import { recordResult } from '../../bench/record.ts';
import { resultJson, resultText } from '../../bench/report.ts';
import { runBench, type BenchResult } from '../../bench/run.ts';
import type { Workload } from '../../bench/workload.ts';
import { WORKLOADS } from '../../bench/workloads.ts';
import { assertThat, EXIT, type ExitCode } from '../../core/errors.ts';
import { numberFrom, secondsArgument } from '../arguments.ts';
import { outputOf, type Output } from '../output.ts';
import { progressLine } from '../progress.ts';

interface BenchFlags {
  readonly seconds?: number;
  readonly rounds?: number;
  readonly documents?: number;
  readonly keep?: boolean;
  readonly record?: string | true;
  readonly note?: string;
  readonly json?: boolean;
}

/** Fewer give no figure that says anything; of more, ten times as many would not fit most disks. */
const DOCUMENTS_MIN = 1_000;
const DOCUMENTS_MAX = 100_000_000;
const RESULTS = 'bench/results';

/** `replichart bench`: measures a workload on nodes of its own, and says which goals it meets. */
export function benchCommand(setExit: (code: ExitCode) => void): Command {
  const names = [...WORKLOADS.keys()];
  return new Command('bench')
    .description('measure a workload on nodes of its own, and say which goals it meets')
    .addArgument(new Argument('[workload]', 'what to measure').choices(names).default(names[0]))
    .option('--seconds <n>', 'how long a measured window lasts', secondsArgument)
    .option('--rounds <n>', 'how often each kind of window is measured', numberFrom(1, 1_000))
    .option(
      '--documents <n>',
      'documents that are there before anything is measured',
      numberFrom(DOCUMENTS_MIN, DOCUMENTS_MAX),
    )
    .option('--keep', 'keep the files of the run and say where they are')
    .option(
      '--record [dir]',
      `keep the result as JSON and as a document (in ${RESULTS}, if nothing is named)`,
    )
    .option('--note <text>', 'what a reader of the result is to know of this run')
    .option('--json', 'print every figure as one JSON object')
    .addHelpText(
      'after',
      `
Workloads:
${[...WORKLOADS.values()].map(helpOf).join('\n')}

Nodes are processes of their own on loopback, in a temporary directory that is removed at the end
unless the run failed. The exit code is 0 whether the goals are met or not: speed is no verdict. It
is 1 when the workload could not be run to its end.

Example:
  replichart bench dx --seconds 1 --rounds 3`,
    )
    .action(async (name: string, flags: BenchFlags) => setExit(await bench(name, flags)));
}

function helpOf({ name, summary, defaults: { seconds, rounds, documents } }: Workload): string {
  return `  ${name}  ${summary}\n      (unless said otherwise ${rounds} rounds, windows of ${seconds} s, ${documents} documents)`;
}

async function bench(name: string, flags: BenchFlags): Promise<ExitCode> {
  const workload = WORKLOADS.get(name);
  assertThat(workload !== undefined, `${name} is one of the choices`);
  const output = outputOf(flags);
  const progress = progressLine();
  const { seconds, rounds, documents, keep = false, note = null } = flags;
  const result = await runBench(workload, {
    sizes: { seconds, rounds, documents },
    keep,
    note,
    say: (text) => progress.show(text),
  });
  progress.clear();
  output.result(resultJson(result), resultText(result));
  if (result.directory !== null) output.note(`the files of the run are kept in ${result.directory}`);
  if (result.failure !== null) {
    output.note(`replichart bench: ${result.failure.message}`);
    return EXIT.failure;
  }
  await record(result, flags, output);
  return EXIT.ok;
}

async function record(result: BenchResult, flags: BenchFlags, output: Output): Promise<void> {
  if (flags.record === undefined) return;
  for (const file of await recordResult(result, flags.record === true ? RESULTS : flags.record))
    output.note(`${file} written`);
}
