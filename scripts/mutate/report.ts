/** What a run came to, for people: figures a file, and every mutant that no test noticed. */
import type { Fate, Verdict } from './run.ts';

const FATES: readonly Fate[] = [
  'killed',
  'timeout',
  'refused by the compiler',
  'survived',
  'not covered',
  'not tried',
];

/** Of the mutants that were tried and compile, the part that was noticed, in per cent. */
export function score(verdicts: readonly Verdict[]): string {
  const count = (...fates: readonly Fate[]) => verdicts.filter(({ fate }) => fates.includes(fate)).length;
  const noticed = count('killed', 'timeout');
  const all = noticed + count('survived', 'not covered');
  return all === 0 ? '-' : ((100 * noticed) / all).toFixed(1);
}

export function markdown(verdicts: readonly Verdict[]): string {
  const files = [...new Set(verdicts.map(({ mutant }) => mutant.file))].sort();
  const row = (name: string, of: readonly Verdict[]) =>
    `| ${[
      name,
      of.length,
      ...FATES.map((fate) => of.filter((one) => one.fate === fate).length),
      score(of),
    ].join(' | ')} |`;
  const living = verdicts.filter(({ fate }) => fate === 'survived' || fate === 'not covered');
  return [
    `| file | mutants | ${FATES.join(' | ')} | score |`,
    `| --- | ${[...FATES, '', ''].map(() => '---:').join(' | ')} |`,
    ...files.map((file) =>
      row(
        file,
        verdicts.filter(({ mutant }) => mutant.file === file),
      ),
    ),
    row('all', verdicts),
    '',
    ...living.map(
      ({ mutant: { file, line, mutator, original, replacement }, fate }) =>
        `- ${file}:${line} ${fate}, ${mutator}: ${inline(original)} → ${inline(replacement)}`,
    ),
    '',
  ].join('\n');
}

function inline(code: string): string {
  const line = code.replace(/\s+/g, ' ');
  return `\`${line.length > 90 ? `${line.slice(0, 90)}…` : line}\``;
}
