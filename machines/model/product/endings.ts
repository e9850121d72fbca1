/** How the process of a replica may end without a word, and what is left on its disk. */
import type { Running } from '../pure-chart.ts';
import { leftBy } from './effects.ts';
import type { Effects } from './effects/effect.ts';
import type { Disk, World } from './world.ts';
import { withDisk, withoutProcess } from './world.ts';

export interface WorldMove {
  readonly name: string;
  readonly world: World;
}

/** Effects under way each end undone, half done, or done and not said; what was never synced stays, or goes with the power. */
export function crashesOf(parts: Effects, world: World, underWay: readonly Running[]): WorldMove[] {
  if (world.crashes === 0) return [];
  let ends: WorldMove[] = [{ name: 'the replica crashes', world }];
  for (const running of underWay)
    ends = ends.flatMap((end) => [
      end,
      ...endingsOf(parts, running, end.world).map((then) => ({
        name: `${end.name}, ${then.name}`,
        world: then.world,
      })),
    ]);
  const crashed = ends.map(({ name, world: left }) => ({
    name,
    world: { ...withoutProcess(left), crashes: world.crashes - 1 },
  }));
  return distinct([
    ...crashed,
    ...crashed.flatMap(({ name, world: left }) => afterAPowerCut(`${name}, and the power fails`, left)),
  ]);
}

/** What an effect leaves behind to which nobody listens any more, where it did anything. */
export function endingsOf(parts: Effects, running: Running, world: World): WorldMove[] {
  const { halves, done } = leftBy(parts, running, world);
  const ends = halves.map((half, step) => ({
    name: `in the middle of ${running.id} (${step + 1})`,
    world: half,
  }));
  return done === null ? ends : [...ends, { name: `with ${running.id} done`, world: done }];
}

/** A power cut takes any part of what was not synced: it may end early, in the middle of a unit, or in bytes that are none. */
export function afterAPowerCut(name: string, world: World): WorldMove[] {
  const { wal, synced, isTorn } = world.disk;
  const cut = (left: string, wal: Disk['wal'], torn: boolean): WorldMove => ({
    name: `${name}, ${left}`,
    world: withDisk(world, { wal, synced: wal.length, isTorn: torn }),
  });
  const moves: WorldMove[] = [];
  for (let kept = synced; kept <= wal.length; kept += 1) {
    const units = wal.slice(0, kept);
    moves.push(cut(`${kept} units stay`, units, false));
    if (kept < wal.length || isTorn) moves.push(cut(`${kept} units and a part stay`, units, true));
  }
  const last = wal.at(-1);
  if (last !== undefined && wal.length > synced) {
    const garbage = { ...last, wrong: 'checksum does not match' as const };
    moves.push(cut('the last unit is garbage', [...wal.slice(0, -1), garbage], false));
  }
  return moves;
}

function distinct(moves: readonly WorldMove[]): WorldMove[] {
  const known = new Map<string, WorldMove>();
  for (const move of moves) {
    const key = JSON.stringify(move.world);
    if (!known.has(key)) known.set(key, move);
  }
  return [...known.values()];
}
