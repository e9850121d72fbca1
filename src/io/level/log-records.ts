import type { FileHandle } from '../file-system.ts';
import { maskedCrc } from './format.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Kinds of a piece: a whole record, or the first, a middle and the last piece of one that crosses blocks. */
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;

export interface LogRecord {
  /** Where its first piece stands in the file. */
  readonly byte: number;
  /** The beginning of the record, or all of it where it is shorter than was asked for. */
  readonly head: Buffer;
}

/**
 * The records of a log or manifest, as LevelDB takes them up: what it cannot read it leaves out, up to the next block, and goes
 * on there. Holds one block of the file and `headBytes` of a record.
 */
export async function* logRecords(handle: FileHandle, headBytes = Infinity): AsyncGenerator<LogRecord> {
  let begun: { readonly byte: number; readonly parts: Buffer[]; bytes: number } | null = null;
  const buffer = Buffer.alloc(BLOCK_BYTES);
  for (let start = 0; ; start += BLOCK_BYTES) {
    const bytes = await handle.read(buffer, start);
    for (const { at, kind, body } of piecesOf(buffer.subarray(0, bytes))) {
      if (kind === null) {
        begun = null;
        continue;
      }
      if (kind === WHOLE || kind === FIRST) begun = { byte: start + at, parts: [], bytes: 0 };
      if (begun === null) continue;
      const kept = Buffer.from(body.subarray(0, headBytes - begun.bytes));
      begun.parts.push(kept);
      begun.bytes += kept.length;
      if (kind !== WHOLE && kind !== LAST) continue;
      yield { byte: begun.byte, head: Buffer.concat(begun.parts) };
      begun = null;
    }
    if (bytes < BLOCK_BYTES) return;
  }
}

interface Piece {
  readonly at: number;
  /** `null`: from here on nothing of the block can be read. */
  readonly kind: number | null;
  readonly body: Buffer;
}

function* piecesOf(block: Buffer): Generator<Piece> {
  // What is shorter than a header at the end of a full block is filling.
  for (let at = 0; at + HEADER_BYTES <= block.length;) {
    const end = at + HEADER_BYTES + block.readUInt16LE(at + 4);
    const kind = block[at + 6] as number;
    const isRead =
      kind >= WHOLE &&
      kind <= LAST &&
      end <= block.length &&
      block.readUInt32LE(at) === maskedCrc(block.subarray(at + 6, end));
    yield { at, kind: isRead ? kind : null, body: block.subarray(at + HEADER_BYTES, end) };
    if (!isRead) return;
    at = end;
  }
}
