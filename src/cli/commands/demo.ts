import { Command } from 'commander';
import { runDemo, type DemoResult } from '../../demo/demo.ts';
import { figuresText, proofsText } from '../../demo/report.ts';
import { EXIT, type ExitCode } from '../../core/errors.ts';
import { outputOf } from '../output.ts';

interface DemoFlags {
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `replichart demo`: a primary and three replicas, real data, and proofs of what is claimed. */
export function demoCommand(setExit: (code: ExitCode) => void): Command {
  return new Command('demo')
    .description('run a primary and three replicas on real data, and prove what they claim')
    .option('--keep', 'keep the files of the run and say where they are')
    .option('--json', 'print every figure and proof as one JSON object')
    .addHelpText(
      'after',
      `
Everything runs as processes of its own on loopback, in a temporary directory that is removed at the
end unless something failed. The exit code is 0 when every proof holds, 5 when nodes diverged, else 1.

Example:
  replichart demo --keep`,
    )
    .action(async (flags: DemoFlags) => {
      const result = await runDemo({ keep: flags.keep === true });
      const { exit, ...shown } = result;
      const output = outputOf(flags);
      output.result(shown, textOf(result));
      if (result.failure !== null) output.note(`replichart demo: ${result.failure.message}`);
      if (result.directory !== null) output.note(`the files of the run are kept in ${result.directory}`);
      setExit(exit);
    });
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
