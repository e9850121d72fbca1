import { titleOf, type Fleet, type ReplicaName } from '../fleet.ts';
import { isDetached, isFollowing, isHalted, seen, type Seen } from '../seen.ts';
import { until } from '../until.ts';

/** Resolves when a replica is in a state of the kind that is waited for. @throws DemoFailure when it ends or halts otherwise. */
export function comesTo(
  fleet: Fleet,
  name: ReplicaName,
  what: string,
  isSo: (now: Seen) => boolean,
): Promise<Seen> {
  return until(`${titleOf(name)} ${what}`, () => seen(fleet, name), isSo, {
    isHopeless: (now) => !now.isRunning || isHalted(now),
    progress: ({ lsn }) => lsn,
  });
}

/** Resolves when a replica has started and is not on its way any more: it follows, has no stream, or has halted. */
export function settles(fleet: Fleet, name: ReplicaName): Promise<Seen> {
  return comesTo(
    fleet,
    name,
    'follows, has no stream or has halted',
    (now) => isFollowing(now) || isDetached(now) || isHalted(now),
  );
}

/** Asks a replica without a stream to attach, as an operator does, and resolves when it is known what came of it. */
export async function attach(fleet: Fleet, name: ReplicaName): Promise<Seen> {
  (await fleet.relayOf(name)).mend();
  fleet.processes.signal(name, 'SIGUSR2');
  return comesTo(fleet, name, 'follows or has halted', (now) => isFollowing(now) || isHalted(now));
}
