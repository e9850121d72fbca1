import type { FastifyInstance } from 'fastify';
import { ENDPOINTS, ENDPOINT_NAMES } from './contract/endpoints.ts';

const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of exactly these origins read the DX plane from a browser (the Fetch standard's CORS), refusals included, and
 * send a token to it. Nothing else of the node is opened, and without origins nothing changes.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.addHook('onRequest', async ({ routeOptions, headers }, reply) => {
    if (routeOptions.config.plane !== 'dx') return;
    // An answer that was kept for one origin is not the answer for another.
    void reply.header('vary', 'Origin');
    const { origin } = headers;
    if (origin !== undefined && allowed.has(origin)) void reply.header('access-control-allow-origin', origin);
  });
  for (const name of ENDPOINT_NAMES) {
    const { path, plane } = ENDPOINTS[name];
    if (plane !== 'dx') continue;
    // A browser asks without a token whether it may send one.
    app.options(path, { config: { plane, open: true } }, async ({ headers }, reply) => {
      if (headers.origin !== undefined && allowed.has(headers.origin))
        void reply.headers({
          'access-control-allow-methods': 'GET',
          'access-control-allow-headers': 'authorization',
          'access-control-max-age': PREFLIGHT_SECONDS,
        });
      return reply.code(204).send();
    });
  }
}
