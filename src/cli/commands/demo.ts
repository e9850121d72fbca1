import { Command, Option } from 'commander';
import { runDemo, type DemoResult } from '../../demo/demo.ts';
import { figuresText, proofsText } from '../../demo/report.ts';
import { isLoopback } from '../../core/config.ts';
import { EXIT, ReplichartError, type ExitCode } from '../../core/errors.ts';
import { numberFrom } from '../arguments.ts';
import { outputOf } from '../output.ts';

interface DemoFlags {
  readonly once?: boolean;
  readonly watch?: boolean;
  readonly listen: string;
  readonly rows?: number;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** So few rows would leave nothing to be cut in two, changed and deleted. */
const ROWS_MIN = 100;

/** `replichart demo`: a primary and three replicas, real data, proofs of what is claimed, and things to break. */
export function demoCommand(setExit: (code: ExitCode) => void): Command {
  return new Command('demo')
    .description('run a primary and three replicas on real data, prove what they claim, and break them')
    .option('--once', 'prove, and end (default where there is no terminal, and with --json)')
    .addOption(
      new Option(
        '--watch',
        'prove, keep the nodes running, serve a page of them, and offer to break them (default on a terminal)',
      ).conflicts('once'),
    )
    .option('--listen <host:port>', 'where that page is served; a loopback address', '127.0.0.1:0')
    .option(
      '--rows <n>',
      'import only the first rows of the data (default: all of them)',
      numberFrom(ROWS_MIN, Number.MAX_SAFE_INTEGER),
    )
    .option('--keep', 'keep the files of the run and say where they are')
    .option('--json', 'print every figure and proof as one JSON object')
    .addHelpText(
      'after',
      `
Everything runs as processes of its own on loopback, in a temporary directory that is removed at the
end unless something failed. The exit code is 0 when every proof holds, 5 when nodes diverged, else 1.

While it is watched, each key of the menu is an action; without a terminal each line of standard
input is a key or the id of an action, and the end of the input ends everything.

Examples:
  replichart demo
  replichart demo --once --keep`,
    )
    .action(async (flags: DemoFlags) => setExit(await demo(flags)));
}

async function demo(flags: DemoFlags): Promise<ExitCode> {
  const output = outputOf(flags);
  if (!isLoopback(flags.listen) || !/:\d{1,5}$/.test(flags.listen))
    throw new ReplichartError(
      'CONFIG_INVALID',
      `listen is ${JSON.stringify(flags.listen)}: it must be HOST:PORT of a loopback address, because nobody is asked for a token`,
      { evidence: { field: 'listen', value: flags.listen } },
    );
  const { exit, failure, directory } = await runDemo({
    keep: flags.keep === true,
    rowsMax: flags.rows ?? null,
    watching: isWatched(flags) ? { listen: flags.listen, say: (text) => output.note(text) } : null,
    onResult: ({ exit: _exit, ...shown }) => output.result(shown, textOf({ ...shown, exit: _exit })),
  });
  if (failure !== null) output.note(`replichart demo: ${failure.message}`);
  if (directory !== null) output.note(`the files of the run are kept in ${directory}`);
  return exit;
}

function isWatched({ once, watch, json }: DemoFlags): boolean {
  if (watch === true) return true;
  return once !== true && json !== true && process.stdin.isTTY && process.stdout.isTTY;
}

function textOf({ exit, figures, proofs, milliseconds, failure }: DemoResult): string {
  const broken = proofs.filter(({ holds }) => !holds).length;
  const end =
    exit === EXIT.ok
      ? `${proofs.length} proofs hold`
      : failure === null
        ? `${broken} of ${proofs.length} proofs are BROKEN`
        : `it did not come to its end; ${proofs.length - broken} of ${proofs.length} proofs so far hold`;
  return [figuresText(figures), proofsText(proofs, process.stdout.isTTY), `${end}; ${milliseconds} ms in all`]
    .filter((part) => part !== '')
    .join('\n\n');
}
