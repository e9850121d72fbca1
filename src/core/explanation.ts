import type { Json, JsonObject } from './bytes.ts';
import type { Verdict } from './checks/check.ts';

/** A claim about a node that can be checked: every rule, in fixed order, with the raw state that it was decided on. */
export interface Explanation {
  readonly explanation_type: 'replication.safety' | 'recovery.process' | 'mvcc.read_visibility';
  readonly observed_snapshot: { readonly snapshot_id: string | null; readonly commit_id: number | null };
  readonly inputs: JsonObject;
  readonly rules_applied: readonly {
    readonly rule_id: string;
    readonly description: string;
    readonly evaluation: string;
    readonly evidence: JsonObject;
  }[];
  readonly conclusion: { readonly result: string; readonly reason: string | null } & Readonly<
    Record<string, Json>
  >;
}

/** A verdict as an explanation shows it. */
export function ruleJson({ rule, description, evaluation, evidence }: Verdict) {
  return { rule_id: rule, description, evaluation, evidence };
}
