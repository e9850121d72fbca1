import * as z from 'zod';
import { jsonObject } from '../../core/explain/explanation.ts';
import { INVARIANTS } from '../../core/invariants.ts';
import { ERRORS, type ErrorCode } from '../../core/errors.ts';
import type { InvariantId } from '../../core/invariants.ts';

export const commitId = z
  .int()
  .meta({ description: 'Dense, from 1 on, made by the primary only; 0: nothing yet.' });
export const lsn = z.int().meta({ description: 'Byte offset in the logical WAL stream.' });
export const historyHash = z
  .string()
  .meta({ description: 'SHA-256 that binds all history before the point, in lower case digits.' });

export const position = z
  .object({ commit_id: commitId, lsn, history_hash: historyHash })
  .meta({ id: 'Position', description: 'A point in history.' });

const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).meta({ id: 'ErrorCode' });
export const invariantId = z
  .enum(Object.keys(INVARIANTS) as [InvariantId, ...InvariantId[]])
  .meta({ id: 'InvariantId' });

/** Why a node halted; the same fields as in the halt record on disk. */
export const halt = z
  .object({
    code: errorCode,
    invariant: invariantId.nullable(),
    rule: z
      .string()
      .nullable()
      .meta({ description: 'The check that did not hold; null where an effect failed instead.' }),
    message: z.string(),
    evidence: jsonObject,
    action: z.string().meta({ description: 'What an operator does.' }),
  })
  .meta({ id: 'Halt' });

/** What every DX answer is wrapped in: no timestamps, fields in this order (DESIGN 7). */
export function enveloped<Data extends z.ZodType>(data: Data) {
  return z.object({
    api_version: z.literal('v1'),
    observed_at: z.object({ snapshot: z.enum(['live', 'explicit']), commit_id: commitId.nullable() }),
    data,
    notes: z.array(z.string()),
  });
}

/** The body of every refusal: the project's own error and the fields of RFC 9457 alongside. */
export const problem = z
  .object({
    error: z.object({
      code: errorCode,
      invariant: invariantId.nullable(),
      message: z.string(),
      evidence: jsonObject,
    }),
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
  })
  .meta({ id: 'Problem' });

/** A whole number as it stands in a query or a path: digits and nothing else. */
export const queryNumber = z
  .string()
  .regex(/^\d{1,16}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.number().max(Number.MAX_SAFE_INTEGER));

/** `?name`, `?name=1`, `?name=true`. */
export const queryFlag = z
  .enum(['', '0', '1', 'false', 'true'], 'must be 1 or 0')
  .transform((text) => text !== '0' && text !== 'false');

const positionToken = z
  .string()
  .regex(/^\d{1,16}:\d{1,16}:[0-9a-f]{64}$/, 'must be COMMIT_ID:LSN:HISTORY_HASH')
  .transform((token) => {
    const [ofCommit, ofLsn, hash] = token.split(':') as [string, string, string];
    return { commitId: Number(ofCommit), lsn: Number(ofLsn), historyHash: hash };
  })
  .refine(
    ({ commitId: of, lsn: at }) => Number.isSafeInteger(of) && Number.isSafeInteger(at),
    'no position has numbers that large',
  );

/** The view that a request asks for; left out, the newest. */
export const viewQuery = {
  at: queryNumber.optional().meta({ description: 'Upper bound of the view: a commit id.' }),
  position: positionToken.optional().meta({
    description:
      'The view as a position that some node has given, COMMIT_ID:LSN:HISTORY_HASH; refused where it is not of this history.',
  }),
};
export const oneView: [(query: { at?: unknown; position?: unknown }) => boolean, string] = [
  ({ at, position: token }) => at === undefined || token === undefined,
  'at and position exclude each other',
];

/** A page of a listing. */
export const limitOf = (max: number, otherwise: number) =>
  queryNumber
    .pipe(z.number().min(1).max(max))
    .optional()
    .meta({ description: `At most so many, 1 to ${max}; left out, ${otherwise}.` });

/** A name that is bytes to the engine: as text, or as base64 where it is no UTF-8. */
export const documentName = {
  collection: z.string().optional(),
  collection_base64: z.string().optional(),
  id: z.string().optional(),
  id_base64: z.string().optional(),
};

export const replicaState = z
  .enum([
    'Disabled',
    'Initializing',
    'Bootstrapping',
    'Recovering',
    'ReceivingWAL',
    'ValidatingWAL',
    'ApplyingWAL',
    'Ready',
    'ReplicationHalted',
    'Stopped',
  ])
  .meta({ id: 'ReplicaState', description: 'A pure function of the state of the chart.' });
export const machineState = z
  .string()
  .meta({ description: 'The state of the chart, regions joined by " | ".' });
