/**
 * `npm run mutate -- [PATH] [--again] [--tests=PREFIX,…]`: mutates the sources whose path begins with PATH, and says what
 * no test notices. `--again` tries only what the last run left alive, `--tests` with those test files only.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { mutationOf, type Mutant } from './mutants.ts';
import { markdown } from './report.ts';
import { run, type Verdict } from './run.ts';
import { NODE_TESTS, PURE_TESTS } from './test-files.ts';

const BUDGET_MILLISECONDS = Number(process.env['BUDGET_SECONDS'] ?? 2) * 1_000;
const COLD_MILLISECONDS = Number(process.env['COLD_MINUTES'] ?? 45) * 60_000;
const REPORT = 'coverage/mutation.json';

const root = process.cwd();
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const [wanted = ''] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const prefixes = flags.flatMap((flag) => (flag.startsWith('--tests=') ? flag.slice(8).split(',') : []));
const files = [...PURE_TESTS, ...NODE_TESTS].filter(
  (file) => prefixes.length === 0 || prefixes.some((prefix) => file.startsWith(prefix)),
);
const started = Date.now();
const tell = (line: string) =>
  void process.stderr.write(`${Math.round((Date.now() - started) / 1_000)} s: ${line}\n`);

const mutation = await mutationOf(root, wanted);
tell(`left out: ${mutation.leftOut.text} of text, ${mutation.leftOut.chart} of chart literals`);
const before = flags.includes('--again')
  ? new Map(
      (JSON.parse(await readFile(REPORT, 'utf8')) as Verdict[]).map((one) => [placeOf(one.mutant), one]),
    )
  : new Map<string, Verdict>();
const tried = mutation.mutants.filter((mutant) => {
  const fate = before.get(placeOf(mutant))?.fate;
  return fate === undefined || fate === 'survived' || fate === 'not covered' || fate === 'not tried';
});
await mkdir('coverage', { recursive: true });
const found = await run(
  root,
  mutation,
  files,
  BUDGET_MILLISECONDS,
  COLD_MILLISECONDS,
  new Set(tried.map(({ id }) => id)),
  tell,
  async (verdicts) => writeFile(REPORT, JSON.stringify(whole(verdicts), null, 1)),
);
await writeFile(REPORT, JSON.stringify(whole(found), null, 1));
process.stdout.write(markdown(whole(found)));

/** With what the last run said of the mutants that were not tried now. */
function whole(verdicts: readonly Verdict[]): readonly Verdict[] {
  const now = new Map(verdicts.map((verdict) => [verdict.mutant.id, verdict]));
  return mutation.mutants.flatMap((mutant) => {
    const [latest, earlier] = [now.get(mutant.id), before.get(placeOf(mutant))];
    // What came past no test now, or had no time, is as it was.
    const isNews = latest !== undefined && latest.fate !== 'not covered' && latest.fate !== 'not tried';
    const verdict = isNews ? latest : (earlier ?? latest);
    return verdict === undefined ? [] : [{ ...verdict, mutant }];
  });
}

function placeOf({ file, line, column, mutator, original, replacement }: Mutant): string {
  return JSON.stringify([file, line, column, mutator, original, replacement]);
}
