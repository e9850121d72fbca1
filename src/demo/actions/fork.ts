import { cp, rename, rm } from 'node:fs/promises';
import { REPLICAS, type Fleet, type ReplicaName } from '../fleet.ts';
import { isDetached, isFollowing, isHalted, seen, told } from '../seen.ts';
import type { SteadyWorkload } from '../steady-workload.ts';
import { until } from '../until.ts';
import { matrix, type Action, type Situation } from './action.ts';
import { putAside } from './bootstrap.ts';
import { attach } from './settled.ts';

const COMMITS_LOST = 20;
/** More than were lost, so that the other history is longer as well and only its content tells the two apart. */
const COMMITS_INSTEAD = 40;

/** A primary that is restored from an old copy, and goes on from there: the accident that forks a history. */
export function forkHistory(key: string): Action {
  return {
    id: 'fork',
    key,
    title: 'Fork the history',
    description: `The directory of the primary is copied; ${COMMITS_LOST} more commits are made and reach the replicas; then the primary is started on the copy, as after a restore from an old backup, and makes other commits. Replicas that follow are attached again. ${matrix('F-V3')} The way back is to bootstrap them anew: clearing the halt makes no history the same.`,
    reason: (situation) =>
      followers(situation).length === 0
        ? 'no replica follows the primary: attach, start, clear or bootstrap one first'
        : null,
    run: async ({ fleet, workload }) => {
      const names = await following(fleet);
      const copy = fleet.processes.directoryOf('primary-copy');
      const lost = await workload.paused(async () => {
        await rm(copy, { recursive: true, force: true });
        await restartPrimary(fleet, (directory) => cp(directory, copy, { recursive: true }));
        await attachAll(fleet, names);
        const at = await commitAndApply(fleet, workload, names);
        await restartPrimary(fleet, async (directory) => {
          await putAside(directory);
          await rename(copy, directory);
        });
        await workload.commit(COMMITS_INSTEAD);
        await attachAll(fleet, names);
        return at;
      });
      const all = [];
      for (const name of names) all.push(await told(fleet, name));
      return `The primary forgot what it had acknowledged up to commit ${lost}, and made other commits. ${all.join(' ')}`;
    },
  };
}

function followers(situation: Situation): readonly ReplicaName[] {
  return REPLICAS.filter((name) => {
    const found = situation.get(name);
    return found !== undefined && isFollowing(found);
  });
}

async function following(fleet: Fleet): Promise<readonly ReplicaName[]> {
  const all = await Promise.all(REPLICAS.map(async (name) => ({ name, now: await seen(fleet, name) })));
  return all.filter(({ now }) => isFollowing(now)).map(({ name }) => name);
}

async function restartPrimary(fleet: Fleet, between: (directory: string) => Promise<unknown>): Promise<void> {
  const { directory } = fleet.of('primary');
  await fleet.processes.end('primary');
  await between(directory);
  await fleet.startPrimary();
}

/** The end of the primary has detached them all; each is asked when it has noticed. */
async function attachAll(fleet: Fleet, names: readonly ReplicaName[]): Promise<void> {
  for (const name of names) {
    await until(
      `${name} has noticed that its stream ended`,
      () => seen(fleet, name),
      (now) => isDetached(now) || isHalted(now),
    );
    await attach(fleet, name);
  }
}

/** Makes the commits that are to be lost, and resolves with the id of the last when every replica has applied it. */
async function commitAndApply(
  fleet: Fleet,
  workload: SteadyWorkload,
  names: readonly ReplicaName[],
): Promise<number> {
  const { commit_id: at } = await workload.commit(COMMITS_LOST);
  for (const name of names) await fleet.caughtUp(name);
  return at;
}
