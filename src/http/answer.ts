import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { ReplichartError } from '../core/errors.ts';
import type { AnswerOf, Endpoint, Plane } from './contract/endpoint.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    plane?: Plane;
    /** The route asks for no token. */
    open?: boolean;
  }
}

const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** An answer as a handler may give it: nobody changes it any more. */
type Given<Value> = Value extends readonly (infer One)[]
  ? readonly Given<One>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Given<Value[Name]> }
    : Value;

/** What was asked of an endpoint, checked against its schemas. */
export interface Asked<Of extends Endpoint> {
  readonly params: z.infer<Of['params']>;
  readonly query: z.infer<Of['query']>;
  /** Checked only when it is asked for: who may not ask at all is told so first. */
  readonly body: () => z.infer<Of['body']>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * Serves an endpoint: `handle` gets what was asked, checked, and gives the answer in the shape of the endpoint; or the
 * reply, where it has sent something that is no JSON by itself.
 */
export function answer<const Of extends Endpoint>(
  app: FastifyInstance,
  endpoint: Of,
  handle: (asked: Asked<Of>) => Promise<Given<AnswerOf<Of>> | FastifyReply>,
): void {
  app.route({
    method: endpoint.method,
    url: endpoint.path,
    config: { plane: endpoint.plane, open: endpoint.open },
    bodyLimit: BODY_BYTES_MAX,
    // HEAD of a stream would read all of it only to throw it away.
    exposeHeadRoute: endpoint.contentType === 'application/json',
    handler: async (request, reply) =>
      handle({
        params: parse(endpoint.params, request.params, 'path') as z.infer<Of['params']>,
        query: parse(endpoint.query, request.query, 'query') as z.infer<Of['query']>,
        body: () => parse(endpoint.body, request.body, 'body') as z.infer<Of['body']>,
        request,
        reply,
      }),
  });
}

/** Checks a part of a request; the message names field and rule. */
function parse(schema: z.ZodType, value: unknown, part: string): unknown {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(innermost).map(({ path, message }) => ({
    field: [part, ...path].join('.'),
    rule: message,
  }));
  throw new ReplichartError(
    'REQUEST_INVALID',
    issues.map(({ field, rule }) => `${field}: ${rule}`).join('; '),
    { evidence: { issues } },
  );
}

/** Of a union that fits nowhere, the complaints of the branch that came nearest. */
function innermost(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const deepest = (branch: z.core.$ZodIssue[]) => Math.max(...branch.map(({ path }) => path.length));
  const nearest = [...issue.errors].sort((a, b) => deepest(b) - deepest(a) || a.length - b.length)[0] ?? [];
  return nearest.flatMap(innermost).map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
}
