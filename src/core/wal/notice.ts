import { crc32c, hex, readSafeU64, writeU64 } from '../bytes.ts';
import { SEGMENT_HEADER_BYTES } from '../limits.ts';
import type { Position } from '../position.ts';
import { isFrameSize } from './chain.ts';
import { FRAME_MAGIC } from './frame.ts';
import { SEGMENT_MAGIC } from './segment-header.ts';

const MAGIC = Buffer.from('RPN1', 'latin1');
export const NOTICE_BYTES = 64;

/**
 * A position notice: what the primary says on an idle stream to a follower that asked for it, between two units and
 * never part of the WAL. magic u32 · bytes u32 · commit id u64 · LSN u64 · history hash (32) · zero u32 · CRC32C u32.
 */
export function encodeNotice(position: Position): Buffer {
  const bytes = Buffer.alloc(NOTICE_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(NOTICE_BYTES, 4);
  writeU64(bytes, position.commitId, 8);
  writeU64(bytes, position.lsn, 16);
  Buffer.from(position.historyHash, 'hex').copy(bytes, 24);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** `null` for bytes that are no notice as it was written. */
export function decodeNotice(bytes: Buffer): Position | null {
  if (bytes.length !== NOTICE_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return null;
  if (bytes.readUInt32LE(4) !== NOTICE_BYTES || bytes.readUInt32LE(56) !== 0) return null;
  if (bytes.readUInt32LE(60) !== crc32c(bytes.subarray(0, 60))) return null;
  const commitId = readSafeU64(bytes, 8);
  const lsn = readSafeU64(bytes, 16);
  if (commitId === null || lsn === null) return null;
  return { commitId, lsn, historyHash: hex(bytes.subarray(24, 56)) };
}

/** Pieces of a stream: WAL as it is, and the notices between its units. */
export type StreamPiece =
  { readonly kind: 'wal'; readonly bytes: Buffer } | { readonly kind: 'notice'; readonly position: Position };

const HEAD_BYTES = 8;

/**
 * Takes the notices out of a stream of WAL. It follows the sizes that units name and judges nothing: from the first
 * thing that it cannot read on, everything is handed over as WAL, and the checks of the receiver say what is wrong.
 */
export class NoticeSplitter {
  /** Bytes of the current unit that are still to come. */
  #left = 0;
  #held: Buffer = Buffer.alloc(0);
  #lost = false;

  split(chunk: Buffer): StreamPiece[] {
    if (this.#lost) return [{ kind: 'wal', bytes: chunk }];
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    const pieces: StreamPiece[] = [];
    let walFrom = 0;
    let at = 0;
    const flush = () => {
      if (at > walFrom) pieces.push({ kind: 'wal', bytes: bytes.subarray(walFrom, at) });
      walFrom = at;
    };
    while (at < bytes.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const isNotice = bytes.subarray(at, at + 4).equals(MAGIC);
      const needed = isNotice ? NOTICE_BYTES : HEAD_BYTES;
      if (bytes.length - at < needed) break;
      if (isNotice) {
        const position = decodeNotice(bytes.subarray(at, at + NOTICE_BYTES));
        if (position !== null) {
          flush();
          pieces.push({ kind: 'notice', position });
          at += NOTICE_BYTES;
          walFrom = at;
          continue;
        }
      }
      const unit = unitBytesOf(bytes, at);
      if (unit === null) {
        this.#lost = true;
        at = bytes.length;
      } else {
        this.#left = unit;
      }
    }
    flush();
    // What is not told apart yet waits for the rest of its head.
    this.#held = Buffer.from(bytes.subarray(at));
    return pieces;
  }

  /** What was held back when the stream ended; it belongs to a unit that never came. */
  get held(): number {
    return this.#held.length;
  }
}

function unitBytesOf(bytes: Buffer, at: number): number | null {
  if (bytes.toString('latin1', at, at + HEAD_BYTES) === SEGMENT_MAGIC) return SEGMENT_HEADER_BYTES;
  const size = bytes.readUInt32LE(at + 4);
  return bytes.toString('latin1', at, at + 4) === FRAME_MAGIC && isFrameSize(size) ? size : null;
}
