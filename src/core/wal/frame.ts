import { crc32c, hex, readSafeU64, sha256, writeU64 } from '../bytes.ts';
import { assertThat } from '../errors.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from '../limits.ts';
import { writeCommit, type PreparedCommit } from './operation.ts';

const MAGIC = Buffer.from('RWF1', 'latin1');

export const FRAME_MAGIC = MAGIC.toString('latin1');
export const FRAME_KIND = { commits: 1, seal: 2, cut: 3 } as const;
export type FrameKind = keyof typeof FRAME_KIND;

/** What a frame header says of itself. A 64-bit field that is no safe integer is read as NaN, which equals nothing. */
export interface FrameHeader {
  readonly magic: string;
  readonly frameBytes: number;
  readonly ownLsn: number;
  readonly firstCommitId: number;
  readonly commitCount: number;
  readonly kind: number;
  readonly previousHash: string;
  readonly crcStored: number;
  readonly reserved: number;
}

export interface FrameContent {
  readonly lsn: number;
  readonly kind: FrameKind;
  /** The first commit id of the frame; of a seal or a cut, the next one to be assigned. */
  readonly firstCommitId: number;
  readonly previousHash: string;
  readonly commits: readonly PreparedCommit[];
}

export interface EncodedFrame {
  readonly bytes: Buffer;
  readonly historyHash: string;
}

export function encodeFrame(content: FrameContent): EncodedFrame {
  let size = FRAME_HEADER_BYTES;
  for (const commit of content.commits) size += commit.bytes;
  assertThat(size <= FRAME_BYTES_MAX, 'a frame takes at most 4 MiB');
  const frame = Buffer.allocUnsafe(size);
  MAGIC.copy(frame, 0);
  frame.writeUInt32LE(size, 4);
  writeU64(frame, content.lsn, 8);
  writeU64(frame, content.firstCommitId, 16);
  frame.writeUInt32LE(content.commits.length, 24);
  frame.writeUInt32LE(FRAME_KIND[content.kind], 28);
  Buffer.from(content.previousHash, 'hex').copy(frame, 32);
  frame.writeUInt32LE(0, 68);
  let offset = FRAME_HEADER_BYTES;
  for (const [index, commit] of content.commits.entries())
    offset = writeCommit(frame, offset, content.firstCommitId + index, commit);
  frame.writeUInt32LE(frameCrc(frame), 64);
  return { bytes: frame, historyHash: hex(sha256(frame)) };
}

/** CRC32C over the header before the checksum field, and the payload. */
export function frameCrc(frame: Buffer): number {
  return crc32c(frame.subarray(0, 64), frame.subarray(FRAME_HEADER_BYTES));
}

/** Reads the fields of a header from 72 bytes at `offset`; judges nothing. */
export function readFrameHeader(buffer: Buffer, offset = 0): FrameHeader {
  return {
    magic: buffer.toString('latin1', offset, offset + 4),
    frameBytes: buffer.readUInt32LE(offset + 4),
    ownLsn: readSafeU64(buffer, offset + 8) ?? Number.NaN,
    firstCommitId: readSafeU64(buffer, offset + 16) ?? Number.NaN,
    commitCount: buffer.readUInt32LE(offset + 24),
    kind: buffer.readUInt32LE(offset + 28),
    previousHash: hex(buffer.subarray(offset + 32, offset + 64)),
    crcStored: buffer.readUInt32LE(offset + 64),
    reserved: buffer.readUInt32LE(offset + 68),
  };
}
