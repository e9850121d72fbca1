/** The command line as a document, from the program itself: what `--help` says of every command. */
import type { Command, Help } from 'commander';

/** The width that help is written for, whatever terminal this runs in. */
const HELP_COLUMNS = 110;

/** A command with its whole name, such as `replichart wal verify`. */
export interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

/** The program and every command below it, each before its own. */
export function commandsOf(command: Command, above: readonly string[] = []): readonly NamedCommand[] {
  const path = [...above, command.name()];
  return [{ name: path.join(' '), command }, ...command.commands.flatMap((child) => commandsOf(child, path))];
}

export function cliDocument(program: Command): string {
  return [
    '# The command line',
    '',
    'Written by `npm run generate` from the program; `npm run check:generated` fails when it is out of date.',
    'Results go to standard output, logs and notes to standard error. What each error means: [ERRORS.md](../ERRORS.md).',
    '',
    ...commandsOf(program).map(section),
  ].join('\n');
}

function section({ name, command }: NamedCommand): string {
  const help = command.createHelp();
  return [
    `## ${name}`,
    '',
    sentence(command.description()),
    '',
    '```text',
    help.commandUsage(command),
    '```',
    '',
    ...table(
      ['command', 'what it does'],
      command.commands.map((child) => [code(`${name} ${child.name()}`), text(child.description())]),
    ),
    ...table(['argument', 'meaning'], argumentRows(help, command)),
    ...table(['option', 'meaning'], optionRows(help, command)),
    ...fenced(textBehindHelp(command)),
  ].join('\n');
}

function argumentRows(help: Help, command: Command): readonly (readonly string[])[] {
  return help
    .visibleArguments(command)
    .map((argument) => [code(help.argumentTerm(argument)), text(help.argumentDescription(argument))]);
}

/** With the default that the program gives to an option, where it gives one. */
function optionRows(help: Help, command: Command): readonly (readonly string[])[] {
  return help
    .visibleOptions(command)
    .map((option) => [
      code(help.optionTerm(option)),
      text(`${help.optionDescription(option)}${option.mandatory ? ' (required)' : ''}`),
    ]);
}

/** What `--help` prints behind usage and options: explanations, examples, exit codes. */
export function textBehindHelp(command: Command): string {
  return printedHelp(command).slice(command.helpInformation().length).trim();
}

/** All that `--help` prints. */
export function printedHelp(command: Command): string {
  let printed = '';
  command.configureOutput({
    writeOut: (text) => (printed += text),
    getOutHelpWidth: () => HELP_COLUMNS,
  });
  command.outputHelp();
  return printed;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

function fenced(shown: string): readonly string[] {
  return shown === '' ? [] : ['```text', shown, '```', ''];
}

function code(term: string): string {
  return `\`${term.replaceAll('|', '\\|')}\``;
}

function text(description: string): string {
  return description.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}

function sentence(description: string): string {
  const capital = description.charAt(0).toUpperCase() + description.slice(1);
  return capital.endsWith('.') ? capital : `${capital}.`;
}
