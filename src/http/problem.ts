import type { FastifyInstance, FastifyReply } from 'fastify';
import { ERRORS, ReplichartError, type ErrorCode } from '../core/errors.ts';
import type { JsonObject } from '../core/bytes.ts';
import type { InvariantId } from '../core/invariants.ts';

/** The body of every refusal: the project's own error and the fields of RFC 9457 alongside. */
export function problemBody(error: ReplichartError) {
  const { code, invariant, message, evidence } = error;
  const { status, meaning, action } = ERRORS[code];
  return {
    error: { code, invariant, message, evidence },
    type: `https://replichart.dev/errors/${code}`,
    title: meaning,
    status,
    detail: `${message}. ${action}`,
  };
}

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the refusal that was answered with, for the log. */
    problemCode: ErrorCode | null;
  }
}

/** Whatever a handler throws, and every address that there is not, is answered with a problem. */
export function answerProblems(app: FastifyInstance): void {
  app.decorateReply('problemCode', null);
  const answer = (error: ReplichartError, reply: FastifyReply) => {
    reply.problemCode = error.code;
    void reply.code(ERRORS[error.code].status).type('application/problem+json').send(problemBody(error));
  };
  app.setErrorHandler((thrown, _request, reply) => answer(asReplichartError(thrown), reply));
  app.setNotFoundHandler(({ method, url }, reply) =>
    answer(new ReplichartError('NOT_FOUND', `there is no ${method} ${url}`), reply),
  );
}

interface FrameworkError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly message?: string;
}

/** Any thrown value as an expected error; what is not expected is a bug and says so. */
export function asReplichartError(error: unknown): ReplichartError {
  if (error instanceof ReplichartError) return error;
  const { code, statusCode, message = String(error) } = error as FrameworkError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ReplichartError('COMMIT_TOO_LARGE', `the body is too large: ${message}`);
  if (statusCode !== undefined && statusCode < 500) return new ReplichartError('REQUEST_INVALID', message);
  return new ReplichartError('INTERNAL', message, { cause: error });
}

/** The error that a problem body of another node describes. */
export function errorFromProblem(body: unknown): ReplichartError | null {
  const error = (body as { error?: ProblemError } | null)?.error;
  if (error?.code === undefined || !Object.hasOwn(ERRORS, error.code)) return null;
  return new ReplichartError(error.code as ErrorCode, error.message ?? '', {
    evidence: error.evidence ?? {},
    ...(error.invariant === undefined ? {} : { invariant: error.invariant }),
  });
}

interface ProblemError {
  readonly code?: string;
  readonly invariant?: InvariantId | null;
  readonly message?: string;
  readonly evidence?: JsonObject;
}
