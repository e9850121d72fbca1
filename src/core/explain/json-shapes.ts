import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { HaltReason } from '../halt.ts';
import type { Position } from '../position.ts';
import { jsonObject } from './explanation.ts';

/** JSON of explanations back into the facts that it was made of. */
export const positionFrom = z
  .strictObject({ commit_id: z.int().min(0), lsn: z.int().min(0), history_hash: z.string() })
  .transform(({ commit_id: commitId, lsn, history_hash: historyHash }): Position => ({
    commitId,
    lsn,
    historyHash,
  }));

export const haltFrom: z.ZodType<HaltReason> = z.strictObject({
  code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
  invariant: z.string().nullable(),
  rule: z.string().nullable(),
  message: z.string(),
  evidence: jsonObject,
  action: z.string(),
}) as unknown as z.ZodType<HaltReason>;

export const roleFrom = z.enum(['primary', 'replica']);
