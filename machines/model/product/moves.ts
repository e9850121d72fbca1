/** What may happen around a replica, and what a crash of it leaves behind. */
import { runningIn } from '../pure-chart.ts';
import { WRONG_UNITS } from '../history.ts';
import { effects } from './effects.ts';
import {
  COMMON_UNITS,
  EMPTY_MEMORY,
  NO_STREAM,
  unitAt,
  type Disk,
  type Network,
  type Primary,
  type ProductBound,
  type SnapshotFault,
  type World,
} from './world.ts';
import type { AnyMachineSnapshot } from 'xstate';

export interface WorldMove {
  readonly name: string;
  readonly world: World;
}

const move = (name: string, world: World): WorldMove => ({ name, world });
const withPrimary = (world: World, change: Partial<Primary>): World => ({
  ...world,
  primary: { ...world.primary, ...change },
});
const withNetwork = (world: World, change: Partial<Network>): World => ({
  ...world,
  network: { ...world.network, ...change },
});
const withDisk = (world: World, change: Partial<Disk>): World => ({
  ...world,
  disk: { ...world.disk, ...change },
});
const fault = (world: World): World => ({ ...world, faults: world.faults - 1 });

const SNAPSHOT_FAULTS: readonly SnapshotFault[] = [
  'a damaged manifest',
  'of another cluster',
  'a damaged block',
  'of another state',
];

export function primaryMoves(
  world: World,
  { units }: ProductBound,
  bootstrap: 'wal' | 'snapshot',
): WorldMove[] {
  const { primary } = world;
  if (!primary.isUp) return [move('the primary starts', withPrimary(world, { isUp: true }))];
  const { durable, pending, history, snapshot, written } = primary;
  const moves: WorldMove[] = [];
  if (!pending && durable < units)
    moves.push(move('the primary writes', withPrimary(world, { pending: true })));
  if (pending) {
    const behind = durable + 1;
    const marks: readonly [number, number] =
      history === 0 ? [Math.max(written[0], behind), written[1]] : [written[0], Math.max(written[1], behind)];
    moves.push(
      move('the primary syncs', withPrimary(world, { pending: false, durable: behind, written: marks })),
    );
  }
  if (bootstrap === 'snapshot' && durable > snapshot)
    moves.push(move('the primary cuts a snapshot', withPrimary(world, { snapshot: durable })));
  if (world.crashes > 0)
    moves.push(
      move('the primary crashes', {
        ...withPrimary(world, { isUp: false, pending: false }),
        network: { ...world.network, next: null },
        crashes: world.crashes - 1,
      }),
    );
  if (world.faults > 0) moves.push(...primaryFaults(world));
  return moves;
}

function primaryFaults(world: World): WorldMove[] {
  const { durable, history, snapshot, snapshotFault, prunedTo, written } = world.primary;
  const moves: WorldMove[] = [];
  if (history === 0 && durable > COMMON_UNITS)
    moves.push(
      move('the primary takes up an older state', {
        ...withPrimary(fault(world), {
          history: 1,
          durable: COMMON_UNITS,
          pending: false,
          snapshot: Math.min(snapshot, COMMON_UNITS),
          written: [written[0], COMMON_UNITS],
        }),
        network: { ...world.network, next: null },
        isDoomed: true,
      }),
    );
  if (durable > prunedTo)
    moves.push(
      move('the primary prunes all that is old', {
        ...withPrimary(fault(world), { prunedTo: durable }),
        isDoomed: true,
      }),
    );
  if (snapshot > 0 && snapshotFault === null)
    for (const wrong of SNAPSHOT_FAULTS)
      moves.push(
        move(`the snapshot becomes ${wrong}`, {
          ...withPrimary(fault(world), { snapshotFault: wrong }),
          isDoomed: true,
        }),
      );
  return moves;
}

export function networkMoves(world: World): WorldMove[] {
  const { primary, network } = world;
  const { next, arrived } = network;
  const moves: WorldMove[] = [];
  if (next === null || arrived !== null) return moves;
  moves.push(move('a notice arrives', withNetwork(world, { arrived: { kind: 'notice' } })));
  if (world.faults > 0) moves.push(move('the connection is cut', withNetwork(fault(world), { next: null })));
  if (next > primary.durable) return moves;
  const unit = unitAt(next, primary.history);
  const arrives = (from: World, wrong: keyof typeof WRONG_UNITS | null) =>
    withNetwork(from, {
      next: next + 1,
      arrived: { kind: 'unit', unit: { ...unit, wrong }, expected: next },
    });
  moves.push(move('a unit arrives', arrives(world, null)));
  if (world.faults === 0) return moves;
  for (const wrong of Object.keys(WRONG_UNITS) as (keyof typeof WRONG_UNITS)[])
    moves.push(move(`a unit arrives garbled: ${wrong}`, arrives(fault(world), wrong)));
  // The envelope of a chunk says where it stands, so that both are seen at once.
  for (const name of ['a unit arrives twice', 'a unit arrives before the one before it'])
    moves.push(move(name, withNetwork(fault(world), { arrived: { kind: 'gap' } })));
  return moves;
}

export function diskMoves(world: World): WorldMove[] {
  if (world.faults === 0) return [];
  const { wal } = world.disk;
  return wal.flatMap((unit, place) => {
    if (unit.wrong !== null) return [];
    const rotten = wal.map((one, at) =>
      at === place ? { ...one, wrong: 'checksum does not match' as const } : one,
    );
    return [move(`unit ${unit.number} rots on disk`, withDisk(fault(world), { wal: rotten }))];
  });
}

/** The ways in which the replica's process may end without a word: what was under way is done, not done, or half done. */
export function crashesOf(world: World, snapshot: AnyMachineSnapshot): WorldMove[] {
  if (world.crashes === 0) return [];
  const lost = (behind: World): World => ({
    ...behind,
    memory: EMPTY_MEMORY,
    network: NO_STREAM,
    crashes: world.crashes - 1,
  });
  const ends = new Map<string, World>();
  const add = (name: string, behind: World) => {
    const end = lost(behind);
    const known = JSON.stringify(end);
    if (![...ends.values()].some((one) => JSON.stringify(one) === known)) ends.set(name, end);
  };
  add('the replica crashes', world);
  const running = runningIn(snapshot);
  for (const { id, src, input } of running) {
    const answer = effects[src]?.(world, input as never) ?? null;
    if (answer === null || 'asserts' in answer) continue;
    add(`the replica crashes when ${id} was done`, answer.world);
    for (const half of halvesOf(id, world, answer.world))
      add(`the replica crashes in the middle of ${id}`, half);
    for (const other of running) {
      const both = other.id > id ? effects[other.src]?.(answer.world, other.input as never) : undefined;
      if (both !== undefined && both !== null && !('asserts' in both))
        add(`the replica crashes when ${id} and ${other.id} were done`, both.world);
    }
  }
  return [...ends].map(([name, end]) => move(name, end));
}

/** What is on disk between two of the steps that an effect takes. */
function halvesOf(id: string, world: World, done: World): World[] {
  if (id === 'persist') return [withDisk(world, { torn: true })];
  // The file is in its place, and the index is still being built.
  if (id === 'installSnapshot') return [withDisk(world, { base: done.disk.base, incoming: false })];
  if (id === 'fetchSnapshot') return [withDisk(world, { incoming: true })];
  return [];
}
