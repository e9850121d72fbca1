import type { JsonObject } from './bytes.ts';
import type { Check, RuleId } from './checks/check.ts';
import { describeError, ERRORS, InvariantBug, ReplichartError, type ErrorCode } from './errors.ts';
import type { InvariantId } from './invariants.ts';
import { decodeSealedRecord, encodeSealedRecord } from './sealed-record.ts';

/** Why a node halted. Written durably; it stays until an operator clears it. */
export interface HaltReason {
  readonly code: ErrorCode;
  readonly invariant: InvariantId | null;
  /** The check that did not hold; `null` where an effect failed instead. */
  readonly rule: RuleId | null;
  readonly message: string;
  readonly evidence: JsonObject;
  readonly action: string;
}

/** The reason that a check gives by the very facts it was decided on. */
export function haltByCheck<Facts>(check: Check<Facts>, facts: Facts): HaltReason {
  const code = check.code(facts);
  const { meaning, action } = ERRORS[code];
  return {
    code,
    invariant: check.invariant,
    rule: check.rule,
    message: meaning,
    evidence: check.evidence(facts),
    action,
  };
}

/** What an effect left behind when it failed instead of answering. */
export interface EffectFault {
  readonly effect: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly error: JsonObject;
}

export function effectFault(effect: string, error: unknown): EffectFault {
  const code =
    error instanceof ReplichartError
      ? error.code
      : error instanceof InvariantBug
        ? 'INTERNAL'
        : 'STORAGE_FAILED';
  const message = error instanceof Error ? error.message : String(error);
  return { effect, code, message, error: describeError(error) };
}

/** The reason that a failed effect gives. */
export function haltByFault(fault: EffectFault): HaltReason {
  const { invariant, meaning, action } = ERRORS[fault.code];
  return {
    code: fault.code,
    invariant: invariant ?? 'P5-I10',
    rule: null,
    message: `${meaning} (${fault.message})`,
    evidence: { effect: fault.effect, error: fault.error },
    action,
  };
}

export function haltToJson(halt: HaltReason) {
  const { code, invariant, rule, message, evidence, action } = halt;
  return { code, invariant, rule, message, evidence, action };
}

export function encodeHaltRecord(halt: HaltReason): Buffer {
  return encodeSealedRecord({ magic: 'replichart-halt', ...haltToJson(halt) });
}

/** The reason that a record holds, every field of which is what it must be; `null` where one is not. */
function reasonOf({ code, invariant, rule, message, evidence, action }: JsonObject): HaltReason | null {
  const isWhole =
    typeof code === 'string' &&
    Object.hasOwn(ERRORS, code) &&
    (invariant === null || typeof invariant === 'string') &&
    (rule === null || typeof rule === 'string') &&
    typeof message === 'string' &&
    typeof evidence === 'object' &&
    evidence !== null &&
    !Array.isArray(evidence) &&
    typeof action === 'string';
  return isWhole ? ({ code, invariant, rule, message, evidence, action } as HaltReason) : null;
}

/** A record that cannot be read is a halt all the same: something was wrong enough to write one. */
export function decodeHaltRecord(bytes: Buffer): HaltReason {
  const sealed = decodeSealedRecord(bytes);
  if (sealed.state === 'intact' && sealed.record['magic'] === 'replichart-halt') {
    const reason = reasonOf(sealed.record);
    if (reason !== null) return reason;
  }
  const { meaning, action } = ERRORS.HALT_RECORD_DAMAGED;
  const evidence =
    sealed.state === 'damaged'
      ? { file: 'halt', expected: sealed.expected, found: sealed.found }
      : { file: 'halt', expected: 'the fields of a halt record', found: sealed.line };
  return {
    code: 'HALT_RECORD_DAMAGED',
    invariant: 'P5-I11',
    rule: null,
    message: meaning,
    evidence,
    action,
  };
}
