import { haltToJson, type HaltReason } from '../core/halt.ts';
import { differencesOf } from './difference.ts';

/** Whether two halts are the same in every field; `null`: there is none. */
export function sameHalt(one: HaltReason | null, other: HaltReason | null): boolean {
  return differencesOf(one && haltToJson(one), other && haltToJson(other)).length === 0;
}

/** A halt as it was before the bytes that caused it were kept aside. */
export function withoutBytes(halt: HaltReason): HaltReason {
  const { bytes_kept_in: _keptIn, ...evidence } = halt.evidence;
  return { ...halt, evidence };
}
