import * as z from 'zod';
import type { ErrorCode } from '../../core/errors.ts';

/** Who an endpoint is for: each plane has a token of its own, and the DX plane can be left out. */
export type Plane = 'health' | 'dx' | 'data' | 'replication';

/**
 * One endpoint, said once: the server answers by it, the client asks by it, and the interface description
 * (`/openapi.json`, `docs/generated/HTTP.md`) is made from it.
 */
export interface Endpoint<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With parameters as `:name`. */
  readonly path: `/${string}`;
  readonly plane: Plane;
  /** Never asks for a token: what it answers holds no data of the node. */
  readonly open: boolean;
  readonly summary: string;
  readonly description: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly answer: Answer;
  /** Status of each answer that is no refusal. */
  readonly statuses: readonly number[];
  readonly contentType: string;
  /** What it refuses with, beside the errors that every endpoint has. */
  readonly refusals: readonly ErrorCode[];
}

const nothing = z.object({});
const noQuery = z.strictObject({});

type Asked<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> = Pick<Endpoint<Params, Query, Body, Answer>, 'method' | 'path' | 'plane' | 'summary' | 'answer'> &
  Partial<Endpoint<Params, Query, Body, Answer>>;

/** An endpoint with what most endpoints have in common filled in. */
export function endpoint<
  Answer extends z.ZodType,
  Params extends z.ZodObject = typeof nothing,
  Query extends z.ZodObject = typeof noQuery,
  Body extends z.ZodType = z.ZodUndefined,
>(asked: Asked<Params, Query, Body, Answer>): Endpoint<Params, Query, Body, Answer> {
  return {
    description: '',
    open: false,
    params: nothing as unknown as Params,
    query: noQuery as unknown as Query,
    body: z.undefined() as unknown as Body,
    statuses: [200],
    contentType: 'application/json',
    refusals: [],
    ...asked,
  };
}

/** What an endpoint answers with. */
export type AnswerOf<Of extends Endpoint> = z.infer<Of['answer']>;

/** Errors that any endpoint of a plane may give. `INTERNAL` is a bug, and no endpoint gives it on purpose. */
export function commonRefusals({ plane, open, params, query }: Endpoint): readonly ErrorCode[] {
  // An open query without fields takes anything.
  const isChecked = [params, query].some(
    ({ shape, def }) => Object.keys(shape).length > 0 || def.catchall !== undefined,
  );
  return [
    ...(isChecked ? (['REQUEST_INVALID'] as const) : []),
    ...(plane === 'health' || open ? [] : (['UNAUTHORIZED', 'NODE_STARTING'] as const)),
  ];
}
