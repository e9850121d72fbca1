import { isUtf8 } from 'node:buffer';
import { badRow, objectOf, ROW_BYTES_MAX, tooLong, type Row, type RowReader } from './row.ts';

const NEWLINE = 0x0a;
const BLANK = /^[\t\r ]*$/;

/** Rows of NDJSON: one object a line; blank lines are passed over. */
export class NdjsonRows implements RowReader {
  #line: number;
  #rows = 0;
  /** The beginning of a line whose end is not here yet. */
  #held: Buffer = Buffer.alloc(0);

  constructor(firstLine: number) {
    this.#line = firstLine;
  }

  *read(chunk: Buffer): Generator<Row> {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let from = 0;
    let newline = bytes.indexOf(NEWLINE, this.#held.length);
    while (newline !== -1) {
      yield* this.#rowOf(bytes.subarray(from, newline));
      this.#line += 1;
      from = newline + 1;
      newline = bytes.indexOf(NEWLINE, from);
    }
    this.#held = bytes.subarray(from);
    if (this.#held.length > ROW_BYTES_MAX) throw tooLong(this.#line, this.#rows + 1);
  }

  *end(): Generator<Row> {
    yield* this.#rowOf(this.#held);
  }

  *#rowOf(bytes: Buffer): Generator<Row> {
    const [line, number] = [this.#line, this.#rows + 1];
    if (!isUtf8(bytes)) throw badRow(line, number, 'the line is not valid UTF-8');
    const text = bytes.toString('utf8');
    if (BLANK.test(text)) return;
    const value = objectOf(parsed(text, line, number), line, number);
    this.#rows = number;
    yield { number, line, text, bytes: bytes.length, value };
  }
}

function parsed(text: string, line: number, number: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRow(line, number, `malformed JSON: ${(error as Error).message}`, error);
  }
}
