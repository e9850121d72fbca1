import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { EXIT, EXIT_MEANINGS, type ExitCode } from '../core/errors.ts';
import { COMMANDS, type CommandName, type SetExit } from './commands.ts';
import { outliveReader } from './lines.ts';
import { reportError } from './output.ts';

const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

/** The version that the package says it has: there is no second place where it stands. */
const { version: VERSION } = createRequire(import.meta.url)('#manifest') as { readonly version: string };

const HELP_OF_ALL = `
Examples:
  replichart demo
  replichart primary --data ./primary --listen 127.0.0.1:7001
  replichart status http://127.0.0.1:7001

Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join('\n')}`;

/**
 * The program with its commands, or some of them; nothing runs until it parses. An exit code other than 0 goes to `setExit`.
 */
export async function cliProgram(
  setExit: SetExit,
  names: readonly CommandName[] = COMMAND_NAMES,
): Promise<Command> {
  const program = new Command('replichart')
    .description('A WAL replication engine. A replica may lag, it may never lie.')
    .version(VERSION, '-V, --version', 'print the version')
    .addHelpText('after', HELP_OF_ALL)
    .exitOverride()
    // What stands behind a command is its own, also where the one above has an option of that name.
    .enablePositionalOptions()
    .showHelpAfterError('(replichart --help shows the commands)');
  const commands = await Promise.all(names.map((name) => COMMANDS[name](setExit)));
  for (const command of commands) program.addCommand(inheriting(command, program, 'replichart'));
  return program;
}

/** Runs one command line; resolves with its exit code. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  outliveReader(process.stdout);
  outliveReader(process.stderr);
  let exit: ExitCode = EXIT.ok;
  const setExit = (code: ExitCode) => {
    exit = code;
  };
  // A command that is named first is all that is loaded: a node starts in half the time, and holds less.
  const named = COMMAND_NAMES.filter((name) => name === args[0]);
  const program = await cliProgram(setExit, named.length === 0 ? COMMAND_NAMES : named);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(error, args.includes('--json'));
  }
}

/** Gives a command and those below it the settings of the program, and a group of commands a way on from its help. */
function inheriting(command: Command, program: Command, path: string): Command {
  const name = `${path} ${command.name()}`;
  command.copyInheritedSettings(program).showHelpAfterError(`(${name} --help shows how it is used)`);
  for (const child of command.commands) inheriting(child, program, name);
  // A group that does something by itself has examples of its own.
  if (command.commands.length > 0 && command.options.length === 0)
    command.addHelpText(
      'after',
      `\nExamples:\n${command.commands.map((child) => `  ${name} ${child.name()} --help`).join('\n')}`,
    );
  return command;
}
