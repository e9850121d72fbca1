import * as z from 'zod';
import { hex, sha256, type Json, type JsonObject } from '../bytes.ts';
import type { Verdict } from '../checks/check.ts';

const anyJson = z.unknown() as z.ZodType<Json>;
/** Raw state: what was expected, what was found, where. */
export const jsonObject = z.record(z.string(), anyJson) as unknown as z.ZodType<JsonObject>;

const evaluation = z.enum(['holds', 'violated', 'undetermined']).meta({
  id: 'Evaluation',
  description: 'Whether the claim holds; `undetermined` when evidence for it is missing.',
});

/** A rule as an explanation shows it. */
export const ruleShape = z
  .object({ rule_id: z.string(), description: z.string(), evaluation, evidence: jsonObject })
  .meta({ id: 'Rule', description: 'One check: the same that is the guard of the chart.' });

export const explanationShape = z
  .object({
    explanation_type: z.enum(['replication.safety', 'recovery.process', 'mvcc.read_visibility']),
    observed_snapshot: z.object({
      snapshot_id: z.string().meta({
        description:
          'SHA-256 of the explanation as JSON with an empty snapshot_id: names the observed state, and shows any change.',
      }),
      commit_id: z.int().nullable(),
    }),
    inputs: jsonObject,
    rules_applied: z.array(ruleShape),
    conclusion: z.looseObject({ result: z.string(), reason: z.string().nullable() }),
  })
  .meta({
    id: 'Explanation',
    description:
      'A claim that can be checked: every rule, in fixed order and without stopping at the first that fails.',
  });

/** A claim about a node that can be checked: every rule, in fixed order, with the raw state that it was decided on. */
export type Explanation = z.infer<typeof explanationShape>;

type Conclusion = JsonObject & { readonly result: string; readonly reason: string | null };

/**
 * Builds an explanation. Its snapshot id is the SHA-256 of all the rest, so the same state has the same id, and a field
 * that was changed afterwards shows.
 */
export function explanationOf(
  type: Explanation['explanation_type'],
  commitId: number | null,
  inputs: JsonObject,
  verdicts: readonly Verdict[],
  conclusion: Conclusion,
): Explanation {
  const unnamed: Explanation = {
    explanation_type: type,
    observed_snapshot: { snapshot_id: '', commit_id: commitId },
    inputs,
    rules_applied: verdicts.map(ruleJson),
    conclusion: { ...conclusion },
  };
  return { ...unnamed, observed_snapshot: { snapshot_id: snapshotIdOf(unnamed), commit_id: commitId } };
}

/** The id that an explanation has by its content. */
export function snapshotIdOf(explanation: Explanation): string {
  const unnamed = {
    ...explanation,
    observed_snapshot: { ...explanation.observed_snapshot, snapshot_id: '' },
  };
  return hex(sha256(Buffer.from(JSON.stringify(unnamed))));
}

/** A verdict as an explanation shows it. */
export function ruleJson({ rule, description, evaluation: verdict, evidence }: Verdict) {
  return { rule_id: rule, description, evaluation: verdict, evidence };
}
