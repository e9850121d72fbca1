import type { FastifyInstance } from 'fastify';
import { equalInConstantTime } from '../core/bytes.ts';
import { tokenOf, type NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';

/**
 * Lets only those in who send the token of the plane that they ask. The plane is that of the route which was found, so
 * another spelling of an address leads to no other token. An open endpoint asks for none; an address that there is not,
 * and readiness, ask for that of the DX plane.
 */
export function requireTokens(app: FastifyInstance, config: NodeConfig): void {
  app.addHook('onRequest', async ({ routeOptions, headers }) => {
    const { plane = 'dx', open = false } = routeOptions.config;
    if (open) return;
    const token = tokenOf(config, plane === 'health' ? 'dx' : plane);
    if (token === undefined) return;
    // The name of a scheme is written in any case (RFC 9110).
    const sent = /^Bearer +(\S.*)$/i.exec(headers.authorization ?? '')?.[1];
    if (sent === undefined || !equalInConstantTime(sent, token))
      throw new ReplichartError('UNAUTHORIZED', `the bearer token of the ${plane} plane is missing or wrong`);
  });
}
