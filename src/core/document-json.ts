import { isUtf8 } from 'node:buffer';
import type { Json } from './bytes.ts';

/** Deeper ones can be read as JSON, and cannot be written as JSON again: that takes stack for every level. */
export const DOCUMENT_DEPTH_MAX = 1_000;

/** A text without this has no number that is too large for ours. */
const PERHAPS_TOO_LARGE = /\d[eE]\+?\d|\d{309}/;

/**
 * A document as JSON carries it: one that is no JSON text, is nested deeper than JSON is made of here, or holds a number
 * that would be written as `null`, was written through the library, and is shown as base64.
 */
export function documentJson(
  document: Buffer,
): { readonly document: Json } | { readonly document_base64: string } {
  const value = jsonOf(document);
  return value === undefined ? { document_base64: document.toString('base64') } : { document: value };
}

/** The value that is written as JSON again without loss of what it is; `undefined` where there is none. */
function jsonOf(document: Buffer): Json | undefined {
  // Decoding would put a replacement character for bytes that are no text, and show what is not there.
  if (!isUtf8(document)) return undefined;
  const text = document.toString('utf8');
  try {
    const value = JSON.parse(text) as Json;
    // Every level takes two characters: nearly all documents are too short to be looked at.
    if (document.length > 2 * DOCUMENT_DEPTH_MAX && isTooDeep(value)) return undefined;
    return PERHAPS_TOO_LARGE.test(text) && !holdsFiniteNumbersOnly(value) ? undefined : value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Whether every number of a value, which is nested no deeper than it may be, is one that JSON can say. */
function holdsFiniteNumbersOnly(value: Json): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(holdsFiniteNumbersOnly);
}

/** Whether a value that was read as JSON is nested deeper than it is written again. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= DOCUMENT_DEPTH_MAX; depth += 1) {
    level = level.flatMap((one): unknown[] =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}
