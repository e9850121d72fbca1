/**
 * History in the product, written out: one letter for each unit of WAL, from the first on. Units are the same exactly where
 * everything up to them is, so that a unit is named by the history up to and including it.
 */
import { GENESIS, type Position } from '../../../src/core/position.ts';
import { genesisChain, type ChainState } from '../../../src/core/wal/chain.ts';
import type { Checkpoint } from '../../../src/core/storage/checkpoint.ts';
import { CLUSTER, UNIT_BYTES, type WrongUnit } from '../history.ts';

/** `c`: a commit; `s`: the seal of a segment; `d`: a commit of a primary that took up an older state and went on differently. */
export type History = string;
export type Letter = 'c' | 's' | 'd';

/** One unit of WAL, wherever it is. */
export interface Unit {
  /** What it says that it ends. */
  readonly upTo: History;
  /** What is wrong with its bytes. */
  readonly wrong: WrongUnit | null;
}

/** The hash is the history itself, in digits: no two histories have one in common. */
const DIGITS: Readonly<Record<string, string>> = { c: '1', s: '2', d: '3' };
const LETTERS: Readonly<Record<string, string>> = { 1: 'c', 2: 's', 3: 'd' };

/** The position behind a history. */
export function endOf(history: History): Position {
  if (history === '') return GENESIS;
  const hash = [...history].map((letter) => DIGITS[letter] ?? '').join('');
  return {
    commitId: commitsOf(history),
    lsn: lsnOf(history),
    historyHash: hash.padStart(64, 'f'),
  };
}

/** The history that ends at a position; `null` where nothing in this world can have made that position. */
export function historyOf(position: Position): History | null {
  const { lsn, historyHash } = position;
  if (lsn === 0) return historyHash === GENESIS.historyHash ? '' : null;
  const digits = historyHash.replace(/^f*/, '');
  const history = [...digits].map((digit) => LETTERS[digit] ?? '?').join('');
  return lsnOf(history) === lsn && commitsOf(history) === position.commitId ? history : null;
}

export function lsnOf(history: History): number {
  return history.length * UNIT_BYTES;
}

function commitsOf(history: History): number {
  return history.replaceAll('s', '').length;
}

/** Which segment WAL behind this history stands in: a seal ends one. */
function segmentIndexOf(history: History): number {
  return history.length - history.replaceAll('s', '').length;
}

/** Where the segment begins that ends with this history, or holds its last unit. */
export function segmentStart(history: History): number {
  return history.slice(0, -1).lastIndexOf('s') + 1;
}

export function chainOf(history: History): ChainState {
  const isAtASegment = history === '' || history.endsWith('s');
  return {
    ...genesisChain(CLUSTER),
    ...endOf(history),
    segmentIndex: segmentIndexOf(history),
    segmentStartLsn: (history.lastIndexOf('s') + 1) * UNIT_BYTES,
    expects: isAtASegment ? 'segment header' : 'frame',
  };
}

export function checkpointOf(history: History, snapshotCut: number): Checkpoint {
  return { ...endOf(history), segmentIndex: segmentIndexOf(history), snapshotCut };
}

/** Everything that is wrong with a unit behind a history; the first in the order of the proofs. */
export function wrongBehind(history: History, { upTo, wrong }: Unit): WrongUnit | null {
  if (wrong !== null) return wrong;
  if (upTo.length !== history.length + 1) return 'at another place';
  return upTo.startsWith(history) ? null : 'of another history';
}

/** How far units are good WAL behind a history, and what is wrong with the first that is not. */
export function proofOf(from: History, units: readonly Unit[]): { to: History; wrong: WrongUnit | null } {
  let to = from;
  for (const unit of units) {
    const wrong = wrongBehind(to, unit);
    if (wrong !== null) return { to, wrong };
    to = unit.upTo;
  }
  return { to, wrong: null };
}

export function goodUnits(history: History, from = 0): Unit[] {
  return Array.from({ length: history.length - from }, (_, index) => ({
    upTo: history.slice(0, from + index + 1),
    wrong: null,
  }));
}
