import type { Json } from './bytes.ts';

/** A document as JSON carries it: one that is no JSON text was written through the library, and is shown as base64. */
export function documentJson(
  document: Buffer,
): { readonly document: Json } | { readonly document_base64: string } {
  try {
    return { document: JSON.parse(document.toString('utf8')) as Json };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { document_base64: document.toString('base64') };
  }
}
