import { ReplichartError } from '../../core/errors.ts';
import { ArrayRows } from './array-rows.ts';
import { NdjsonRows } from './ndjson-rows.ts';
import type { Row, RowReader } from './row.ts';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const NEWLINE = 0x0a;
const BLANKS = new Set([0x09, NEWLINE, 0x0d, 0x20]);
const ARRAY_BEGINS = '['.charCodeAt(0);

/**
 * The rows of a JSON array or of NDJSON; the first byte that is no blank tells which. They come in the groups that the
 * chunks of the input make. Memory does not grow with the input.
 *
 * @throws ReplichartError `IMPORT_INVALID` at the first row that is none; the rows before it have come out then.
 */
export async function* rowsOf(input: AsyncIterable<Buffer>): AsyncGenerator<Iterable<Row>> {
  let reader: RowReader | null = null;
  let line = 1;
  for await (const chunk of withoutMark(readable(input))) {
    if (reader !== null) {
      yield reader.read(chunk);
      continue;
    }
    const start = chunk.findIndex((byte) => !BLANKS.has(byte));
    for (const byte of start === -1 ? chunk : chunk.subarray(0, start)) if (byte === NEWLINE) line += 1;
    if (start === -1) continue;
    reader = chunk[start] === ARRAY_BEGINS ? new ArrayRows(line) : new NdjsonRows(line);
    yield reader.read(chunk.subarray(start));
  }
  if (reader !== null) yield reader.end();
}

async function* readable(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* input;
  } catch (error) {
    throw new ReplichartError('IMPORT_INVALID', `the input cannot be read: ${String(error)}`, {
      evidence: { error: (error as NodeJS.ErrnoException).code ?? null },
      cause: error,
    });
  }
}

/** Some programs write a byte order mark before everything else; it is no part of the data. */
async function* withoutMark(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stripped = (bytes: Buffer) =>
    bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
      ? bytes.subarray(BYTE_ORDER_MARK.length)
      : bytes;
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of input) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < BYTE_ORDER_MARK.length) continue;
    yield stripped(head);
    head = null;
  }
  if (head !== null) yield stripped(head);
}
