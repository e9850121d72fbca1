import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';

const REQUEST_ID = 'x-request-id';
/** What a caller may send as the id of its request: a name, and nothing that could forge a line of a log. */
const REQUEST_ID_SENT = /^[\w.:/+=-]{1,128}$/;

/**
 * One line a request, with an id that the caller may send along and gets back: so a refusal that somebody saw is found
 * in the log. Neither headers nor query are logged.
 */
export function logRequests(app: FastifyInstance, logger: Logger): void {
  app.addHook('onRequest', async (request, reply) => logRequest(request, reply, logger));
}

/** The same for one request; its line is written when its answer is through, or its caller is gone. */
export function logRequest(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const sent = request.headers[REQUEST_ID];
  request.id = typeof sent === 'string' && REQUEST_ID_SENT.test(sent) ? sent : randomUUID();
  void reply.header(REQUEST_ID, request.id);
  const { raw } = reply;
  // A caller who goes before the end, as every follower of a stream does, leaves no "finish".
  raw.once('close', () => {
    const line = {
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: raw.headersSent ? raw.statusCode : null,
      ...(reply.problemCode ? { code: reply.problemCode } : {}),
    };
    const isFault = raw.headersSent && raw.statusCode >= 500 && raw.statusCode !== 503;
    logger[isFault ? 'error' : 'debug'](line, 'request');
  });
}
