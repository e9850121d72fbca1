import type { Json } from './bytes.ts';

/** Deeper ones can be read as JSON, and cannot be written as JSON again: that takes stack for every level. */
export const DOCUMENT_DEPTH_MAX = 1_000;

/**
 * A document as JSON carries it: one that is no JSON text, or is nested deeper than JSON is made of here, was written
 * through the library, and is shown as base64.
 */
export function documentJson(
  document: Buffer,
): { readonly document: Json } | { readonly document_base64: string } {
  try {
    const value = JSON.parse(document.toString('utf8')) as Json;
    // Every level takes two characters: nearly all documents are too short to be looked at.
    if (document.length <= 2 * DOCUMENT_DEPTH_MAX || !isTooDeep(value)) return { document: value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { document_base64: document.toString('base64') };
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
