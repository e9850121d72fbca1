import { titleOf, type ReplicaName } from '../fleet.ts';
import { isDetached, isFollowing, isHalted } from '../seen.ts';
import { of, type Situation } from './action.ts';

/** Why something that needs a process cannot be done to a replica; `null`: it runs. */
export function unlessRunning(situation: Situation, name: ReplicaName): string | null {
  return of(situation, name).isRunning ? null : `${titleOf(name)} does not run: start it first`;
}

/** Why something that needs a stream cannot be done to a replica; `null`: it follows. */
export function unlessFollowing(situation: Situation, name: ReplicaName): string | null {
  const found = of(situation, name);
  if (!found.isRunning) return unlessRunning(situation, name);
  if (found.failure !== null)
    return `${titleOf(name)} has halted (${found.failure.code}): clear its halt, or bootstrap it anew, first`;
  if (isDetached(found)) return `${titleOf(name)} has no stream: attach it first`;
  return isFollowing(found) ? null : `${titleOf(name)} does not follow yet: ${found.state ?? 'no state'}`;
}

/** Why a replica is better left as it is; `null`: it has halted, or has no stream. */
export function unlessStuck(situation: Situation, name: ReplicaName): string | null {
  const found = of(situation, name);
  return found.isRunning && isDetached(found) ? null : unlessHalted(situation, name);
}

/** Why something that is for halted replicas cannot be done; `null`: it has halted. */
export function unlessHalted(situation: Situation, name: ReplicaName): string | null {
  const found = of(situation, name);
  if (!found.isRunning) return unlessRunning(situation, name);
  return isHalted(found) ? null : `${titleOf(name)} has not halted`;
}
