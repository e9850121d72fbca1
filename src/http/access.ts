import type { FastifyInstance } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { equalInConstantTime } from '../core/bytes.ts';
import { tokenOf, type NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';

/**
 * Lets only those in who send the token of the plane that they ask. The plane is that of the route which was found, so
 * another spelling of an address leads to no other token. An open endpoint asks for none; an address that there is not,
 * and readiness, ask for that of the DX plane. Where no token is configured, a page of another address may not give orders: a browser
 * sends them for it unasked.
 */
export function requireTokens(app: FastifyInstance, config: NodeConfig): void {
  app.addHook('onRequest', async ({ routeOptions, headers, method }) => {
    const { plane = 'dx', open = false } = routeOptions.config;
    if (open) return;
    const token = tokenOf(config, plane === 'health' ? 'dx' : plane);
    if (token === undefined) {
      if (isOrder(method) && isForeign(headers))
        throw new ReplichartError('UNAUTHORIZED', 'a page of another address may not change anything here');
      return;
    }
    // The name of a scheme is written in any case (RFC 9110).
    const sent = /^Bearer +(\S.*)$/i.exec(headers.authorization ?? '')?.[1];
    if (sent === undefined || !equalInConstantTime(sent, token))
      throw new ReplichartError('UNAUTHORIZED', `the bearer token of the ${plane} plane is missing or wrong`);
  });
}

function isOrder(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

/** Only browsers send an origin, and they do with every order. */
function isForeign({ origin, host }: IncomingHttpHeaders): boolean {
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}
