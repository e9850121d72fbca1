import type { Json, JsonObject } from '../core/bytes.ts';

/** Evidence in a line that can be broken between words. */
export function fieldsOf(evidence: JsonObject): string {
  const shown = (value: Json | undefined): string =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? fieldsOf(value as JsonObject)
      : String(value);
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(', ');
}
