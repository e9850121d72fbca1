import type { JsonObject } from './bytes.ts';
import { hex, sha256 } from './bytes.ts';

/**
 * Small files that an operator may read: one line of JSON, then one line with the SHA-256 of the first, newline
 * included. `sha256sum` and a text viewer are enough to check one.
 */
export function encodeSealedRecord(record: JsonObject): Buffer {
  const line = `${JSON.stringify(record)}\n`;
  return Buffer.from(`${line}sha256 ${hex(sha256(Buffer.from(line)))}\n`);
}

export type SealedRecord =
  /** `line`: the record as it stands, to be shown where its fields are not those that are due. */
  | { readonly state: 'intact'; readonly record: JsonObject; readonly line: string }
  | { readonly state: 'damaged'; readonly expected: string; readonly found: string };

/** Reads a sealed record; any changed byte makes it `damaged`. */
export function decodeSealedRecord(bytes: Buffer): SealedRecord {
  const text = bytes.toString('utf8');
  const newline = text.indexOf('\n');
  if (newline < 0)
    return { state: 'damaged', expected: 'a line of JSON and a line with its SHA-256', found: 'no line' };
  const line = Buffer.from(text.slice(0, newline + 1));
  const expected = `sha256 ${hex(sha256(line))}\n`;
  const found = text.slice(newline + 1);
  if (found !== expected || !Buffer.from(text).equals(bytes))
    return { state: 'damaged', expected: expected.trim(), found: found.trim().slice(0, 100) };
  const record = parseJson(line.toString());
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return { state: 'damaged', expected: 'a JSON object', found: 'something else' };
  return { state: 'intact', record: record as JsonObject, line: text.slice(0, newline) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
