import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, ERRORS, ReplichartError, type ExitCode } from '../core/errors.ts';
import type { Json } from '../core/bytes.ts';
import { DemoFailure } from './failure.ts';
import { Processes } from './processes.ts';
import { exitOf, type Proof } from './proofs.ts';
import { Scenario, type Figures } from './scenario.ts';
import { runSteps } from './steps.ts';

/** What came of a demonstration: every figure and every proof, also when it could not go on to its end. */
export interface DemoResult {
  readonly ok: boolean;
  readonly exit: ExitCode;
  readonly milliseconds: number;
  /** Where the files of the run are kept; `null` when they were removed. */
  readonly directory: string | null;
  readonly figures: Figures;
  readonly proofs: readonly Proof[];
  readonly failure: { readonly code: string | null; readonly message: string; readonly found: Json } | null;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs the whole demonstration in a fresh temporary directory. When it returns, no process that it started
 * runs any more; the directory is removed unless something failed or it is to be kept.
 */
export async function runDemo({ keep }: { readonly keep: boolean }): Promise<DemoResult> {
  const began = performance.now();
  const root = await mkdtemp(join(tmpdir(), 'replichart-demo-'));
  const processes = new Processes(root);
  const scenario = new Scenario(processes);
  let interruptedBy: string | null = null;
  const interrupt = (signal: NodeJS.Signals) => {
    interruptedBy ??= signal;
    void processes.kill();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  let failure: DemoResult['failure'] = null;
  let exit: ExitCode = EXIT.ok;
  try {
    await runSteps(scenario.steps);
    exit = exitOf(scenario.proofs);
  } catch (error) {
    failure = failureOf(error, interruptedBy);
    exit = error instanceof ReplichartError ? ERRORS[error.code].exit : EXIT.failure;
  } finally {
    await processes.kill();
  }
  const isKept = processes.hasStarted && (keep || (exit !== EXIT.ok && interruptedBy === null));
  if (!isKept) await rm(root, { recursive: true, force: true });
  for (const signal of SIGNALS) process.off(signal, interrupt);
  return {
    ok: exit === EXIT.ok,
    exit,
    milliseconds: Math.round(performance.now() - began),
    directory: isKept ? root : null,
    figures: scenario.figures,
    proofs: scenario.proofs,
    failure,
  };
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
