import type { FileHandle } from '../file-system.ts';
import { maskedCrc } from './format.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Kinds of a piece: a whole record, or the first, a middle and the last piece of one that crosses blocks. */
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;

export interface LogRecord {
  /** Where its first piece begins in the file, and where its last one ends. */
  readonly byte: number;
  readonly end: number;
  /** The beginning of the record, or all of it where it is shorter than was asked for. */
  readonly head: Buffer;
}

/**
 * The records of a manifest, as LevelDB takes them up: what it cannot read it leaves out, up to the next block, and goes on there.
 */
export async function* logRecords(handle: FileHandle): AsyncGenerator<LogRecord> {
  let begun: Begun | null = null;
  for await (const piece of piecesOf(handle)) {
    if (piece.kind === null) begun = null;
    else if (piece.kind === WHOLE || piece.kind === FIRST) begun = new Begun(piece, Infinity);
    else begun?.add(piece);
    if (begun === null || (piece.kind !== WHOLE && piece.kind !== LAST)) continue;
    yield begun.record(piece);
    begun = null;
  }
}

/** The records of a log up to the first place where it is not whole, each with its first `headBytes` bytes. */
export async function* wholeRecords(handle: FileHandle, headBytes: number): AsyncGenerator<LogRecord> {
  let begun: Begun | null = null;
  for await (const piece of piecesOf(handle)) {
    const begins = piece.kind === WHOLE || piece.kind === FIRST;
    if (piece.kind === null || begins !== (begun === null)) return;
    if (begun === null) begun = new Begun(piece, headBytes);
    else begun.add(piece);
    if (piece.kind !== WHOLE && piece.kind !== LAST) continue;
    yield begun.record(piece);
    begun = null;
  }
}

/** A record whose first piece was read. */
class Begun {
  readonly #byte: number;
  readonly #parts: Buffer[] = [];
  #missing: number;

  constructor(first: Piece, headBytes: number) {
    this.#byte = first.byte;
    this.#missing = headBytes;
    this.add(first);
  }

  add({ body }: Piece): void {
    // A copy: the block that it lies in is read over.
    const kept = Buffer.from(body.subarray(0, this.#missing));
    this.#parts.push(kept);
    this.#missing -= kept.length;
  }

  record(last: Piece): LogRecord {
    return { byte: this.#byte, end: last.end, head: Buffer.concat(this.#parts) };
  }
}

interface Piece {
  readonly byte: number;
  readonly end: number;
  /** `null`: from here on nothing of its block can be read. */
  readonly kind: number | null;
  readonly body: Buffer;
}

/** Holds one block of the file. */
async function* piecesOf(handle: FileHandle): AsyncGenerator<Piece> {
  const buffer = Buffer.alloc(BLOCK_BYTES);
  for (let start = 0; ; start += BLOCK_BYTES) {
    const block = buffer.subarray(0, await handle.read(buffer, start));
    // What is shorter than a header at the end of a full block is filling.
    for (let at = 0; at + HEADER_BYTES <= block.length;) {
      const end = at + HEADER_BYTES + block.readUInt16LE(at + 4);
      const kind = block[at + 6] as number;
      const isRead =
        kind >= WHOLE &&
        kind <= LAST &&
        end <= block.length &&
        block.readUInt32LE(at) === maskedCrc(block.subarray(at + 6, end));
      const body = block.subarray(at + HEADER_BYTES, end);
      yield { byte: start + at, end: start + end, kind: isRead ? kind : null, body };
      if (!isRead) break;
      at = end;
    }
    if (block.length < BLOCK_BYTES) return;
  }
}
