/** Which tests name which invariant and which failure (P5-I17), as a document. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FAILURES } from '../src/core/failure-matrix.ts';
import { INVARIANTS } from '../src/core/invariants.ts';
import { testTitles } from './test-titles.ts';

export interface NamedTest {
  /** From the root of the project, with forward slashes. */
  readonly file: string;
  readonly title: string;
}

/** The tests that name a row, in order of file and place. */
export interface CoverageRow {
  readonly id: string;
  readonly says: string;
  readonly tests: readonly NamedTest[];
}

export interface CoverageMatrix {
  readonly invariants: readonly CoverageRow[];
  readonly failures: readonly CoverageRow[];
  /** Tests that name an id that does not exist. */
  readonly unknown: readonly (NamedTest & { readonly id: string })[];
}

const ID = /\b(?:P5-I|F-[A-Z]+)\d+\b/g;

/** Reads the tests of a project. Two runs over the same files give the same. */
export async function coverageMatrix(root: string): Promise<CoverageMatrix> {
  const named = (await testsOf(root)).flatMap((test) =>
    [...new Set(test.title.match(ID) ?? [])].map((id) => ({ id, ...test })),
  );
  const row = (id: string, says: string): CoverageRow => ({
    id,
    says,
    tests: named.filter((one) => one.id === id).map(({ file, title }) => ({ file, title })),
  });
  return {
    invariants: Object.entries(INVARIANTS).map(([id, name]) => row(id, name)),
    failures: Object.entries(FAILURES).map(([id, { failure, outcome }]) => row(id, `${failure}: ${outcome}`)),
    unknown: named.filter(({ id }) => !Object.hasOwn(INVARIANTS, id) && !Object.hasOwn(FAILURES, id)),
  };
}

async function testsOf(root: string): Promise<readonly NamedTest[]> {
  const entries = await readdir(join(root, 'test'), { recursive: true });
  const files = entries
    .map((entry) => join('test', entry).replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
  const tests: NamedTest[] = [];
  for (const file of files)
    for (const title of testTitles(file, await readFile(join(root, file), 'utf8')))
      tests.push({ file, title });
  return tests;
}

export function coverageMarkdown({ invariants, failures }: CoverageMatrix): string {
  return `# Test coverage of the invariants and the failure matrix

Written by \`npm run generate\` from the names of the tests; \`npm run check:generated\` fails when it is out of date.
A test counts for a row when its name, or the name of a \`describe\` around it, has the id of the row.

## Invariants

${summary(invariants, 'invariant')}

${table(invariants, 'invariant')}

## Failure matrix

${summary(failures, 'failure')}

${table(failures, 'failure')}
`;
}

function summary(rows: readonly CoverageRow[], what: string): string {
  const without = rows.filter(({ tests }) => tests.length === 0).map(({ id }) => id);
  const open = without.length === 0 ? '' : ` None yet: ${without.join(', ')}.`;
  return `${rows.length - without.length} of ${rows.length} ${what}s have a test that names them.${open}`;
}

function table(rows: readonly CoverageRow[], what: string): string {
  const lines = rows.flatMap(({ id, says, tests }) =>
    tests.length === 0
      ? [cells(id, says, 'none yet', '')]
      : tests.map(({ file, title }, index) =>
          index === 0 ? cells(id, says, file, title) : cells('', '', file, title),
        ),
  );
  return [cells(what, 'it says', 'file', 'test'), '|---|---|---|---|', ...lines].join('\n');
}

function cells(...texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replace(/\s+/g, ' ').replace(/[\\|<>*_`]/g, '\\$&')).join(' | ')} |`;
}
