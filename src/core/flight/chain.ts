/**
 * The lines of a journal: JSON, a blank, eight digits, a newline. The digits are the CRC32C of the JSON texts of all
 * lines of the run so far, this one included, so that a line is good only behind the line that it was written behind.
 */
import { crc32cAfter, hex32 } from '../bytes.ts';
import { FLIGHT_FORMAT_VERSION, FLIGHT_MAGIC, RECORD_TYPES, type FlightRecord } from './records.ts';

/** ` `, eight digits, `\n`. */
const SEAL_BYTES = 10;
const NO_SEAL = ' 00000000\n';

export type NumberedRecord = FlightRecord & { readonly n: number };

/** Where a chain of lines stands. */
export interface ChainEnd {
  /** The number of the last line; 0 before the first. */
  readonly n: number;
  readonly crc: number;
}

export const CHAIN_START: ChainEnd = { n: 0, crc: 0 };

/** The next line of a chain, and where the chain stands then. */
export function sealLine(
  end: ChainEnd,
  record: FlightRecord,
): { readonly line: Buffer; readonly end: ChainEnd } {
  const n = end.n + 1;
  const line = Buffer.from(JSON.stringify({ n, ...record }) + NO_SEAL);
  const crc = crc32cAfter(end.crc, line.subarray(0, line.length - SEAL_BYTES));
  line.write(hex32(crc), line.length - SEAL_BYTES + 1, 'latin1');
  return { line, end: { n, crc } };
}

export interface LineFault {
  readonly expected: string;
  readonly found: string;
}

export type OpenedLine =
  | { readonly kind: 'good'; readonly record: NumberedRecord; readonly end: ChainEnd }
  | ({ readonly kind: 'damaged' } & LineFault);

/**
 * Opens a line, newline included, behind what `end` says; with `null` it must be a header, which says itself behind what
 * it stands.
 */
export function openLine(end: ChainEnd | null, line: Uint8Array): OpenedLine {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const json = bytes.subarray(0, Math.max(0, bytes.length - SEAL_BYTES));
  const record = parse(json);
  const before = end ?? chainBefore(record);
  if (before === null) return damaged('a header that begins a file of the flight recorder', textOf(bytes));
  const crc = crc32cAfter(before.crc, json);
  const seal = ` ${hex32(crc)}\n`;
  const found = bytes.toString('latin1', json.length);
  if (found !== seal) return damaged(`the checksum ${seal.trim()}`, found.trim());
  if (!isRecord(record)) return damaged('a record of a known type', textOf(bytes));
  const n = before.n + 1;
  if (record.n !== n) return damaged(`record ${n}`, `record ${record.n}`);
  return { kind: 'good', record, end: { n, crc } };
}

/** The chain before a header, as it tells it itself: it is believed only when the checksum is right. */
function chainBefore(record: unknown): ChainEnd | null {
  if (!isRecord(record) || record.type !== 'header') return null;
  const { magic, format, after, n } = record;
  if (magic !== FLIGHT_MAGIC || format !== FLIGHT_FORMAT_VERSION) return null;
  if (typeof after !== 'string' || !/^[0-9a-f]{8}$/.test(after)) return null;
  return { n: n - 1, crc: Number.parseInt(after, 16) };
}

function isRecord(value: unknown): value is NumberedRecord {
  const { n, type } = (value ?? {}) as Partial<NumberedRecord>;
  return Number.isSafeInteger(n) && RECORD_TYPES.some((known) => known === type);
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const SHOWN_CHARACTERS = 60;

function textOf(bytes: Buffer): string {
  return bytes.subarray(0, SHOWN_CHARACTERS).toString('utf8').trim();
}

function damaged(expected: string, found: string): OpenedLine {
  return { kind: 'damaged', expected, found };
}
