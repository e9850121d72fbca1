import type { FastifyInstance } from 'fastify';
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
  app.addHook('onRequest', async (request, reply) => {
    const sent = request.headers[REQUEST_ID];
    request.id = typeof sent === 'string' && REQUEST_ID_SENT.test(sent) ? sent : randomUUID();
    void reply.header(REQUEST_ID, request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      ...(reply.problemCode === null ? {} : { code: reply.problemCode }),
    };
    logger[reply.statusCode >= 500 && reply.statusCode !== 503 ? 'error' : 'debug'](line, 'request');
  });
}
