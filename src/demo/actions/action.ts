import { FAILURES, type FailureId } from '../../core/failure-matrix.ts';
import type { Fleet, NodeName, ReplicaName } from '../fleet.ts';
import type { Seen } from '../seen.ts';
import type { SteadyWorkload } from '../steady-workload.ts';

/** What actions work on: the demonstration's own nodes, and nothing else. */
export interface Stage {
  readonly fleet: Fleet;
  readonly workload: SteadyWorkload;
}

/** What every node said of itself when somebody asked what can be done. */
export type Situation = ReadonlyMap<NodeName, Seen>;

/** Something that can be done to the nodes of a demonstration. */
export interface Action {
  readonly id: string;
  /** The key of the terminal menu. */
  readonly key: string;
  readonly title: string;
  /** What is done, and what must come of it. */
  readonly description: string;
  /** Why it cannot be done now; `null`: it can. */
  readonly reason: (situation: Situation) => string | null;
  /** Does it, waits for what comes of it, and says what was seen. @throws DemoFailure when something else came of it. */
  readonly run: (stage: Stage) => Promise<string>;
}

/** What the failure matrix says of a failure. */
export function matrix(id: FailureId): string {
  const { failure, outcome } = FAILURES[id];
  return `${id}, ${failure}: ${outcome}.`;
}

export function of(situation: Situation, name: ReplicaName): Seen {
  const found = situation.get(name);
  if (found !== undefined) return found;
  const unknown = { state: null, failure: null, detachment: null, commitId: null, lsn: null };
  return { name, isRunning: false, ...unknown };
}
