/**
 * Walks a running system along a generated path: what the path says is caused for real, one step after another, and after
 * every step the system is compared with where the pure chart rests. Knows nothing of files, networks or test runners.
 *
 * Guarantees: every step of the path is caused and compared, in its order; the first that differs ends the walk with an error
 * that names path, step and difference; whatever happens, the system is ended.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { nameOfPath, type PathStep, type TestPath } from './paths.ts';
import type { PureChart } from './pure-chart.ts';

/** How a system is driven. `System` is whatever the executors need to cause things and to look at what came of them. */
export interface Walker<System> {
  /** Starts the system as the path says; it rests before anything has happened. */
  readonly start: (path: TestPath) => Promise<System>;
  /** Causes one move, and resolves when the system rests after it. */
  readonly cause: (system: System, step: PathStep) => Promise<void>;
  /** Throws where the system is not where the pure chart rests; `step` is `null` after the start. */
  readonly agree: (system: System, expected: AnyMachineSnapshot, step: PathStep | null) => Promise<void>;
  /** Ends the system, wherever it is; `isWalked`: every step was caused, and agreed. */
  readonly end: (system: System, isWalked: boolean) => Promise<void>;
}

/** Why a walk did not come to its end, and where. */
export class WalkError extends Error {
  /** What happened before, and last, what was being done. */
  readonly walked: readonly string[];

  constructor(path: TestPath, walked: readonly string[], cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`after "${walked.join(' → ')}" of "${nameOfPath(path)}": ${why}`, { cause });
    this.name = 'WalkError';
    this.walked = walked;
  }
}

/** @throws WalkError at the first step that cannot be caused, or after which the system is elsewhere than the chart. */
export async function walk<System>(path: TestPath, walker: Walker<System>): Promise<void> {
  const walked = [path.start.name];
  const named = async <Result>(done: () => Promise<Result>): Promise<Result> => {
    try {
      return await done();
    } catch (error) {
      throw new WalkError(path, walked, error);
    }
  };
  const system = await named(() => walker.start(path));
  let isWalked = false;
  try {
    await named(() => walker.agree(system, path.snapshot, null));
    for (const step of path.steps) {
      walked.push(step.move.name);
      await named(async () => {
        await walker.cause(system, step);
        await walker.agree(system, step.snapshot, step);
      });
    }
    isWalked = true;
  } finally {
    await walker.end(system, isWalked);
  }
}

/**
 * The same path with the states that a node on this very path comes to. An exploration keeps one state of all that have the
 * same future, and the one that it kept may know other things of its past.
 */
export function retraced(chart: PureChart, path: TestPath): TestPath {
  const first = chart.initial(path.start.input);
  let { snapshot } = first;
  const steps = path.steps.map((step): PathStep => {
    const settled = chart.send(snapshot, step.move.event);
    ({ snapshot } = settled);
    if (JSON.stringify(snapshot.value) !== JSON.stringify(step.snapshot.value))
      throw new Error(
        `"${step.move.name}" of "${nameOfPath(path)}" leads elsewhere than the exploration says`,
      );
    return { ...step, snapshot, transitions: settled.steps.flatMap(({ transitions }) => transitions) };
  });
  return { ...path, snapshot: first.snapshot, steps };
}

/** The transitions of a chart that no walk of these paths takes, by their ids: there must be none. */
export function unwalked(all: readonly string[], taken: ReadonlySet<string>): readonly string[] {
  return all.filter((id) => !taken.has(id));
}
