import { Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../core/errors.ts';
import { diffCommand } from './commands/diff.ts';
import { demoCommand } from './commands/demo.ts';
import { haltCommand } from './commands/halt.ts';
import { importCommand } from './commands/import.ts';
import { nodeCommands } from './commands/node.ts';
import { readCommand } from './commands/read.ts';
import { snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { walCommand } from './commands/wal.ts';
import { reportError } from './output.ts';

const EXIT_CODES = `
Exit codes:
  0  ok
  1  failure
  2  usage
  3  configuration
  4  not ready, or reads blocked
  5  divergence or corruption
  6  torn tail
  7  history out of retention`;

/** Runs one command line; resolves with its exit code. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  const program = new Command('replichart')
    .description('A WAL replication engine. A replica may lag, it may never lie.')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .showHelpAfterError('(replichart --help shows the commands)');
  let exit: ExitCode = EXIT.ok;
  const setExit = (code: ExitCode) => {
    exit = code;
  };
  const commands = [
    ...nodeCommands(setExit),
    statusCommand(),
    readCommand(),
    diffCommand(setExit),
    importCommand(),
    snapshotCommand(setExit),
    walCommand(setExit),
    haltCommand(),
    demoCommand(setExit),
  ];
  for (const command of commands) program.addCommand(inheriting(command, program));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(error, args.includes('--json'));
  }
}

function inheriting(command: Command, program: Command): Command {
  command.copyInheritedSettings(program);
  for (const child of command.commands) inheriting(child, command);
  return command;
}
