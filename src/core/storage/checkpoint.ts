import { crc32c, hex, readSafeU64, writeU64 } from '../bytes.ts';
import { GENESIS, type Position } from '../position.ts';
import type { BaseSlot } from './index-entry.ts';

/** How far the index has come; stored in the same atomic batch as the entries it speaks of. */
export interface Checkpoint extends Position {
  /** Index of the segment that holds what comes next. */
  readonly segmentIndex: number;
  /** Commit id of the snapshot cut that the node's base file holds; 0: no base file. */
  readonly snapshotCut: number;
}

export const GENESIS_CHECKPOINT: Checkpoint = Object.freeze({
  ...GENESIS,
  segmentIndex: 0,
  snapshotCut: 0,
});

const MAGIC = Buffer.from('RPLCKPT1', 'latin1');
const BYTES = 80;

/** A checkpoint as it is stored: it also says in which slot the entries name the node's base file. */
export interface StoredCheckpoint extends Checkpoint {
  readonly baseSlot: BaseSlot;
}

/** magic (8) · commit id u64 · LSN u64 · history hash (32) · segment index u64 · snapshot cut u64 · base slot u32 · CRC32C u32 */
export function encodeCheckpoint(checkpoint: StoredCheckpoint): Buffer {
  const bytes = Buffer.alloc(BYTES);
  MAGIC.copy(bytes, 0);
  writeU64(bytes, checkpoint.commitId, 8);
  writeU64(bytes, checkpoint.lsn, 16);
  Buffer.from(checkpoint.historyHash, 'hex').copy(bytes, 24);
  writeU64(bytes, checkpoint.segmentIndex, 56);
  writeU64(bytes, checkpoint.snapshotCut, 64);
  bytes.writeUInt32LE(checkpoint.baseSlot, 72);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 76)), 76);
  return bytes;
}

/** `null` for bytes that are no checkpoint as it was written. */
export function decodeCheckpoint(bytes: Buffer): StoredCheckpoint | null {
  if (bytes.length !== BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return null;
  if (bytes.readUInt32LE(76) !== crc32c(bytes.subarray(0, 76))) return null;
  const baseSlot = bytes.readUInt32LE(72);
  if (baseSlot !== 0 && baseSlot !== 1) return null;
  const commitId = readSafeU64(bytes, 8);
  const lsn = readSafeU64(bytes, 16);
  const segmentIndex = readSafeU64(bytes, 56);
  const snapshotCut = readSafeU64(bytes, 64);
  if (commitId === null || lsn === null || segmentIndex === null || snapshotCut === null) return null;
  const historyHash = hex(bytes.subarray(24, 56));
  return { commitId, lsn, historyHash, segmentIndex, snapshotCut, baseSlot };
}
