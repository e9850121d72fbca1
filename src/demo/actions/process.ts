import { dataOf, explained } from '../http.ts';
import { titleOf, type ReplicaName } from '../fleet.ts';
import { isFollowing, told } from '../seen.ts';
import { matrix, of, type Action } from './action.ts';
import { unlessRunning } from './reasons.ts';
import { settles } from './settled.ts';

/** A replica is killed as a crash would. */
export function killReplica(name: ReplicaName, key: string): Action {
  return {
    id: `kill-${name}`,
    key,
    title: `Kill ${titleOf(name)}`,
    description: `Its process gets SIGKILL, whatever it is doing. ${matrix('F-A1')} ${matrix('F-R1')}`,
    reason: (situation) => unlessRunning(situation, name),
    run: async ({ fleet }) => {
      const how = await fleet.processes.end(name, 'SIGKILL');
      return `The process ended by ${how ?? 'nothing: there was none'}. ${await told(fleet, name)}`;
    },
  };
}

/** A replica that does not run is started on the directory that it left. */
export function startReplica(name: ReplicaName, key: string): Action {
  return {
    id: `start-${name}`,
    key,
    title: `Start ${titleOf(name)} again`,
    description: `It starts on the directory that it left, proves what is there, and decides by what the disk shows how to go on.`,
    reason: (situation) => (of(situation, name).isRunning ? `${titleOf(name)} runs` : null),
    run: async ({ fleet }) => {
      const { url } = await fleet.startReplica(name);
      const now = await settles(fleet, name);
      if (isFollowing(now)) await fleet.caughtUp(name);
      const { conclusion } = (await dataOf(explained, url, 'v1/explain/recovery')).data;
      return `Its recovery: ${conclusion.result}${conclusion.reason === null ? '' : ` (${conclusion.reason})`}. ${await told(fleet, name)}`;
    },
  };
}
