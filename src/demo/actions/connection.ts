import { titleOf, type ReplicaName } from '../fleet.ts';
import { isDetached, isFollowing, told } from '../seen.ts';
import { matrix, of, type Action } from './action.ts';
import { unlessFollowing, unlessRunning } from './reasons.ts';
import { attach, comesTo } from './settled.ts';

/** The connection of a replica is cut, and none comes about. */
export function cutConnection(name: ReplicaName, key: string): Action {
  return {
    id: `cut-${name}`,
    key,
    title: `Cut the connection of ${titleOf(name)}`,
    description: `The relay between the primary and ${titleOf(name)} cuts every connection and lets none come about. ${matrix('F-N1')}`,
    reason: (situation) => unlessFollowing(situation, name),
    run: async ({ fleet }) => {
      (await fleet.relayOf(name)).cut();
      await comesTo(fleet, name, 'has no stream', isDetached);
      return told(fleet, name);
    },
  };
}

/** The explicit step after a loss. */
export function attachAgain(name: ReplicaName, key: string): Action {
  return {
    id: `attach-${name}`,
    key,
    title: `Attach ${titleOf(name)} again`,
    description: `The relay passes everything on again, and ${titleOf(name)} is asked to attach (SIGUSR2). It goes on where its own WAL ends; where the primary's history is another one by then, it halts.`,
    reason: (situation) =>
      unlessRunning(situation, name) ??
      (isDetached(of(situation, name)) ? null : `${titleOf(name)} is not without a stream`),
    run: async ({ fleet }) => {
      const now = await attach(fleet, name);
      if (isFollowing(now)) await fleet.caughtUp(name);
      return told(fleet, name);
    },
  };
}
