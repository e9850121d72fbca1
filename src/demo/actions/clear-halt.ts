import { directoryOf } from '../../cli/directory.ts';
import { whileNotRunning } from '../../cli/not-running.ts';
import { clearHalt, readHalt } from '../../io/halt-file.ts';
import { titleOf, type ReplicaName } from '../fleet.ts';
import { isFollowing, told } from '../seen.ts';
import type { Action } from './action.ts';
import { unlessHalted } from './reasons.ts';
import { settles } from './settled.ts';

/** What an operator does who has looked and found the cause gone. */
export function clearHaltOf(name: ReplicaName, key: string): Action {
  return {
    id: `clear-halt-${name}`,
    key,
    title: `Clear the halt of ${titleOf(name)} and start it again`,
    description: `Its process is stopped, the recorded halt is moved to its evidence, and it starts again, without any limit on its files. It follows again where the cause is gone; where it is not, as after a fork, it halts once more.`,
    reason: (situation) => unlessHalted(situation, name),
    run: async ({ fleet }) => {
      await fleet.processes.end(name);
      const { directory } = await directoryOf(fleet.of(name).directory);
      const halt = await readHalt(directory);
      // A halt that could not be written down, on a full disk, is not there to be cleared.
      const kept = halt === null ? null : await whileNotRunning(directory, () => clearHalt(directory));
      await fleet.startReplica(name);
      const now = await settles(fleet, name);
      if (isFollowing(now)) await fleet.caughtUp(name);
      const cleared =
        kept === null ? 'No halt was recorded' : `The halt ${halt?.code ?? ''} is kept as ${kept}`;
      return `${cleared}. ${await told(fleet, name)}`;
    },
  };
}
