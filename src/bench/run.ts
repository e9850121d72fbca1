import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { DemoFailure } from '../demo/failure.ts';
import { Processes } from '../demo/processes.ts';
import { BenchFailure } from './failure.ts';
import { loadAverages, machineOf, type Machine } from './machine.ts';
import type { Measured, Surroundings, Workload } from './workload.ts';

export interface BenchSettings extends Pick<Surroundings, 'seconds' | 'rounds' | 'say'> {
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
  const { seconds, rounds, say, keep, note } = settings;
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
    measured = await workload.run({ processes, seconds, rounds, say, signal: ending.signal });
  } catch (error) {
    failure = failureOf(ending.signal.aborted ? ending.signal.reason : error);
  } finally {
    await processes.kill();
  }
  const isKept = processes.hasStarted && (keep || (failure !== null && !ending.signal.aborted));
  if (!isKept) await rm(root, { recursive: true, force: true });
  for (const signal of SIGNALS) process.off(signal, interrupt);
  return {
    workload: workload.name,
    at,
    note,
    machine,
    load_averages: { before, after: loadAverages() },
    seconds,
    rounds,
    milliseconds: Math.round(performance.now() - began),
    directory: isKept ? root : null,
    limits: workload.limits,
    measured,
    failure,
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
