import { crc32c, hex, readSafeU64, uuidFromBytes, uuidToBytes, writeU64 } from '../bytes.ts';
import { FORMAT_VERSION } from '../limits.ts';
import type { Position } from '../position.ts';

export const BASE_HEADER_BYTES = 128;
export const BASE_BLOCK_HEADER_BYTES = 24;
export const BASE_FOOTER_BYTES = 80;
/** A block is closed by the entry that takes it to this size or beyond. */
export const BASE_BLOCK_BYTES_TARGET = 1024 * 1024;
/** No block is larger: one entry of the largest size on top of the target. */
export const BASE_BLOCK_BYTES_MAX = 6 * 1024 * 1024;
/** Before every operation record of a base file stands its commit id. */
export const BASE_ENTRY_PREFIX_BYTES = 8;

const HEADER_MAGIC = Buffer.from('RPLCBAS1', 'latin1');
const BLOCK_MAGIC = Buffer.from('RBB1', 'latin1');
const FOOTER_MAGIC = Buffer.from('RPLCBEN1', 'latin1');

/** The cut that a snapshot is of: the position, and the index of the segment that begins there. */
export interface SnapshotCut extends Position {
  readonly segmentIndex: number;
}

export function cutToJson({ commitId, lsn, historyHash, segmentIndex }: SnapshotCut) {
  return { commit_id: commitId, lsn, history_hash: historyHash, segment_index: segmentIndex };
}

export interface BaseHeader {
  readonly clusterId: string;
  readonly cut: SnapshotCut;
}

/** magic (8) · header bytes u32 · format version u32 · cluster id (16) · cut commit id u64 · cut LSN u64 · history hash (32) · segment index u64 · zero (36) · CRC32C u32 */
export function encodeBaseHeader({ clusterId, cut }: BaseHeader): Buffer {
  const bytes = Buffer.alloc(BASE_HEADER_BYTES);
  HEADER_MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(BASE_HEADER_BYTES, 8);
  bytes.writeUInt32LE(FORMAT_VERSION, 12);
  uuidToBytes(clusterId).copy(bytes, 16);
  writeU64(bytes, cut.commitId, 32);
  writeU64(bytes, cut.lsn, 40);
  Buffer.from(cut.historyHash, 'hex').copy(bytes, 48);
  writeU64(bytes, cut.segmentIndex, 80);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 124)), 124);
  return bytes;
}

/** `null` for bytes that are no header as it was written. */
export function decodeBaseHeader(bytes: Buffer): BaseHeader | null {
  if (bytes.length !== BASE_HEADER_BYTES || !bytes.subarray(0, 8).equals(HEADER_MAGIC)) return null;
  if (bytes.readUInt32LE(8) !== BASE_HEADER_BYTES || bytes.readUInt32LE(12) !== FORMAT_VERSION) return null;
  if (bytes.readUInt32LE(124) !== crc32c(bytes.subarray(0, 124))) return null;
  const commitId = readSafeU64(bytes, 32);
  const lsn = readSafeU64(bytes, 40);
  const segmentIndex = readSafeU64(bytes, 80);
  if (commitId === null || lsn === null || segmentIndex === null) return null;
  return {
    clusterId: uuidFromBytes(bytes.subarray(16, 32)),
    cut: { commitId, lsn, historyHash: hex(bytes.subarray(48, 80)), segmentIndex },
  };
}

/** magic u32 · block bytes u32 · block index u32 · version count u32 · zero u32 · CRC32C u32 over the 20 bytes before it and the entries */
export function encodeBlock(index: number, versions: number, entries: readonly Buffer[]): Buffer {
  const block = Buffer.concat([Buffer.alloc(BASE_BLOCK_HEADER_BYTES), ...entries]);
  BLOCK_MAGIC.copy(block, 0);
  block.writeUInt32LE(block.length, 4);
  block.writeUInt32LE(index, 8);
  block.writeUInt32LE(versions, 12);
  block.writeUInt32LE(blockCrc(block), 20);
  return block;
}

export function blockCrc(block: Buffer): number {
  return crc32c(block.subarray(0, 20), block.subarray(BASE_BLOCK_HEADER_BYTES));
}

export interface BlockHeader {
  readonly bytes: number;
  readonly index: number;
  readonly versions: number;
  readonly crc: number;
}

/** `null` where the bytes do not begin a block at all. */
export function readBlockHeader(bytes: Buffer): BlockHeader | null {
  if (bytes.length < BASE_BLOCK_HEADER_BYTES || !bytes.subarray(0, 4).equals(BLOCK_MAGIC)) return null;
  const size = bytes.readUInt32LE(4);
  if (size < BASE_BLOCK_HEADER_BYTES || size > BASE_BLOCK_BYTES_MAX || bytes.readUInt32LE(16) !== 0)
    return null;
  return {
    bytes: size,
    index: bytes.readUInt32LE(8),
    versions: bytes.readUInt32LE(12),
    crc: bytes.readUInt32LE(20),
  };
}

export interface BaseFooter {
  readonly blocks: number;
  readonly versions: number;
  readonly keys: number;
  /** Of the whole file, the footer included. */
  readonly fileBytes: number;
  readonly stateDigest: string;
}

/** magic (8) · footer bytes u32 · block count u32 · version count u64 · key count u64 · file bytes u64 · state digest (32) · zero u32 · CRC32C u32 */
export function encodeBaseFooter(footer: BaseFooter): Buffer {
  const bytes = Buffer.alloc(BASE_FOOTER_BYTES);
  FOOTER_MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(BASE_FOOTER_BYTES, 8);
  bytes.writeUInt32LE(footer.blocks, 12);
  writeU64(bytes, footer.versions, 16);
  writeU64(bytes, footer.keys, 24);
  writeU64(bytes, footer.fileBytes, 32);
  Buffer.from(footer.stateDigest, 'hex').copy(bytes, 40);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 76)), 76);
  return bytes;
}

export function isFooter(bytes: Buffer): boolean {
  return bytes.subarray(0, 8).equals(FOOTER_MAGIC);
}

/** `null` for bytes that are no footer as it was written. */
export function decodeBaseFooter(bytes: Buffer): BaseFooter | null {
  if (bytes.length !== BASE_FOOTER_BYTES || !isFooter(bytes)) return null;
  if (bytes.readUInt32LE(8) !== BASE_FOOTER_BYTES || bytes.readUInt32LE(72) !== 0) return null;
  if (bytes.readUInt32LE(76) !== crc32c(bytes.subarray(0, 76))) return null;
  const versions = readSafeU64(bytes, 16);
  const keys = readSafeU64(bytes, 24);
  const fileBytes = readSafeU64(bytes, 32);
  if (versions === null || keys === null || fileBytes === null) return null;
  return {
    blocks: bytes.readUInt32LE(12),
    versions,
    keys,
    fileBytes,
    stateDigest: hex(bytes.subarray(40, 72)),
  };
}
