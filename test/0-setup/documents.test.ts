import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { cliProgram } from '../../src/cli/run.ts';
import { anchorsOf, blocksOf, commandsOf, inlineCodeOf, linksOf } from '../support/markdown.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'bench/README.md', 'examples/README.md'],
  ...(await markdownIn('docs')),
  ...(await markdownIn('docs/generated')),
];

async function markdownIn(directory: string): Promise<readonly string[]> {
  const files = await readdir(join(ROOT, directory));
  return files.filter((file) => file.endsWith('.md')).map((file) => `${directory}/${file}`);
}

const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const PROGRAM = await cliProgram(() => undefined);
/** What npm does by itself. */
const NPM = ['ci', 'init', 'install', 'pack', 'pkg'];

/** What is wrong with a command that a document names: a script, a command or an option that does not exist. */
function unknownIn(command: string): string | null {
  const [program, ...words] = command.split(' ');
  if (program === 'npm') {
    const [verb = '', name = ''] = words.filter((word) => !word.startsWith('-'));
    const script = verb === 'run' ? name : verb;
    return script in scripts || NPM.includes(verb) ? null : `no script ${script}`;
  }
  if (program !== 'replichart') return null;
  let found: Command = PROGRAM;
  let given = words;
  for (;;) {
    const below = found.commands.find((one) => one.name() === given[0]);
    if (below === undefined) break;
    [found, given] = [below, given.slice(1)];
  }
  if (found === PROGRAM && given[0] !== undefined && !given[0].startsWith('-'))
    return `no command ${given[0]}`;
  const known = ['--help', ...found.options.map(({ long }) => long)];
  const unknown = given.find((word) => word.startsWith('--') && !known.includes(word));
  return unknown === undefined ? null : `no option ${unknown}`;
}

/** Commands in blocks of a shell and in prose; of a pipeline each, of what goes to a file what makes it. */
function namedIn(markdown: string): readonly string[] {
  const shell = blocksOf(markdown).filter(({ language }) => language === 'sh');
  return [...shell.flatMap(commandsOf), ...inlineCodeOf(markdown)].flatMap((line) =>
    line.split(/ (?:\||&&|>) /).map((command) => command.replace(/^(?:[A-Z_]+=\S+ )+/, '')),
  );
}

describe.each(DOCUMENTS)('%s', (name) => {
  const markdown = readFileSync(join(ROOT, name), 'utf8');

  test('links to files and headings that exist', () => {
    const broken = linksOf(markdown).filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('names scripts, commands and options that exist', () => {
    const wrong = namedIn(markdown).flatMap((command) => {
      const unknown = unknownIn(command);
      return unknown === null ? [] : [`${command}: ${unknown}`];
    });
    expect(wrong).toEqual([]);
  });
});

test('what does not exist is found', () => {
  const document = [
    'See [there](#there), `npm run nowhere`, `npm start -- --once` and `replichart wal verify --data DIR`.',
    '```sh',
    'replichart wal verify --dta ./primary # exit 5',
    'replichart walk > file',
    '```',
  ].join('\n');
  expect(namedIn(document).map(unknownIn)).toEqual([
    'no option --dta',
    'no command walk',
    null,
    'no script nowhere',
    null,
    null,
  ]);
  expect(linksOf(document)).toEqual(['#there']);
  expect(anchorsOf('# Here, and `there`\n')).toEqual(new Set(['here-and-there']));
});
