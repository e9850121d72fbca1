/** Every mutant of the core and of the charts, and the sources that hold them all behind switches. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { reasonToLeaveOut, type SyntaxPath } from './left-out.ts';

export interface Mutant {
  /** The number of its switch. */
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
}

export interface Mutation {
  /** Absolute path to the source with switches. */
  readonly sources: ReadonlyMap<string, string>;
  readonly mutants: readonly Mutant[];
  readonly leftOut: { readonly text: number; readonly chart: number };
}

const silent = () => undefined;
const logger = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => true,
  isErrorEnabled: () => true,
  isFatalEnabled: () => true,
  trace: silent,
  debug: silent,
  info: silent,
  warn: (message: string) => void process.stderr.write(`${message}\n`),
  error: (message: string) => void process.stderr.write(`${message}\n`),
  fatal: (message: string) => void process.stderr.write(`${message}\n`),
};

/** `wanted`: only sources whose path begins with it. */
export async function mutationOf(root: string, wanted: string): Promise<Mutation> {
  const paths = [...(await sourcesIn(root, 'machines')), ...(await sourcesIn(root, 'src/core'))];
  const files = await Promise.all(
    paths
      .filter((path) => path.startsWith(wanted))
      .map(async (path) => ({
        name: join(root, path),
        mutate: true,
        content: await readFile(join(root, path), 'utf8'),
      })),
  );
  const reasons = new Map<string, 'text' | 'chart'>();
  const ignorer = {
    // Asked of every node; it notes and never ignores, for ignoring one takes out all that stands inside it as well.
    shouldIgnore: (path: object) => {
      const at = path as SyntaxPath & { readonly hub: { readonly file: { opts: { filename: string } } } };
      const file = relative(root, at.hub.file.opts.filename);
      const reason = at.node.loc === undefined ? null : reasonToLeaveOut(at, file);
      if (reason !== null && at.node.loc !== undefined) {
        const { start, end } = at.node.loc;
        reasons.set(placeKey(file, start.line - 1, start.column, end.line - 1, end.column), reason);
      }
      return undefined;
    },
  };
  const options = { plugins: null, excludedMutations: [], ignorers: [ignorer] };
  const { files: instrumented, mutants } = await new Instrumenter(logger).instrument(files, options);
  const contents = new Map(files.map(({ name, content }) => [name, content.split('\n')]));
  const leftOut = { text: 0, chart: 0 };
  const kept: Mutant[] = [];
  for (const { id, fileName, location, mutatorName, replacement } of mutants) {
    const { start, end } = location;
    const file = relative(root, fileName);
    const reason = reasons.get(placeKey(file, start.line, start.column, end.line, end.column));
    if (reason !== undefined && LITERAL_MUTATORS.has(mutatorName)) leftOut[reason] += 1;
    else
      kept.push({
        id,
        file,
        line: start.line + 1,
        column: start.column + 1,
        mutator: mutatorName,
        original: between(contents.get(fileName) ?? [], location),
        replacement,
      });
  }
  return {
    sources: new Map(instrumented.map(({ name, content }) => [name, content])),
    mutants: kept,
    leftOut,
  };
}

const LITERAL_MUTATORS = new Set(['StringLiteral', 'ObjectLiteral', 'ArrayDeclaration', 'BooleanLiteral']);

function placeKey(file: string, ...numbers: readonly number[]): string {
  return `${file}:${numbers.join(':')}`;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function between(
  lines: readonly string[],
  { start, end }: { readonly start: Place; readonly end: Place },
): string {
  const whole = lines.slice(start.line, end.line + 1);
  const last = whole.length - 1;
  return whole
    .map((line, at) => line.slice(at === 0 ? start.column : 0, at === last ? end.column : undefined))
    .join('\n');
}

/** The exploration of the charts is a tool of tests; what it breaks and finds is its own business (`docs/generated/MODEL.md`). */
const EXPLORATION = 'model/';

async function sourcesIn(root: string, folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts') && !name.startsWith(EXPLORATION))
    .sort()
    .map((name) => `${folder}/${name}`);
}
