import { crc32c, hex, readSafeU64, uuidFromBytes, uuidToBytes, writeU64 } from '../bytes.ts';
import { FORMAT_VERSION, SEGMENT_HEADER_BYTES } from '../limits.ts';

const MAGIC = Buffer.from('RPLCHRT1', 'latin1');

/** What a segment header says of itself. A 64-bit field that is no safe integer is read as NaN, which equals nothing. */
export interface SegmentHeader {
  readonly magic: string;
  readonly headerBytes: number;
  readonly formatVersion: number;
  readonly clusterId: string;
  readonly segmentIndex: number;
  readonly startLsn: number;
  readonly firstCommitId: number;
  readonly historyHash: string;
  readonly reserved: number;
  readonly crcStored: number;
  readonly crcComputed: number;
}

export const SEGMENT_MAGIC = MAGIC.toString('latin1');

export function encodeSegmentHeader(
  header: Pick<SegmentHeader, 'clusterId' | 'segmentIndex' | 'startLsn' | 'firstCommitId' | 'historyHash'>,
): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(SEGMENT_HEADER_BYTES, 8);
  bytes.writeUInt32LE(FORMAT_VERSION, 12);
  uuidToBytes(header.clusterId).copy(bytes, 16);
  writeU64(bytes, header.segmentIndex, 32);
  writeU64(bytes, header.startLsn, 40);
  writeU64(bytes, header.firstCommitId, 48);
  Buffer.from(header.historyHash, 'hex').copy(bytes, 56);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 92)), 92);
  return bytes;
}

/** Reads the fields of a header from 96 bytes at `offset`; judges nothing. */
export function readSegmentHeader(buffer: Buffer, offset = 0): SegmentHeader {
  const bytes = buffer.subarray(offset, offset + SEGMENT_HEADER_BYTES);
  return {
    magic: bytes.toString('latin1', 0, 8),
    headerBytes: bytes.readUInt32LE(8),
    formatVersion: bytes.readUInt32LE(12),
    clusterId: uuidFromBytes(bytes.subarray(16, 32)),
    segmentIndex: readSafeU64(bytes, 32) ?? Number.NaN,
    startLsn: readSafeU64(bytes, 40) ?? Number.NaN,
    firstCommitId: readSafeU64(bytes, 48) ?? Number.NaN,
    historyHash: hex(bytes.subarray(56, 88)),
    reserved: bytes.readUInt32LE(88),
    crcStored: bytes.readUInt32LE(92),
    crcComputed: crc32c(bytes.subarray(0, 92)),
  };
}

/** The file name of the segment that starts at an LSN. */
export function segmentFileName(startLsn: number): string {
  return `${String(startLsn).padStart(20, '0')}.wal`;
}

/** The start LSN that a file name says, or `null` for a name that is no segment's. */
export function segmentStartLsn(fileName: string): number | null {
  if (!/^\d{20}\.wal$/.test(fileName)) return null;
  const lsn = Number(fileName.slice(0, 20));
  return Number.isSafeInteger(lsn) ? lsn : null;
}
