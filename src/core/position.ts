import { hex } from './bytes.ts';

/**
 * A point in history. `commitId` is the last commit before the point (0: none), `lsn` the byte offset in the logical
 * WAL stream, `historyHash` (hex) the SHA-256 that binds everything before it.
 */
export interface Position {
  readonly commitId: number;
  readonly lsn: number;
  readonly historyHash: string;
}

/** The history hash before the first frame ever: 32 zero bytes. */
export const GENESIS_HASH: string = hex(new Uint8Array(32));

/** The point before everything. */
export const GENESIS: Position = Object.freeze({ commitId: 0, lsn: 0, historyHash: GENESIS_HASH });

export function samePosition(left: Position, right: Position): boolean {
  return left.commitId === right.commitId && left.lsn === right.lsn && left.historyHash === right.historyHash;
}

/** A position as other programs read it (DESIGN 1). */
export function positionToJson(position: Position) {
  return { commit_id: position.commitId, lsn: position.lsn, history_hash: position.historyHash };
}

/** The position alone, of anything that has one. */
export function positionOf({ commitId, lsn, historyHash }: Position): Position {
  return { commitId, lsn, historyHash };
}
