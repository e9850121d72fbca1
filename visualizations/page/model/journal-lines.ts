import type { FlightRecord } from '../../../src/core/flight/records.ts';
import { crc32cAfter } from './crc32c.ts';

const MAGIC = 'replichart-flight';
const FORMAT = 1;
const NEWLINE = 0x0a;
/** ` ` and eight digits, before the newline. */
const SEAL_BYTES = 9;

type Numbered = FlightRecord & { readonly n: number };

/** The records of a file, up to the first line that is not good behind those before it. */
export class JournalLines {
  readonly records: readonly Numbered[];
  /** What is wrong with the first line that is not good; `null` where all are. */
  readonly fault: string | null;
  /** Whether the file ends within a line. */
  readonly isTorn: boolean;

  constructor(bytes: Uint8Array) {
    const records: Numbered[] = [];
    let fault: string | null = null;
    let chain: Chain | null = null;
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && fault === null; end = bytes.indexOf(NEWLINE, at)) {
      const opened = openLine(chain, bytes.subarray(at, end));
      at = end + 1;
      if (typeof opened === 'string') fault = `line ${records.length + 1}: ${opened}`;
      else {
        records.push(opened.record);
        chain = opened.chain;
      }
    }
    this.records = records;
    this.fault = fault;
    this.isTorn = fault === null && at < bytes.length;
  }
}

interface Chain {
  readonly n: number;
  readonly crc: number;
}

/** A line without its newline behind the lines before it; a text says what is wrong with it. */
function openLine(chain: Chain | null, line: Uint8Array): { record: Numbered; chain: Chain } | string {
  const json = line.subarray(0, Math.max(0, line.length - SEAL_BYTES));
  const record = recordIn(json);
  if (record === null) return 'a record was expected';
  const before = chain ?? chainBefore(record);
  if (before === null) return `a header of format ${FORMAT} was expected first`;
  const crc = crc32cAfter(before.crc, json);
  const seal = new TextDecoder().decode(line.subarray(json.length));
  const wanted = ` ${crc.toString(16).padStart(8, '0')}`;
  if (seal !== wanted) return `the checksum${wanted} was expected, found${seal}`;
  if (record.n !== before.n + 1) return `record ${before.n + 1} was expected, found ${record.n}`;
  return { record, chain: { n: record.n, crc } };
}

/** A file begins with a header that says itself behind which checksum it stands. */
function chainBefore(record: Numbered): Chain | null {
  if (record.type !== 'header' || record.magic !== MAGIC || record.format !== FORMAT) return null;
  return /^[0-9a-f]{8}$/.test(record.after)
    ? { n: record.n - 1, crc: Number.parseInt(record.after, 16) }
    : null;
}

function recordIn(json: Uint8Array): Numbered | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
    const { n, type } = (value ?? {}) as Partial<Numbered>;
    return Number.isSafeInteger(n) && typeof type === 'string' ? (value as Numbered) : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
