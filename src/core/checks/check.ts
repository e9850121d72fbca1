import type { JsonObject } from '../bytes.ts';
import type { ErrorCode } from '../errors.ts';
import type { InvariantId } from '../invariants.ts';

/** The name of a guard that decides by an invariant: its id, a space, a positive claim. */
export type RuleId = `${InvariantId} ${string}`;

/** Whether the claim holds; `undetermined` when evidence for it is missing. */
export type Evaluation = 'holds' | 'violated' | 'undetermined';

export interface Verdict {
  readonly rule: RuleId;
  readonly invariant: InvariantId;
  readonly description: string;
  readonly evaluation: Evaluation;
  /** Raw state: what was expected, what was found, where. */
  readonly evidence: JsonObject;
}

/**
 * One invariant, checked in one place. The same pure function is the guard of the chart, the reason of a halt, a line
 * of an explanation and the assertion inside an actor, so what is explained cannot drift from what is enforced.
 */
export interface Check<Facts> {
  readonly rule: RuleId;
  readonly invariant: InvariantId;
  readonly description: string;
  /** What is said to have happened when the claim does not hold. */
  readonly code: (facts: Facts) => ErrorCode;
  /** `null` when evidence is missing; for a guard that is the same as `false`. */
  readonly claim: (facts: Facts) => boolean | null;
  readonly evidence: (facts: Facts) => JsonObject;
}

interface CheckDefinition<Facts> extends Omit<Check<Facts>, 'rule' | 'invariant' | 'code'> {
  readonly code: ErrorCode | ((facts: Facts) => ErrorCode);
}

export function defineCheck<Facts>(rule: RuleId, definition: CheckDefinition<Facts>): Check<Facts> {
  const { code } = definition;
  return {
    ...definition,
    rule,
    invariant: rule.slice(0, rule.indexOf(' ')) as InvariantId,
    code: typeof code === 'function' ? code : () => code,
  };
}

export function holds<Facts>(check: Check<Facts>, facts: Facts): boolean {
  return check.claim(facts) === true;
}

export function verdictOf<Facts>(check: Check<Facts>, facts: Facts): Verdict {
  const { rule, invariant, description } = check;
  const claim = check.claim(facts);
  const evaluation = claim === null ? 'undetermined' : claim ? 'holds' : 'violated';
  return { rule, invariant, description, evaluation, evidence: check.evidence(facts) };
}

/** The first check, in the given order, whose claim does not hold. */
export function firstViolation<Facts>(
  checks: readonly Check<Facts>[],
  facts: Facts,
): Check<Facts> | undefined {
  return checks.find((check) => !holds(check, facts));
}
