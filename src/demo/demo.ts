import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, ERRORS, ReplichartError, type ExitCode } from '../core/errors.ts';
import type { Json } from '../core/bytes.ts';
import { DemoFailure } from './failure.ts';
import { Fleet } from './fleet.ts';
import { Processes } from './processes.ts';
import { exitOf, type Proof } from './proofs.ts';
import { Scenario, type Figures } from './scenario.ts';
import { runSteps } from './steps.ts';
import { Watch, type Watching } from './watch.ts';

/** What came of a demonstration: every figure and every proof, also when it could not go on to its end. */
export interface DemoResult {
  readonly ok: boolean;
  readonly exit: ExitCode;
  readonly milliseconds: number;
  /** Where the files of the run are kept; `null` when they were removed, or will be. */
  readonly directory: string | null;
  readonly figures: Figures;
  readonly proofs: readonly Proof[];
  readonly failure: { readonly code: string | null; readonly message: string; readonly found: Json } | null;
}

/** What is to be demonstrated, and how. */
export interface DemoPlan {
  /** Keep the files of the run. */
  readonly keep: boolean;
  /** How many rows of the data are imported at most; `null`: all of them. */
  readonly rowsMax: number | null;
  /** How the nodes are watched once everything is proved; `null`: they are stopped then. */
  readonly watching: Watching | null;
  /** Is given the result once, as soon as there is one: before the nodes are watched. */
  readonly onResult: (result: DemoResult) => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the whole demonstration in a fresh temporary directory. When it returns, no process that it started
 * runs any more; the directory is removed unless something failed or it is to be kept.
 *
 * @returns the exit code, and a failure that came while the nodes were watched.
 */
export async function runDemo(plan: DemoPlan): Promise<Pick<DemoResult, 'exit' | 'failure' | 'directory'>> {
  const began = performance.now();
  const root = await mkdtemp(join(tmpdir(), 'replichart-demo-'));
  const processes = new Processes(root);
  const fleet = new Fleet(processes, { isRelayed: plan.watching !== null });
  const scenario = new Scenario(fleet, plan.rowsMax);
  const ended = new AbortController();
  let isWatched = false;
  let interruptedBy: string | null = null;
  const interrupt = (signal: NodeJS.Signals) => {
    // To whoever watches a signal is the end of it, as the key is; a second one waits for nothing.
    if (!isWatched || ended.signal.aborted) void processes.kill();
    if (!isWatched) interruptedBy ??= signal;
    ended.abort();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // A terminal or a reader that is gone takes no more text; nodes and files are to go all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => null);
  let failure: DemoResult['failure'] = null;
  let exit: ExitCode = EXIT.ok;
  let isTold = false;
  const isKept = () => processes.hasStarted && (plan.keep || (exit !== EXIT.ok && interruptedBy === null));
  const tell = () => {
    if (isTold) return;
    isTold = true;
    plan.onResult({
      ok: exit === EXIT.ok,
      exit,
      milliseconds: Math.round(performance.now() - began),
      directory: isKept() ? root : null,
      figures: scenario.figures,
      proofs: scenario.proofs,
      failure,
    });
  };
  let watch: Watch | null = null;
  try {
    if (plan.watching !== null) watch = await Watch.open(fleet, plan.watching);
    await runSteps(plan.watching === null ? [...scenario.steps, scenario.lastStep] : scenario.steps);
    exit = exitOf(scenario.proofs);
    if (watch !== null && exit === EXIT.ok && interruptedBy === null) {
      isWatched = true;
      tell();
      await watch.run(ended.signal);
    }
  } catch (error) {
    failure = failureOf(error, interruptedBy);
    exit = error instanceof ReplichartError ? ERRORS[error.code].exit : EXIT.failure;
  } finally {
    await processes.kill();
    await watch?.close();
    await fleet.close();
  }
  if (!isKept()) await rm(root, { recursive: true, force: true });
  for (const signal of SIGNALS) process.off(signal, interrupt);
  tell();
  return { exit, failure, directory: isKept() ? root : null };
}

/** Why the demonstration ended early; what nobody expects is a bug and shows where it came from. */
function failureOf(error: unknown, interruptedBy: string | null): DemoResult['failure'] {
  if (interruptedBy !== null)
    return { code: null, message: `ended by ${interruptedBy}; every node was ended too`, found: null };
  if (error instanceof DemoFailure) return { code: null, message: error.message, found: error.found };
  if (error instanceof ReplichartError)
    return { code: error.code, message: error.message, found: error.evidence };
  const unexpected = error instanceof Error ? error : new Error(String(error));
  return { code: 'INTERNAL', message: unexpected.message, found: { stack: unexpected.stack ?? null } };
}
