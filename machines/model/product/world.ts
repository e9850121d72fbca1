/**
 * Everything around a replica that the chart only hears of: a primary with its history, a network between the two, and the
 * replica's disk and memory. Small enough to be gone through whole, and honest about what a crash leaves.
 */
import type { Position } from '../../../src/core/position.ts';
import type { RuleId } from '../../../src/core/checks/check.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { positionAfter, type WrongUnit } from '../history.ts';

/** One unit of WAL, wherever it is. */
export interface Unit {
  /** Its place in history, from 1 on. */
  readonly number: number;
  /** Which primary wrote it: 0, or 1 for one that took up an older state and went on differently. */
  readonly history: History;
  /** What is wrong with its bytes. */
  readonly wrong: WrongUnit | null;
}
export type History = 0 | 1;

/** A second history has the first unit in common with the first history. */
export const COMMON_UNITS = 1;

export interface Primary {
  readonly history: History;
  /** Units that are durable, and with that history. */
  readonly durable: number;
  /** A commit that is written and not synced: it may be lost, and nobody may have seen it. */
  readonly pending: boolean;
  readonly isUp: boolean;
  /** Where the newest snapshot was cut; 0: there is none. */
  readonly snapshot: number;
  /** What is wrong with the snapshot. */
  readonly snapshotFault: SnapshotFault | null;
  /** WAL before this unit is gone. */
  readonly prunedTo: number;
  /** How far each history ever came durably: what no primary ever wrote, no replica may hold. */
  readonly written: readonly [number, number];
}
export type SnapshotFault =
  'a damaged manifest' | 'of another cluster' | 'a damaged block' | 'of another state';

export interface Network {
  /** The stream, if one is open: the number of the unit that comes next. */
  readonly next: number | null;
  /** What has arrived and was not taken yet. */
  readonly arrived: Arrived | null;
}
export type Arrived =
  | { readonly kind: 'unit'; readonly unit: Unit; readonly expected: number }
  | { readonly kind: 'notice' }
  | { readonly kind: 'gap' };

export interface Disk {
  readonly identity: 'absent' | 'ours';
  /** Units in the segment files, the first being `walFrom + 1`; all of them durable but where a crash tore the last one. */
  readonly wal: readonly Unit[];
  readonly walFrom: number;
  /** A last write that is not whole. */
  readonly torn: boolean;
  /** What the index holds, and its checkpoint; `null` before there is one. Both change in one atomic batch. */
  readonly index: { readonly units: readonly Unit[]; readonly checkpoint: Checkpointed } | null;
  readonly base: number | null;
  readonly incoming: boolean;
  readonly halt: RuleId | ErrorCode | null;
}
interface Checkpointed {
  readonly units: number;
  readonly history: History;
  readonly snapshotCut: number;
}

export interface Memory {
  /** Units between socket and disk. */
  readonly batch: readonly Unit[];
  /** Proven batches in order: what the applier takes up next. */
  readonly desk: readonly { readonly from: Position; readonly units: readonly Unit[] }[];
}

export interface World {
  readonly primary: Primary;
  readonly network: Network;
  readonly disk: Disk;
  readonly memory: Memory;
  /** How many faults and crashes may still happen. */
  readonly faults: number;
  readonly crashes: number;
  /** Something happened to the primary that no replica can mend by itself: another history, pruned WAL, a bad snapshot. */
  readonly isDoomed: boolean;
}

export interface ProductBound {
  readonly units: number;
  readonly faults: number;
  readonly crashes: number;
}

export const EMPTY_MEMORY: Memory = { batch: [], desk: [] };
export const NO_STREAM: Network = { next: null, arrived: null };

export function worldOf({ faults, crashes }: ProductBound): World {
  return {
    primary: {
      history: 0,
      durable: 0,
      pending: false,
      isUp: true,
      snapshot: 0,
      snapshotFault: null,
      prunedTo: 0,
      written: [0, 0],
    },
    network: NO_STREAM,
    disk: {
      identity: 'absent',
      wal: [],
      walFrom: 0,
      torn: false,
      index: null,
      base: null,
      incoming: false,
      halt: null,
    },
    memory: EMPTY_MEMORY,
    faults,
    crashes,
    isDoomed: false,
  };
}

/** The good unit of a primary at a place. */
export function unitAt(number: number, history: History): Unit {
  return { number, history: number <= COMMON_UNITS ? 0 : history, wrong: null };
}

/** The position behind so many units of a history. */
export function positionIn(units: number, history: History): Position {
  return positionAfter(units, units <= COMMON_UNITS ? 0 : history);
}

/** Whether a position is one of the primary's. */
export function isOf({ history, durable }: Primary, { lsn, historyHash }: Position): boolean {
  for (let units = 0; units <= durable; units += 1) {
    const own = positionIn(units, history);
    if (own.lsn === lsn) return own.historyHash === historyHash;
  }
  return false;
}

/** Whether the replica may never catch up: the primary's fault, or its own WAL is rotten below what is applied. */
export function isDoomed({ isDoomed: byPrimary, disk: { wal, index } }: World): boolean {
  return (
    byPrimary || wal.some(({ wrong, number }) => wrong !== null && number <= (index?.checkpoint.units ?? 0))
  );
}
