import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { DemoFailure } from '../demo/failure.ts';
import { Processes } from '../demo/processes.ts';
import { BenchFailure } from './failure.ts';
import { loadAverages, machineOf, type Machine } from './machine.ts';
import type { Measured, Sizes, Surroundings, Workload } from './workload.ts';

export interface BenchSettings extends Pick<Surroundings, 'say'> {
  /** Where the run is to be of another size than the workload has of its own accord. */
  readonly sizes: { readonly [Size in keyof Sizes]: Sizes[Size] | undefined };
  readonly keep: boolean;
  /** What a reader of the figures is to know of this run. */
  readonly note: string | null;
}

/** What came of a run; without figures where it could not come to its end. */
export interface BenchResult {
  readonly workload: string;
  readonly at: string;
  readonly note: string | null;
  readonly machine: Machine;
  readonly load_averages: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly seconds: number;
  readonly rounds: number;
  readonly documents: number;
  readonly milliseconds: number;
  /** Where the files of the run are kept; `null` when they were removed. */
  readonly directory: string | null;
  readonly limits: readonly string[];
  readonly measured: Measured | null;
  readonly failure: { readonly code: string | null; readonly message: string } | null;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs a workload in a fresh temporary directory. When it returns, no process that it started runs any more; the
 * directory is removed unless it is to be kept, or the workload failed by itself.
 */
export async function runBench(workload: Workload, settings: BenchSettings): Promise<BenchResult> {
  const { say, keep, note } = settings;
  const sizes = sizesOf(workload, settings);
  const began = performance.now();
  const at = new Date().toISOString();
  const before = loadAverages();
  const root = await mkdtemp(join(tmpdir(), 'replichart-bench-'));
  const machine = await machineOf(root);
  const processes = new Processes(root);
  const ending = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    ending.abort(new BenchFailure(`ended by ${signal}; every node was ended too`));
    void processes.kill();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  let measured: Measured | null = null;
  let failure: BenchResult['failure'] = null;
  try {
    measured = await workload.run({ processes, ...sizes, say, signal: ending.signal });
  } catch (error) {
    failure = failureOf(ending.signal.aborted ? ending.signal.reason : error);
  } finally {
    await processes.kill();
  }
  const isWanted = keep || (failure !== null && !ending.signal.aborted);
  const isKept = isWanted && (await readdir(root)).length > 0;
  if (!isKept) await rm(root, { recursive: true, force: true });
  for (const signal of SIGNALS) process.off(signal, interrupt);
  return {
    workload: workload.name,
    at,
    note,
    machine,
    load_averages: { before, after: loadAverages() },
    ...sizes,
    milliseconds: Math.round(performance.now() - began),
    directory: isKept ? root : null,
    limits: workload.limits,
    measured,
    failure,
  };
}

function sizesOf({ defaults }: Workload, { sizes }: BenchSettings): Sizes {
  return {
    seconds: sizes.seconds ?? defaults.seconds,
    rounds: sizes.rounds ?? defaults.rounds,
    documents: sizes.documents ?? defaults.documents,
  };
}

/** Why a run ended early; what nobody expects is a bug and shows where it came from. */
function failureOf(error: unknown): BenchResult['failure'] {
  if (error instanceof BenchFailure || error instanceof DemoFailure)
    return { code: null, message: error.message };
  if (error instanceof ReplichartError) return { code: error.code, message: error.message };
  return {
    code: 'INTERNAL',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
