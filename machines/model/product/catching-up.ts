/** Which replicas can still come to hold all of their primary's history, by where both stand. */
import { proofOf, type History } from './history.ts';
import type { World } from './world.ts';

/** Whether a replica may never catch up: what it holds, or would have to fetch, is no longer what the primary has. */
export function isDoomed(world: World): boolean {
  const { checkpoint } = world.disk.index;
  return checkpoint === null ? cannotBegin(world) : cannotGoOn(world, checkpoint.at);
}

function cannotBegin({ primary: { snapshot, prunedTo, wal }, disk: { incoming } }: World): boolean {
  const isStale = incoming !== null && !wal.startsWith(incoming.cut);
  return isStale || prunedTo > (snapshot?.cut.length ?? 0) || (snapshot?.fault ?? null) !== null;
}

function cannotGoOn({ primary, network, memory, disk }: World, applied: History): boolean {
  const proven = memory.desk.at(-1)?.units.at(-1)?.upTo ?? applied;
  const isRotten = disk.wal.some(({ wrong, upTo }) => wrong !== null && upTo.length <= proven.length);
  const onTheWay = network.arrived.flatMap((one) => (one.kind === 'unit' ? [one.unit] : []));
  const held = [...disk.wal, ...memory.batch, ...onTheWay].filter(({ wrong }) => wrong === null);
  const durable = proofOf(disk.origin, disk.wal.slice(0, disk.synced)).to;
  return (
    isRotten ||
    disk.base?.isDamaged === true ||
    durable.length < primary.prunedTo ||
    [applied, ...held.map(({ upTo }) => upTo)].some((history) => !primary.wal.startsWith(history))
  );
}

/** Whether nothing is left to be had. */
export function hasAll({ primary, disk: { index, wal } }: World): boolean {
  return index.checkpoint?.at === primary.wal && wal.every(({ wrong }) => wrong === null);
}
