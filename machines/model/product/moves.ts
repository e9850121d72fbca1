/** What may happen around a replica. */
import { WRONG_UNITS, type WrongUnit } from '../history.ts';
import { afterAPowerCut, type WorldMove } from './endings.ts';
import type { Letter } from './history.ts';
import {
  faulted,
  withDisk,
  withNetwork,
  withPrimary,
  type Arrived,
  type ProductBound,
  type SnapshotFault,
  type World,
} from './world.ts';

const move = (name: string, world: World): WorldMove => ({ name, world });

/** A primary that takes up an older state has so many units in common with what it wrote before. */
const COMMON_UNITS = 1;
/** Units that may wait to be taken from the network at once. */
const ARRIVED_MAX = 2;

const SNAPSHOT_FAULTS: readonly SnapshotFault[] = [
  'a damaged manifest',
  'of another cluster',
  'a damaged block',
  'of another state',
];

export function primaryMoves(world: World, bound: ProductBound, bootstrap: 'wal' | 'snapshot'): WorldMove[] {
  const { isUp, pending, wal, snapshot } = world.primary;
  if (!isUp) return [move('the primary starts', synced(withPrimary(world, { isUp: true })))];
  const moves =
    pending === null ? writes(world, bound, bootstrap) : [move('the primary syncs', synced(world))];
  const sealed = wal.slice(0, wal.lastIndexOf('s') + 1);
  if (bootstrap === 'snapshot' && sealed !== '' && sealed !== snapshot?.cut)
    moves.push(
      move('the primary makes a snapshot', withPrimary(world, { snapshot: { cut: sealed, fault: null } })),
    );
  if (world.crashes > 0) moves.push(...primaryCrashes(world));
  if (world.faults > 0) moves.push(...primaryFaults(world));
  return moves;
}

/** One seal is enough: behind it stands WAL of another file. A snapshot is cut at one, so that it has a unit of its own there. */
function writes(world: World, { units }: ProductBound, bootstrap: 'wal' | 'snapshot'): WorldMove[] {
  const { wal } = world.primary;
  const isSealed = wal.includes('s');
  const extra = bootstrap === 'snapshot' ? 1 : 0;
  const commit: Letter = wal.length >= COMMON_UNITS && isOther(world) ? 'd' : 'c';
  const moves: WorldMove[] = [];
  if (wal.length < units + (isSealed ? extra : 0))
    moves.push(move('the primary writes', withPrimary(world, { pending: commit })));
  if (wal.length < units + extra && wal !== '' && !isSealed)
    moves.push(move('the primary seals the segment', withPrimary(world, { pending: 's' })));
  return moves;
}

/** Whether this primary once had a history that it has no longer. */
function isOther({ primary: { written } }: World): boolean {
  return written.length > 1;
}

function synced(world: World): World {
  const { pending, wal, written } = world.primary;
  if (pending === null) return world;
  const behind = `${wal}${pending}`;
  const before = written.slice(0, -1);
  return withPrimary(world, { pending: null, wal: behind, written: [...before, behind] });
}

/** What was written and not synced is lost, or comes back; nobody has seen it before. */
function primaryCrashes(world: World): WorldMove[] {
  const crashed = {
    ...withPrimary(world, { isUp: false }),
    network: { ...world.network, sent: null },
    crashes: world.crashes - 1,
  };
  const lost = withPrimary(crashed, { pending: null });
  return world.primary.pending === null
    ? [move('the primary crashes', lost)]
    : [
        move('the primary crashes, and what was not synced is lost', lost),
        move('the primary crashes, and what was not synced stays', crashed),
      ];
}

function primaryFaults(world: World): WorldMove[] {
  const { wal, snapshot, prunedTo, written } = world.primary;
  const moves: WorldMove[] = [];
  if (!isOther(world) && wal.length > COMMON_UNITS) {
    const older = wal.slice(0, COMMON_UNITS);
    moves.push(
      move('the primary takes up an older state', {
        ...withPrimary(faulted(world), {
          wal: older,
          pending: null,
          snapshot: null,
          prunedTo: 0,
          written: [...written, older],
        }),
        network: { ...world.network, sent: null },
      }),
    );
  }
  const sealed = wal.lastIndexOf('s') + 1;
  if (sealed > prunedTo)
    moves.push(
      move('the primary prunes its sealed segment', withPrimary(faulted(world), { prunedTo: sealed })),
    );
  if (snapshot?.fault === null)
    for (const fault of SNAPSHOT_FAULTS)
      moves.push(
        move(
          `the snapshot becomes ${fault}`,
          withPrimary(faulted(world), { snapshot: { ...snapshot, fault } }),
        ),
      );
  return moves;
}

export function networkMoves(world: World): WorldMove[] {
  const { primary, network } = world;
  const { sent, arrived } = network;
  if (sent === null || arrived.length >= ARRIVED_MAX || arrived.some(({ kind }) => kind !== 'unit'))
    return [];
  const upTo = primary.wal.slice(0, sent.length + 1);
  const hasMore = upTo.length > sent.length;
  const moves: WorldMove[] = [];
  const unit = (from: World, wrong: WrongUnit | null): World =>
    withNetwork(from, { sent: upTo, arrived: [...arrived, { kind: 'unit', unit: { upTo, wrong } }] });
  if (hasMore) moves.push(move('a unit arrives', unit(world, null)));
  if (hasMore && world.faults > 0)
    for (const wrong of Object.keys(WRONG_UNITS) as WrongUnit[])
      moves.push(move(`a unit arrives garbled: ${wrong}`, unit(faulted(world), wrong)));
  if (arrived.length > 0) return moves;
  const notice: Arrived = { kind: 'notice', durable: primary.wal };
  moves.push(move('a notice arrives', withNetwork(world, { arrived: [notice] })));
  return world.faults === 0 ? moves : [...moves, ...networkFaults(world, sent.length)];
}

/** The envelope of a chunk says where it stands. */
function networkFaults(world: World, sent: number): WorldMove[] {
  const strays = (name: string, found: number) =>
    move(name, withNetwork(faulted(world), { arrived: [{ kind: 'gap', expected: sent, found }] }));
  const moves = [move('the connection is cut', withNetwork(faulted(world), { sent: null }))];
  if (sent > 0) moves.push(strays('a unit arrives twice', sent - 1));
  if (world.primary.wal.length > sent + 1)
    moves.push(strays('a unit arrives before the one before it', sent + 1));
  return moves;
}

export function diskMoves(world: World): WorldMove[] {
  const { wal, incoming, base } = world.disk;
  if (world.faults === 0) return [];
  const moves = wal.flatMap((unit, place) => {
    if (unit.wrong !== null) return [];
    const rotten = wal.map((one, at) =>
      at === place ? { ...one, wrong: 'checksum does not match' as const } : one,
    );
    return [move(`unit ${unit.upTo.length} rots on disk`, withDisk(faulted(world), { wal: rotten }))];
  });
  for (const [name, file] of Object.entries({ incoming, base }))
    if (file?.isDamaged === false)
      moves.push(
        move(
          `the ${name} file rots on disk`,
          withDisk(faulted(world), { [name]: { ...file, isDamaged: true } }),
        ),
      );
  return moves;
}

/** While no process runs: the power may fail as well, and an operator may clear a halt. */
export function idleMoves(world: World): WorldMove[] {
  const moves: WorldMove[] = [];
  if (world.disk.halt !== null)
    moves.push(move('an operator clears the halt', withDisk(world, { halt: null })));
  const { synced: durable, wal, isTorn } = world.disk;
  if (world.crashes > 0 && (durable < wal.length || isTorn))
    moves.push(...afterAPowerCut('the power fails', { ...world, crashes: world.crashes - 1 }));
  return moves;
}
