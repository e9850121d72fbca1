import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { badRow, objectOf, ROW_BYTES_MAX, tooLong, type Row, type RowReader } from './row.ts';

const NEWLINE = 0x0a;
/** Short strings are decoded out of one buffer, which is twice as fast as piece by piece. */
const STRING_BUFFER_BYTES = 64 * 1024;

/** Where a value of the array stands; offsets count from where the reader began. */
interface Found {
  readonly value: unknown;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Rows of one JSON array. The parser gets the bytes line by line, so that the line of whatever it finds or refuses is
 * known, in minified input and in pretty-printed input alike.
 */
export class ArrayRows implements RowReader {
  readonly #tokenizer = new Tokenizer({ stringBufferSize: STRING_BUFFER_BYTES });
  readonly #parser = new TokenParser({ paths: ['$.*'], keepStack: false });
  #line: number;
  #rows = 0;
  #depth = 0;
  /** Where the row that is open began. */
  #open: { readonly line: number; readonly start: number } | null = null;
  #tokenAt = 0;
  #found: Found[] = [];
  /** The bytes of the open row, and the offset of the first of them. */
  #held: Buffer = Buffer.alloc(0);
  #heldAt = 0;

  constructor(firstLine: number) {
    this.#line = firstLine;
    this.#tokenizer.onToken = (info) => {
      this.#tokenAt = info.offset;
      const { token } = info;
      if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) {
        if (this.#depth === 1) this.#open = { line: this.#line, start: info.offset };
        this.#depth += 1;
      } else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) {
        this.#depth -= 1;
      }
      this.#parser.write(info);
    };
    this.#parser.onValue = ({ value }) => {
      const { line, start } = this.#open ?? { line: this.#line, start: this.#tokenAt };
      this.#found.push({ value, line, start, end: this.#tokenAt + 1 });
      this.#open = null;
    };
  }

  *read(chunk: Buffer): Generator<Row> {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (let from = this.#held.length; from < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline === -1 ? bytes.length : newline + 1;
      const fault = this.#faultOf(() => this.#tokenizer.write(bytes.subarray(from, to)));
      for (const found of this.#found.splice(0)) yield this.#rowOf(found, bytes);
      if (fault !== null) throw this.#malformed(fault);
      if (newline !== -1) this.#line += 1;
      from = to;
    }
    const end = this.#heldAt + bytes.length;
    // A string in the place of a row is no token before it ends, and must not fill the memory either.
    if (end - (this.#open?.start ?? this.#tokenAt) > ROW_BYTES_MAX)
      throw tooLong(this.#open?.line ?? this.#line, this.#rows + 1);
    const keepFrom = this.#open?.start ?? end;
    this.#held = bytes.subarray(keepFrom - this.#heldAt);
    this.#heldAt = keepFrom;
  }

  end(): Iterable<Row> {
    if (!this.#parser.isEnded)
      throw badRow(this.#line, this.#rows + 1, 'malformed JSON: the input ends before the array is closed');
    const fault = this.#faultOf(() => this.#tokenizer.end());
    if (fault !== null) throw this.#malformed(fault);
    return [];
  }

  #rowOf({ value, line, start, end }: Found, bytes: Buffer): Row {
    const number = this.#rows + 1;
    const object = objectOf(value, line, number);
    const text = bytes.subarray(start - this.#heldAt, end - this.#heldAt);
    this.#rows = number;
    return { number, line, text: text.toString('utf8'), bytes: text.length, value: object };
  }

  #faultOf(step: () => void): Error | null {
    try {
      step();
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  #malformed(fault: Error): Error {
    // The parser counts from the pieces it was given, which says nothing about the file.
    const message = fault.message.replace(/ at chunk position "\d+" \(absolute position "\d+"\)/, '');
    const what = this.#parser.isEnded ? 'something follows the end of the array' : message;
    return badRow(this.#line, this.#rows + 1, `malformed JSON: ${what}`, fault);
  }
}
