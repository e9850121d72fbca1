import { recordResult } from '../src/bench/record.ts';
import { resultJson, resultText } from '../src/bench/report.ts';
import { runBench, type BenchResult } from '../src/bench/run.ts';
import type { Workload } from '../src/bench/workload.ts';
import { outputOf, type Output } from '../src/cli/output.ts';
import { progressLine } from '../src/cli/progress.ts';

/** The flags that both benches have. */
export interface CommonFlags {
  readonly rounds?: number;
  readonly documents?: number;
  /** Of a window, where anything is measured in windows. */
  readonly seconds?: number;
  readonly keep?: boolean;
  readonly record?: string | true;
  readonly note?: string;
  readonly json?: boolean;
}

export const RESULTS = 'bench/results';

/** Runs a bench that is no command of the package, and says or keeps what came of it; gives the exit code. */
export async function benchAndTell(workload: Workload, flags: CommonFlags): Promise<number> {
  const { rounds, seconds, documents, keep = false, note = null } = flags;
  const output = outputOf(flags);
  const progress = progressLine();
  const say = (text: string) => progress.show(text);
  const result = await runBench(workload, { sizes: { seconds, rounds, documents }, keep, note, say });
  progress.clear();
  output.result(resultJson(result), resultText(result));
  if (result.directory !== null) output.note(`the files of the run are kept in ${result.directory}`);
  if (result.failure !== null) {
    output.note(`bench:${workload.name}: ${result.failure.message}`);
    return 1;
  }
  await record(result, flags, output);
  return 0;
}

async function record(result: BenchResult, { record: to }: CommonFlags, output: Output): Promise<void> {
  if (to === undefined) return;
  const command = `npm run bench:${result.workload} -- --record`;
  for (const file of await recordResult(result, to === true ? RESULTS : to, command))
    output.note(`${file} written`);
}
