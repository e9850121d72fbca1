/** The table of errors as a document for operators: what each one means, and what to do about it. */
import { ERRORS, EXIT_MEANINGS, type ErrorCode, type ExitCode } from '../src/core/errors.ts';

/** The codes of the table, in the order of the document. */
export const DOCUMENTED_CODES = (Object.keys(ERRORS) as ErrorCode[]).sort();

export function errorsDocument(): string {
  return [
    '# Errors and exit codes',
    '',
    'Written by `npm run generate` from `src/core/errors.ts`; `npm run check:generated` fails when it is out of date.',
    'The code stands in `error.code` of every refusal over HTTP, at the end of its `type` (RFC 9457), in the halt record of',
    'a node, and first in what the command line prints on standard error.',
    '',
    '## Exit codes',
    '',
    ...exitTable(),
    '',
    '## Errors',
    '',
    DOCUMENTED_CODES.map(entry).join('\n\n'),
    '',
  ].join('\n');
}

function entry(code: ErrorCode): string {
  const { invariant, status, exit, meaning, action } = ERRORS[code];
  return [
    `### ${code}`,
    '',
    meaning,
    '',
    `- What to do: ${action}`,
    `- Invariant: ${invariant ?? 'none'}`,
    `- HTTP status: ${status}`,
    `- Exit code: ${exit} (${EXIT_MEANINGS[exit]})`,
  ].join('\n');
}

function exitTable(): readonly string[] {
  const rows = [
    ['exit code', 'it says'],
    ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [
      code,
      `${meaning}${verdictNote(Number(code))}`,
    ]),
  ] as [string, string][];
  const [left, right] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = ([code, meaning]: [string, string]) =>
    `| ${code.padEnd(left ?? 0)} | ${meaning.padEnd(right ?? 0)} |`;
  const [head, ...body] = rows.map(line);
  return [head ?? '', `| ${'-'.repeat(left ?? 0)} | ${'-'.repeat(right ?? 0)} |`, ...body];
}

/** What `wal verify` says of a torn tail is the verdict of a command: no error has its exit code. */
function verdictNote(code: number): string {
  const isOfAnError = Object.values(ERRORS).some(({ exit }: { exit: ExitCode }) => exit === code);
  return isOfAnError || code === 0 ? '' : ' (the verdict of a command, not an error)';
}
