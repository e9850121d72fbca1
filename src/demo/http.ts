import { request } from 'undici';
import * as z from 'zod';
import { DemoFailure } from './failure.ts';

/** What a node answers, refusals included: here a refusal is often what is wanted. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** @throws DemoFailure when there is no answer, or none in JSON. */
export async function answerOf(url: string, path: string, body?: object): Promise<Answer> {
  try {
    const response = await request(new URL(path, url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: response.statusCode, body: await response.body.json() };
  } catch (error) {
    throw new DemoFailure(`${url}/${path} gives no answer: ${String(error)}`, null, { cause: error });
  }
}

/** The answer of a request that is to succeed, in the shape it is to have. */
export async function dataOf<Schema extends z.ZodType>(
  schema: Schema,
  url: string,
  path: string,
  body?: object,
): Promise<z.infer<Schema>> {
  const answer = await answerOf(url, path, body);
  const parsed = schema.safeParse(answer.body);
  if (answer.status < 400 && parsed.success) return parsed.data;
  throw new DemoFailure(`${url}/${path} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
}

const json = z.json();
const jsonObject = z.record(z.string(), json);

export const position = z.object({ commit_id: z.number(), lsn: z.number(), history_hash: z.string() });
export type PositionJson = z.infer<typeof position>;

const failure = z.object({
  code: z.string(),
  invariant: z.string().nullable(),
  rule: z.string().nullable(),
  message: z.string(),
  evidence: jsonObject,
  action: z.string(),
});
export type FailureJson = z.infer<typeof failure>;

export const status = z.object({
  data: z.object({
    node_id: z.string().nullable(),
    machine_state: z.string(),
    position: position.nullable(),
    failure: failure.nullable(),
  }),
});

export const replication = z.object({
  data: z.object({
    replica_state: z.string(),
    replica_commit_id: z.number().nullable(),
    wal_applied_lsn: z.number().nullable(),
    history_hash: z.string().nullable(),
    snapshot_bootstrap_state: z.string(),
    detachment: json,
    failure: failure.nullable(),
  }),
});

const digest = z.object({
  commit_id: z.number(),
  sha256: z.string(),
  versions: z.number(),
  keys: z.number(),
});
export type DigestJson = z.infer<typeof digest>;
export const mvcc = z.object({ data: z.object({ state_digest: digest }) });

export const snapshot = z.object({
  snapshot_id: z.string(),
  cut: z.object({
    commit_id: z.number(),
    lsn: z.number(),
    history_hash: z.string(),
    segment_index: z.number(),
  }),
  state_digest: z.string(),
  versions: z.number(),
  keys: z.number(),
  bytes: z.number(),
});
export type SnapshotJson = z.infer<typeof snapshot>;

export const documents = z.object({
  documents: z.array(z.object({ id: z.string(), document: jsonObject })),
  next_after: z.string().nullable(),
});

export const committed = z.object({ commits: z.number(), position });

const explanation = z.object({
  rules_applied: z.array(z.object({ rule_id: z.string(), evaluation: z.string(), evidence: jsonObject })),
  conclusion: z.object({ result: z.string(), reason: z.string().nullable() }),
});
export const explained = z.object({ data: explanation });

/** A refused read: the first rule that fails, its evidence, and every rule of the gate. */
export const refusal = z.object({
  error: z.object({
    code: z.string(),
    invariant: z.string().nullable(),
    message: z.string(),
    evidence: z.looseObject({ rule: z.string(), explanation }),
  }),
});
