/**
 * Everything around a replica that the chart only hears of: a primary with its history, a network between the two, the
 * replica's disk and memory, and effects that the chart no longer listens to. Small enough to be gone through whole.
 */
import type { HaltReason } from '../../../src/core/halt.ts';
import type { Running } from '../pure-chart.ts';
import type { History, Letter, Unit } from './history.ts';

export interface Primary {
  /** What is durable. */
  readonly wal: History;
  /** A unit that is written and not synced: it may be lost, and nobody may have seen it. */
  readonly pending: Letter | null;
  readonly isUp: boolean;
  /** The newest snapshot: of the state up to a seal, and what is wrong with it. */
  readonly snapshot: { readonly cut: History; readonly fault: SnapshotFault | null } | null;
  /** So many units from the first on are gone. */
  readonly prunedTo: number;
  /** How far each history ever came durably: what no primary ever wrote, no replica may hold. */
  readonly written: readonly History[];
}
export type SnapshotFault =
  'a damaged manifest' | 'of another cluster' | 'a damaged block' | 'of another state';

export interface Network {
  /** What the stream has carried so far, if one is open. */
  readonly sent: History | null;
  /** What has arrived and was not taken yet. */
  readonly arrived: readonly Arrived[];
  /** How many units the inbox has counted, from the first of all on. */
  readonly counted: number;
}
export type Arrived =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'notice'; readonly durable: History }
  /** A chunk whose envelope names another place; in units. */
  | { readonly kind: 'gap'; readonly expected: number; readonly found: number };

export interface Disk {
  readonly identity: 'absent' | 'ours';
  /** Where the WAL of this node begins: with history, or at the cut of its snapshot. */
  readonly origin: History;
  /** The units in the segment files, from `origin` on. */
  readonly wal: readonly Unit[];
  /** So many of them were synced; a power cut may take the others. */
  readonly synced: number;
  /** A last write that is not whole stands behind them. */
  readonly isTorn: boolean;
  readonly index: Index;
  readonly base: SnapshotFile | null;
  readonly incoming: SnapshotFile | null;
  /** A file that was to become another one, and did not. */
  readonly hasTemporary: boolean;
  readonly halt: HaltReason | null;
}
export interface Index {
  /** The history that its entries come of; `x` stands for what no primary wrote. */
  readonly holds: History;
  readonly checkpoint: { readonly at: History; readonly snapshotCut: number } | null;
}
export interface SnapshotFile {
  readonly cut: History;
  /** The history that its state comes of. */
  readonly holds: History;
  readonly isDamaged: boolean;
}

export interface Memory {
  /** Units between socket and disk. */
  readonly batch: readonly Unit[];
  /** Proven batches in order: what the applier takes up next. */
  readonly desk: readonly { readonly from: History; readonly units: readonly Unit[] }[];
}

export interface World {
  readonly primary: Primary;
  readonly network: Network;
  readonly disk: Disk;
  readonly memory: Memory;
  /** Effects under way to which the chart no longer listens, because another region halted or somebody stopped the node. */
  readonly unheard: readonly Running[];
  /** How many faults and crashes may still happen. */
  readonly faults: number;
  readonly crashes: number;
}

export interface ProductBound {
  /** Units of the primary's WAL: commits, and one seal at most; it has one more for the seal of a snapshot. */
  readonly units: number;
  readonly faults: number;
  readonly crashes: number;
}

export const EMPTY_MEMORY: Memory = { batch: [], desk: [] };
export const NO_STREAM: Network = { sent: null, arrived: [], counted: 0 };
export const EMPTY_INDEX: Index = { holds: '', checkpoint: null };

export function worldOf({ faults, crashes }: ProductBound): World {
  return {
    primary: { wal: '', pending: null, isUp: true, snapshot: null, prunedTo: 0, written: [''] },
    network: NO_STREAM,
    disk: {
      identity: 'absent',
      origin: '',
      wal: [],
      synced: 0,
      isTorn: false,
      index: EMPTY_INDEX,
      base: null,
      incoming: null,
      hasTemporary: false,
      halt: null,
    },
    memory: EMPTY_MEMORY,
    unheard: [],
    faults,
    crashes,
  };
}

export const withPrimary = (world: World, change: Partial<Primary>): World => ({
  ...world,
  primary: { ...world.primary, ...change },
});
export const withNetwork = (world: World, change: Partial<Network>): World => ({
  ...world,
  network: { ...world.network, ...change },
});
export const withDisk = (world: World, change: Partial<Disk>): World => ({
  ...world,
  disk: { ...world.disk, ...change },
});
export const withMemory = (world: World, change: Partial<Memory>): World => ({
  ...world,
  memory: { ...world.memory, ...change },
});
/** The world after one of the faults that it may have. */
export const faulted = (world: World): World => ({ ...world, faults: world.faults - 1 });

/** A process has ended: nothing of it is left but what is on disk. */
export const withoutProcess = (world: World): World => ({
  ...world,
  memory: EMPTY_MEMORY,
  network: NO_STREAM,
  unheard: [],
});
