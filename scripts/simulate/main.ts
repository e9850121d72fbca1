/** `npm run simulate`: seeds of the simulation, as many as are asked for. */
import { readFile } from 'node:fs/promises';
import { argumentsOf, HELP } from './arguments.ts';
import { sorted } from './figures.ts';
import { failureOf, runMany, type Failure } from './many.ts';
import { planOf, planText } from './plan-file.ts';
import { planFor } from './plan.ts';
import { run } from './run.ts';

const PROGRESS_EVERY = 100;

const out = (text: string) => void process.stdout.write(text);
const err = (text: string) => void process.stderr.write(text);
process.exitCode = await main();

async function main(): Promise<number> {
  const asked = argumentsOf(process.argv.slice(2));
  switch (asked.kind) {
    case 'help':
      out(HELP);
      return 0;
    case 'usage':
      err(`${asked.problem}\n\n${HELP}`);
      return 2;
    case 'seeds':
      return many(asked.from, asked.seeds, asked.json);
    case 'one':
      return one(asked.seed, asked.plan, asked.json);
  }
}

async function many(from: number, seeds: number, json: boolean): Promise<number> {
  const tell = (done: number) => {
    if (done % PROGRESS_EVERY === 0) err(`${done} of ${seeds} seeds\n`);
  };
  const { failure, figures, ...counts } = await runMany(from, seeds, tell);
  const result = { from, ...counts, figures: sorted(figures) };
  if (failure !== null) show(failure);
  if (json) out(`${JSON.stringify({ ...result, failure: failure && brief(failure) })}\n`);
  else {
    out(
      `${result.seeds} seeds from ${from} on, ${result.steps} steps: ${failure === null ? 'every property held' : 'one did not'}\n`,
    );
    for (const [what, times] of Object.entries(result.figures)) out(`  ${what}: ${times}\n`);
  }
  return failure === null ? 0 : 1;
}

async function one(seed: number, file: string | null, json: boolean): Promise<number> {
  let plan;
  try {
    plan = file === null ? planFor(seed) : planOf(await readFile(file, 'utf8'));
  } catch (error) {
    err(`${String(file)}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  if (plan.seed !== seed) {
    err(`the plan is of seed ${plan.seed}\n`);
    return 2;
  }
  const outcome = await run(plan, {}, (line) => err(`${line}\n`));
  const failure = outcome.violation === null ? null : await failureOf(plan, outcome);
  if (failure !== null) show(failure);
  const { steps, trace } = outcome;
  if (json)
    out(
      `${JSON.stringify({ seed, steps, trace, figures: sorted(outcome.figures), failure: failure && brief(failure) })}\n`,
    );
  else
    out(
      `seed ${seed}, ${steps} steps, trace ${trace}: ${outcome.violation?.found ?? 'every property held'}\n`,
    );
  return failure === null ? 0 : 1;
}

function brief({ transcript: _, ...rest }: Failure) {
  return rest;
}

function show({ seed, found, plan, transcript }: Failure): void {
  err(`\nseed ${seed}: ${found}\n\nWhat is needed for it, step by step:\n`);
  for (const line of transcript) err(`  ${line}\n`);
  err(`\nThe plan, to be run again with --seed ${seed} --plan FILE:\n${planText(plan)}`);
}
