import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Socket } from 'node:net';
import { describeError, ERRORS, ReplichartError, type ErrorCode } from '../core/errors.ts';
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

const ADDRESS_SHOWN_MAX = 200;

/** Whatever a handler throws, and every address that there is not, is answered with a problem. */
export function answerProblems(app: FastifyInstance): void {
  app.decorateReply('problemCode', null);
  app.setErrorHandler((thrown, _request, reply) => answerProblem(thrown, reply));
  app.setNotFoundHandler(({ method, url }, reply) =>
    answerProblem(
      new ReplichartError('NOT_FOUND', `there is no ${method} ${url.slice(0, ADDRESS_SHOWN_MAX)}`),
      reply,
    ),
  );
}

/** Answers with the problem that a thrown value is. */
export function answerProblem(thrown: unknown, reply: FastifyReply): void {
  const error = asReplichartError(thrown);
  reply.problemCode = error.code;
  if (error.code === 'UNAUTHORIZED') void reply.header('www-authenticate', 'Bearer');
  void reply.code(ERRORS[error.code].status).type('application/problem+json').send(problemBody(error));
}

/** Answers on a connection what is no HTTP, too large or too slow to be a request, and closes it. */
export function answerNoRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // Behind anything that was sent on this connection the answer could land within another.
  if (error.code !== 'ECONNRESET' && socket.writable && socket.bytesWritten === 0) {
    const rule = NO_REQUEST[error.code ?? ''] ?? 'this is no HTTP request';
    const body = JSON.stringify(problemBody(new ReplichartError('REQUEST_INVALID', rule)));
    socket.write(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy();
}

const NO_REQUEST: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'the headers are too large',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not come in time',
};

interface FrameworkError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly syscall?: string;
  readonly message?: string;
}

/** Any thrown value as an expected error; what is not expected is a bug and says so. */
export function asReplichartError(error: unknown): ReplichartError {
  if (error instanceof ReplichartError) return error;
  const { code, statusCode, syscall, message = String(error) } = error as FrameworkError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new ReplichartError('COMMIT_TOO_LARGE', `the body is too large: ${message}`);
  if (code === 'FST_ERR_BAD_URL')
    return new ReplichartError('REQUEST_INVALID', 'the address cannot be decoded');
  if (code === 'FST_ERR_MAX_PARAM_LENGTH')
    return new ReplichartError('REQUEST_INVALID', 'a name in the address is too long');
  // A system call that failed while reading is the disk's fault, not a bug.
  if (syscall !== undefined)
    return new ReplichartError('STORAGE_FAILED', message, { cause: error, evidence: describeError(error) });
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
