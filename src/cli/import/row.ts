import { ReplichartError } from '../../core/errors.ts';

/** One object of the input, and where it stands there. */
export interface Row {
  /** Counted from 1, blank lines left out. */
  readonly number: number;
  /** The line it begins on, counted from 1. */
  readonly line: number;
  /** As it is written in the input: nothing is lost by writing it anew. */
  readonly text: string;
  /** Bytes of `text`. */
  readonly bytes: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Cuts rows out of a stream of bytes. The rows before a bad one come out before the error is thrown. */
export interface RowReader {
  read(chunk: Buffer): Iterable<Row>;
  end(): Iterable<Row>;
}

/** A commit has room for 4 MiB without blanks and escapes; what is much longer in the input can never fit. */
export const ROW_BYTES_MAX = 16 * 1024 * 1024;

/** The error of a row that cannot be imported. */
export function badRow(line: number, row: number, message: string, cause?: unknown): ReplichartError {
  return new ReplichartError('IMPORT_INVALID', `line ${line} (row ${row}): ${message}`, {
    evidence: { line, row },
    cause,
  });
}

export function tooLong(line: number, row: number): ReplichartError {
  return badRow(line, row, `the row is longer than ${ROW_BYTES_MAX} bytes`);
}

/** @throws ReplichartError `IMPORT_INVALID` when the value is no object. */
export function objectOf(value: unknown, line: number, row: number): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw badRow(line, row, `a row must be a JSON object; this one is ${kindOf(value)}`);
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
