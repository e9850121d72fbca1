import type { Json, JsonObject } from '../core/bytes.ts';
import { canonicalJson } from '../core/flight/canonical-json.ts';
import type { StepOutcome } from '../core/flight/records.ts';

/** The first thing that a replay found other than it was recorded. */
export interface Difference {
  /** The record, by its number in the run. */
  readonly record: number;
  readonly step: number;
  readonly event: string | null;
  /**
   * `transitions`, `entered`, `verdicts`, `state`, `status`, `positions`, `context.FIELD`, `digest`, `snapshot`, `failure`;
   * `step`, `sequence`, `lost` where the numbers do not add up; `chart`, `node_id`, `cluster_id` where it is another’s.
   */
  readonly what: string;
  /** The transition that it is about, by its number in the run; `null` where it is about the whole step. */
  readonly sequence: number | null;
  readonly expected: Json;
  readonly found: Json;
}

export type Unlike = Pick<Difference, 'what' | 'sequence' | 'expected' | 'found'>;

export function unlike(
  what: string,
  expected: unknown,
  found: unknown,
  sequence: number | null = null,
): Unlike | null {
  if (canonicalJson(expected) === canonicalJson(found)) return null;
  return { what, sequence, expected: (expected ?? null) as Json, found: (found ?? null) as Json };
}

/** What comes first is what the rest follows from: the way through the chart, then where it led, then what it recorded. */
export function compareOutcomes(expected: StepOutcome, found: StepOutcome): Unlike | null {
  return (
    compareMoves(expected, found) ??
    unlike('state', expected.state, found.state) ??
    unlike('status', expected.status, found.status) ??
    compareContexts(expected.changed, found.changed) ??
    unlike('positions', expected.positions, found.positions) ??
    unlike('digest', expected.digest, found.digest)
  );
}

function compareMoves({ moves: expected }: StepOutcome, { moves: found }: StepOutcome): Unlike | null {
  const count = Math.max(expected.length, found.length);
  for (let index = 0; index < count; index += 1) {
    const [left, right] = [expected[index], found[index]];
    const sequence = left?.sequence ?? right?.sequence ?? null;
    const difference =
      unlike('transitions', left?.transitions, right?.transitions, sequence) ??
      unlike('entered', left?.entered, right?.entered, sequence) ??
      unlike('verdicts', left?.verdicts, right?.verdicts, sequence) ??
      unlike('sequence', left?.sequence, right?.sequence, sequence);
    if (difference !== null) return difference;
  }
  return null;
}

/** A field that is not named is as it was before. */
const UNCHANGED = 'unchanged';

function compareContexts(expected: JsonObject, found: JsonObject): Unlike | null {
  for (const field of Object.keys({ ...expected, ...found }).sort()) {
    const difference = unlike(`context.${field}`, expected[field] ?? UNCHANGED, found[field] ?? UNCHANGED);
    if (difference !== null) return difference;
  }
  return null;
}
