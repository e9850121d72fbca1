import { readdir, rename } from 'node:fs/promises';
import { dirname, basename, join } from 'node:path';
import { titleOf, type ReplicaName } from '../fleet.ts';
import { isFollowing, told } from '../seen.ts';
import type { Action } from './action.ts';
import { unlessStuck } from './reasons.ts';
import { settles } from './settled.ts';

/** How each replica begins: B is the one that shows how a snapshot is begun with. */
const BEGINS: Readonly<Record<ReplicaName, 'wal' | 'snapshot'>> = {
  'replica-a': 'wal',
  'replica-b': 'snapshot',
  'replica-c': 'wal',
};

/** The way back for a replica whose history is not the primary's. */
export function bootstrapAnew(name: ReplicaName, key: string): Action {
  const from = BEGINS[name] === 'wal' ? 'the first byte of the WAL' : 'the newest snapshot';
  return {
    id: `bootstrap-${name}`,
    key,
    title: `Bootstrap ${titleOf(name)} anew`,
    description: `Its process is stopped, its directory is put aside with all its evidence, and it begins in an empty one, from ${from} of the primary. This is the way back of a replica whose history is not the primary's: nothing of it is mended.`,
    reason: (situation) => unlessStuck(situation, name),
    run: async ({ fleet }) => {
      const { directory } = fleet.of(name);
      await fleet.processes.end(name);
      const aside = await putAside(directory);
      (await fleet.relayOf(name)).mend();
      await fleet.startReplica(name, { bootstrap: BEGINS[name] });
      const now = await settles(fleet, name);
      if (isFollowing(now)) await fleet.caughtUp(name);
      return `What it held is kept as ${aside}. ${await told(fleet, name)}`;
    },
  };
}

/** Gives a directory another name beside it; says which. */
export async function putAside(directory: string): Promise<string> {
  const taken = new Set(await readdir(dirname(directory)));
  let number = 1;
  const name = () => `${basename(directory)}-before-${number}`;
  while (taken.has(name())) number += 1;
  await rename(directory, join(dirname(directory), name()));
  return name();
}
