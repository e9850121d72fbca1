import type { Halt, TransitionRecord } from './answers.ts';

/** One transition as the timeline keeps it, whether a node sent it or a journal held it. */
export interface Moment {
  readonly run: string;
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly event: string;
  /** The ids of what was taken. */
  readonly transitions: readonly string[];
  readonly verdicts: readonly MomentVerdict[];
  /** `undefined` in a field: it was not recorded, which is other than that the node did not know it. */
  readonly positions: Readonly<Partial<TransitionRecord['positions']>>;
  /** `undefined`: a journal does not hold it as such. */
  readonly halt: Halt | null | undefined;
}

export interface MomentVerdict {
  readonly rule_id: string;
  readonly evaluation: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export function momentOf(run: string, record: TransitionRecord): Moment {
  return { run, ...record };
}

/** The states of a line, regions apart. */
export function statesOf(line: string): readonly string[] {
  return line.replace(/^failed in /, '').split(' | ');
}

/** Where a region is: of `readGate`, `open`; `null` where the region is not active. */
export function inRegion(line: string, region: string): string | null {
  const found = statesOf(line).find((path) => path.split('.').includes(region));
  return found === undefined ? null : found.slice(found.indexOf(`${region}.`) + region.length + 1);
}
