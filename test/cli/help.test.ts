import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cliDocument, commandsOf, type NamedCommand } from '../../scripts/cli-document.ts';
import { cliProgram } from '../../src/cli/run.ts';
import { EXIT_MEANINGS } from '../../src/core/errors.ts';
import { cli } from '../support/cli.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PROGRAM = await cliProgram(() => undefined);
const COMMANDS = commandsOf(PROGRAM);
/** A group with options does something by itself; the program only says its version. */
const doesSomething = ({ command }: NamedCommand) =>
  command.commands.length === 0 || (command !== PROGRAM && command.options.length > 0);
const LEAVES = COMMANDS.filter(doesSomething);
/** The words behind `replichart`. */
const wordsOf = ({ name }: NamedCommand) => name.split(' ').slice(1);

describe('every command', () => {
  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s says what it does and shows an example',
    async (name, command) => {
      expect(command.command.description()).not.toBe('');
      const { exit, out, err } = await cli([...wordsOf(command), '--help']);
      expect([exit, err]).toEqual([0, '']);
      expect(out).toMatch(/^Usage: replichart/);
      expect(out).toMatch(new RegExp(`^Examples?:\\n(?: {2}.*\\n)*.*\\b${name}`, 'm'));
    },
  );

  test('that does something can print JSON', () => {
    const without = LEAVES.filter(({ command }) => !command.options.some(({ long }) => long === '--json'));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  test('that does something is named by a test of the command line', async () => {
    expect(untested(LEAVES.map(wordsOf), await otherTests())).toEqual([]);
    expect(untested([['verb', 'of-nothing']], await otherTests())).toEqual(['verb of-nothing']);
  });

  async function otherTests(): Promise<string> {
    const directory = join(ROOT, 'test/cli');
    const files = (await readdir(directory)).filter((file) => file !== 'help.test.ts');
    const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')));
    return texts.join('\n');
  }

  /** A command is named where a test writes its words as the first ones of a command line. */
  function untested(verbs: readonly (readonly string[])[], tests: string): readonly string[] {
    return verbs
      .filter((words) => {
        const quoted = words.map((word) => `'${word}'`).join(',\\s*');
        return !new RegExp(`(?:\\[|\\bMAIN,)\\s*${quoted}\\s*[,\\]]`).test(tests);
      })
      .map((words) => words.join(' '));
  }
});

test.each(['--version', '-V'])('replichart %s prints the version of the package', async (option) => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(await cli([option])).toEqual({ exit: 0, out: `${version}\n`, err: '' });
});

test('the exit codes stand in the help of the program', async () => {
  const { out } = await cli(['--help']);
  const lines = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `  ${code}  ${meaning}\n`);
  expect(out.endsWith(`\nExit codes:\n${lines.join('')}`)).toBe(true);
});

describe('what is no command line: exit code 2, a hint, and nothing on standard output', () => {
  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s with an option that it does not have',
    async (name, command) => {
      const required = command.command.options
        .filter(({ mandatory }) => mandatory)
        .flatMap(({ long }) => [long as string, 'http://127.0.0.1:1']);
      const { exit, out, err } = await cli([...wordsOf(command), ...required, '--no-such-option']);
      expect([exit, out]).toEqual([2, '']);
      expect(err).toBe(
        `error: unknown option '--no-such-option'\n${name === 'replichart' ? '(replichart --help shows the commands)' : `(${name} --help shows how it is used)`}\n`,
      );
    },
  );

  test.each(
    COMMANDS.filter(({ command }) => command.commands.length > 0).map(
      (command) => [command.name, command] as const,
    ),
  )('%s with a command that it does not have, and with none', async (_name, command) => {
    const unknown = await cli([...wordsOf(command), 'no-such-command']);
    expect([unknown.exit, unknown.out]).toEqual([2, '']);
    expect(unknown.err).toMatch(/^error: unknown command 'no-such-command'\n\(replichart .*--help shows/);
    if (doesSomething(command)) return;
    const none = await cli(wordsOf(command));
    expect([none.exit, none.out]).toEqual([2, '']);
    expect(none.err).toMatch(/^Usage: replichart/);
  });

  test('a name that is nearly right is put right', async () => {
    const { exit, out, err } = await cli(['statsu']);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain('(Did you mean status?)');
  });
});

describe('docs/generated/CLI.md', () => {
  test('is what the program says', async () => {
    expect(await readFile(join(ROOT, 'docs/generated/CLI.md'), 'utf8')).toBe(cliDocument(PROGRAM));
  });

  test('has every command, with its options and its examples', () => {
    const document = cliDocument(PROGRAM);
    expect([...document.matchAll(/^## (.*)$/gm)].map(([, name]) => name)).toEqual(
      COMMANDS.map(({ name }) => name),
    );
    const start = document.indexOf('## replichart halt clear');
    expect(document.slice(start).split('\n').slice(0, 20)).toEqual([
      '## replichart halt clear',
      '',
      'Let the node start again; the record is kept with the evidence.',
      '',
      '```text',
      'replichart halt clear [options]',
      '```',
      '',
      '| option | meaning |',
      '| --- | --- |',
      '| `--data <dir>` | data directory of the node, which must not run (required) |',
      '| `--json` | print as JSON |',
      '| `-h, --help` | display help for command |',
      '',
      '```text',
      'Example:',
      '  replichart halt clear --data ./replica',
      '```',
      '',
      '## replichart replay',
    ]);
    expect(document).toContain(
      '| `--batch <n>` | commits in one request (default: 1000) |\n| `--token-file <file>`',
    );
  });
});

test('who reads only the beginning of a help gets it, and nobody complains', async () => {
  const child = spawn(process.execPath, [join(ROOT, 'dist/src/cli/main.js'), '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // The reader is gone before the first byte comes.
  child.stdout.destroy();
  const [err] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect([child.exitCode, err]).toEqual([0, '']);
});
