/**
 * Which mutants do the tests notice? Three rounds: every test once, to see what it comes past; then every test for every
 * living mutant it comes past, quick tests first; then, with imports of their own, the mutants that are evaluated at
 * import.
 */
import type { Answer, TestPlan } from './job.ts';
import type { Mutant, Mutation } from './mutants.ts';
import { Session } from './session.ts';
import { TypeChecker } from './types.ts';

export type Fate =
  'killed' | 'timeout' | 'refused by the compiler' | 'survived' | 'not covered' | 'not tried';

export interface Verdict {
  readonly mutant: Mutant;
  readonly fate: Fate;
  /** The tests that came past a survivor without noticing, and how many more were left out for their length. */
  readonly tests: number;
}

type Observed = Extract<Answer, { kind: 'test' }>;

/** A test that has needed a new worker so often is no test for this: what is still planned for it is left to others. */
const DIRTY_MAX = 5;
/** A test file that takes longer is not begun anew for a mutant at import. */
const COLD_FILE_MILLISECONDS = 1_500;
const COLD_FILES_MAX = 8;
/** … but of the files that use most of the mutant's own source these are begun first, even if they take twice as long. */
const COLD_CLOSEST_MAX = 2;

export async function run(
  root: string,
  { sources, mutants }: Mutation,
  files: readonly string[],
  /** How long all tests together may take for one mutant. */
  budgetMilliseconds: number,
  /** How long the round at import may take; what is left over then was not tried. */
  coldMilliseconds: number,
  /** The mutants that are tried; the others are left as they are. */
  wanted: ReadonlySet<string>,
  tell: (line: string) => void,
  /** Told of the whole again and again, so that a run that is broken off has not been for nothing. */
  save: (verdicts: readonly Verdict[]) => Promise<void>,
): Promise<readonly Verdict[]> {
  const alive = new Set(wanted);
  const fates = new Map<string, Fate>();
  const tried = new Map<string, number>();
  const doubtful = new Set<string>();
  const kill = (mutant: string, fate: 'killed' | 'timeout') => {
    if (alive.delete(mutant)) fates.set(mutant, fate);
  };

  const judged = () =>
    mutants
      .filter(({ id }) => wanted.has(id))
      .map((mutant) => {
        const count = tried.get(mutant.id) ?? 0;
        return {
          mutant,
          fate: fates.get(mutant.id) ?? (count > 0 ? 'survived' : 'not covered'),
          tests: count,
        };
      });

  for (const id of new TypeChecker(root).refused(mutants.filter((mutant) => alive.has(mutant.id)))) {
    alive.delete(id);
    fates.set(id, 'refused by the compiler');
  }
  tell(`${fates.size} refused by the compiler, ${alive.size} living`);

  const warm = await Session.open(root, sources, files, 'warm');
  const tests: Observed[] = [];
  const statics = new Map<string, Readonly<Record<string, number>>>();
  for (const file of files) {
    const { answers, stuckAt, hasFailed } = await warm.observe(file);
    if (answers.length === 0)
      tell(`${file}: no test was observed${stuckAt === null && !hasFailed ? '' : ', it failed'}`);
    for (const answer of answers) {
      if (answer.kind === 'static') statics.set(file, answer.hits);
      else if (answer.kind === 'test' && answer.passed) tests.push({ ...answer, file });
      else if (answer.kind === 'test')
        tell(`left out, fails without a mutant: ${answer.name}: ${answer.message}`);
    }
  }
  const durations = new Map<string, number>();
  for (const { file, milliseconds } of tests) durations.set(file, (durations.get(file) ?? 0) + milliseconds);
  const quickFirst = [...files].sort((a, b) => (durations.get(a) ?? 0) - (durations.get(b) ?? 0));
  tell(`${tests.length} tests of ${files.length} files, ${mutants.length} mutants`);

  const planned = plan(tests, alive, budgetMilliseconds);
  for (const file of files) {
    const left = new Map<string, TestPlan>();
    for (const { id, milliseconds } of tests.filter((test) => test.file === file)) {
      const trials = (planned.get(id) ?? []).filter(({ mutant }) => alive.has(mutant));
      if (trials.length > 0) left.set(id, { milliseconds: 1_000 + 5 * milliseconds, trials });
    }
    const dirtied = new Map<string, number>();
    while (left.size > 0) {
      const { answers, stuckAt } = await warm.warm(file, Object.fromEntries(left));
      const before = alive.size;
      let dirty: string | null = null;
      for (const answer of answers) {
        if (answer.kind === 'killed') kill(answer.mutant, answer.how === 'timeout' ? 'timeout' : 'killed');
        else if (answer.kind === 'survived') tried.set(answer.mutant, (tried.get(answer.mutant) ?? 0) + 1);
        else if (answer.kind === 'dirty') {
          dirty = answer.test;
          dirtied.set(dirty, (dirtied.get(dirty) ?? 0) + 1);
          if (answer.mutant !== null) doubtful.add(answer.mutant);
        }
      }
      if (stuckAt !== null) kill(stuckAt, 'timeout');
      tell(`${file}: ${left.size} tests, ${before - alive.size} killed, ${alive.size} living`);
      await save(judged());
      if (dirty === null && stuckAt === null) break;
      // What a mutant left behind in a worker ends with the worker: what is still to be tried goes on in a new one.
      const done = new Map<string, Set<string>>();
      for (const answer of answers)
        if (answer.kind === 'survived' || answer.kind === 'killed' || answer.kind === 'dirty')
          done.set(answer.test, (done.get(answer.test) ?? new Set()).add(answer.mutant ?? ''));
      let progress = 0;
      for (const [id, { milliseconds, trials }] of left) {
        const rest = trials.filter(({ mutant }) => alive.has(mutant) && done.get(id)?.has(mutant) !== true);
        progress += trials.length - rest.length;
        if (rest.length > 0 && (dirtied.get(id) ?? 0) < DIRTY_MAX)
          left.set(id, { milliseconds, trials: rest });
        else left.delete(id);
      }
      if (progress === 0) break;
    }
  }
  await warm.close();

  const cold = await Session.open(root, sources, files, 'cold');
  const atMost = (milliseconds: number) =>
    quickFirst.filter((file) => (durations.get(file) ?? 0) <= milliseconds);
  const closest = closestFiles(tests, mutants, new Set(atMost(2 * COLD_FILE_MILLISECONDS)));
  const eligible = atMost(COLD_FILE_MILLISECONDS);
  const atImport = mutants.filter(
    ({ id }) => alive.has(id) && (doubtful.has(id) || [...statics.values()].some((hits) => id in hits)),
  );
  tell(`${atImport.length} mutants are evaluated at import`);
  const late = Date.now() + coldMilliseconds;
  for (const [at, { id, file: source }] of atImport.entries()) {
    if (Date.now() > late) {
      tried.delete(id);
      fates.set(id, 'not tried');
      continue;
    }
    const hitsMax = 100_000 + 100 * Math.max(0, ...[...statics.values()].map((hits) => hits[id] ?? 0));
    const candidates = [...(closest.get(source) ?? []), ...eligible].filter(
      (file) => id in (statics.get(file) ?? {}) || doubtful.has(id),
    );
    const chosen = [...new Set(candidates)].slice(0, COLD_FILES_MAX);
    if (chosen.length === 0) continue;
    const { hasFailed, stuckAt } = await cold.cold(chosen, { mutant: id, hitsMax });
    if (stuckAt !== null) kill(id, 'timeout');
    else if (hasFailed) kill(id, 'killed');
    tried.set(id, (tried.get(id) ?? 0) + chosen.length);
    if (at % 50 !== 49) continue;
    tell(`${at + 1} of ${atImport.length} at import, ${alive.size} living`);
    await save(judged());
  }
  await cold.close();

  return judged();
}

/** Of each source the test files whose tests come past most of its mutants. */
function closestFiles(
  tests: readonly Observed[],
  mutants: readonly Mutant[],
  eligible: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const sourceOf = new Map(mutants.map(({ id, file }) => [id, file]));
  const passed = new Map<string, Map<string, Set<string>>>();
  for (const { file, hits } of tests.filter((test) => eligible.has(test.file)))
    for (const id of Object.keys(hits)) {
      const source = sourceOf.get(id) ?? '';
      const files = passed.get(source) ?? new Map<string, Set<string>>();
      passed.set(source, files.set(file, (files.get(file) ?? new Set()).add(id)));
    }
  return new Map(
    [...passed].map(([source, files]) => [
      source,
      [...files]
        .sort(([, a], [, b]) => b.size - a.size)
        .slice(0, COLD_CLOSEST_MAX)
        .map(([file]) => file),
    ]),
  );
}

/** Of each test the mutants that it is run for: quick tests first, until the budget of the mutant is spent. */
function plan(
  tests: readonly Observed[],
  alive: ReadonlySet<string>,
  budgetMilliseconds: number,
): ReadonlyMap<string, TestPlan['trials']> {
  const spent = new Map<string, number>();
  const planned = new Map<string, TestPlan['trials']>();
  for (const { id, milliseconds, hits } of [...tests].sort((a, b) => a.milliseconds - b.milliseconds)) {
    const trials: TestPlan['trials'][number][] = [];
    for (const [mutant, count] of Object.entries(hits)) {
      const before = spent.get(mutant) ?? 0;
      if (!alive.has(mutant) || (before > 0 && before + milliseconds > budgetMilliseconds)) continue;
      spent.set(mutant, before + milliseconds);
      trials.push({ mutant, hitsMax: 100 * count + 10_000 });
    }
    planned.set(id, trials);
  }
  return planned;
}
