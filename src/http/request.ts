import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { ReplichartError } from '../core/errors.ts';
import type { ViewRequest } from '../node/node-snapshot.ts';

/** A whole number as it stands in a query or a path: digits and nothing else. */
export const queryNumber = z
  .string()
  .regex(/^\d{1,16}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.number().max(Number.MAX_SAFE_INTEGER));

const viewQuery = z.object({
  at: queryNumber.optional(),
  position: z
    .string()
    .regex(/^\d{1,16}:\d{1,16}:[0-9a-f]{64}$/, 'must be COMMIT_ID:LSN:HISTORY_HASH')
    .optional(),
});
/** The view that `at` or `position` asks for. */
export function viewRequest(request: FastifyRequest): ViewRequest {
  const { at, position } = parse(viewQuery, request.query, 'query');
  if (at !== undefined && position !== undefined)
    throw new ReplichartError('REQUEST_INVALID', 'query: at and position exclude each other');
  if (position !== undefined) {
    const [commitId, lsn, historyHash] = position.split(':') as [string, string, string];
    return { position: { commitId: Number(commitId), lsn: Number(lsn), historyHash } };
  }
  return at === undefined ? {} : { at };
}

/** Checks a part of a request; the message names field and rule. */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(innermost).map(({ path, message }) => ({
    field: [part, ...path].join('.'),
    rule: message,
  }));
  throw new ReplichartError(
    'REQUEST_INVALID',
    issues.map(({ field, rule }) => `${field}: ${rule}`).join('; '),
    {
      evidence: { issues },
    },
  );
}

/** Of a union that fits nowhere, the complaints of the branch that came nearest. */
function innermost(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const deepest = (branch: z.core.$ZodIssue[]) => Math.max(...branch.map(({ path }) => path.length));
  const nearest = [...issue.errors].sort((a, b) => deepest(b) - deepest(a) || a.length - b.length)[0] ?? [];
  return nearest.flatMap(innermost).map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
}
