import { titleOf, type ReplicaName } from '../fleet.ts';
import { isHalted, told } from '../seen.ts';
import { LIVE_FIELD } from '../steady-workload.ts';
import { matrix, type Action } from './action.ts';
import { unlessFollowing } from './reasons.ts';
import { comesTo } from './settled.ts';

/** One bit of the next commit is altered on its way to a replica. */
export function flipByte(name: ReplicaName, key: string): Action {
  return {
    id: `flip-byte-${name}`,
    key,
    title: `Flip a byte in the stream to ${titleOf(name)}`,
    description: `The relay between the primary and ${titleOf(name)} turns over one bit in a document of the next commit. ${matrix('F-V1')}`,
    reason: (situation) => unlessFollowing(situation, name),
    run: async ({ fleet }) => {
      const relay = await fleet.relayOf(name);
      const before = relay.flips;
      relay.alter({ behind: LIVE_FIELD });
      try {
        await comesTo(fleet, name, 'has halted', isHalted);
      } finally {
        relay.alter(null);
      }
      return `${relay.flips - before} byte was altered on the way. ${await told(fleet, name)}`;
    },
  };
}
