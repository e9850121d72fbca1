import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import type { AddressInfo } from 'node:net';
import { listenOn } from '../http/listen.ts';
import { pageChart, pageHeaders, pageOf } from '../http/page.ts';
import { ActionRefused, type Actions } from './actions/actions.ts';
import { NODES, type Fleet } from './fleet.ts';
import { proxyNodes } from './proxy.ts';
import { refusalOfRequest } from './same-origin.ts';

const BODY_BYTES_MAX = 1024;

/** For answers that are no page: nothing of them runs, and nobody elsewhere reads them. */
const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

const REFUSED_STATUS = { unknown: 404, busy: 409, not_now: 409 } as const;

/** The demonstration's own server. */
export interface DemoServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page of all nodes of a demonstration, their DX planes, and the actions that the terminal has as well. It
 * asks for no token, so it listens on loopback only and refuses what another origin sends.
 *
 * @param address HOST:PORT of a loopback address.
 * @throws ReplichartError `LISTEN_FAILED`
 */
export async function serveDemo(fleet: Fleet, actions: Actions, address: string): Promise<DemoServer> {
  const app = fastify({ logger: false, bodyLimit: BODY_BYTES_MAX, forceCloseConnections: true });
  app.addHook('onRequest', async ({ method, headers }, reply) => {
    void reply.headers(SECURITY_HEADERS);
    const refused = refusalOfRequest(method, headers, app.server.address() as AddressInfo);
    if (refused !== null) return reply.code(403).send(errorBody(refused));
  });
  app.setErrorHandler((error, _request, reply) => answerError(error, reply));
  app.setNotFoundHandler(({ method, url }, reply) =>
    reply.code(404).send(errorBody(`there is no ${method} ${url.slice(0, 200)}`)),
  );
  servePage(app);
  proxyNodes(app, fleet);
  serveActions(app, actions);
  const listening = await listenOn(app, address);
  return { url: `http://${listening}/`, close: () => app.close() };
}

function servePage(app: FastifyInstance): void {
  // Relative addresses: the page works as well where something else serves it below a path.
  const nodes = NODES.map((name) => ({ name, url: `nodes/${name}` }));
  app.get('/', async (_request, reply) =>
    reply.headers(await pageHeaders()).send(await pageOf({ nodes, actions: 'actions' })),
  );
  app.get<{ Params: { name: string } }>('/page/charts/:name', async ({ params }, reply) => {
    const svg = await pageChart(params.name);
    return svg === null
      ? reply.code(404).send(errorBody(`there is no chart ${JSON.stringify(params.name)}`))
      : reply.type('image/svg+xml; charset=utf-8').send(svg);
  });
}

function serveActions(app: FastifyInstance, actions: Actions): void {
  // Whatever a caller sends along means nothing: an action is named by its address alone.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null));
  app.get('/actions', async (_request, reply) => {
    const offers = await actions.offers();
    void reply.header('cache-control', 'no-store');
    return offers.map(({ id, title, description, enabled, reason }) => ({
      id,
      title,
      description,
      enabled,
      reason,
    }));
  });
  app.post<{ Params: { id: string } }>('/actions/:id', async ({ params }) => ({
    done: await actions.run(params.id),
  }));
}

function answerError(error: unknown, reply: FastifyReply): FastifyReply {
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  const status = error instanceof ActionRefused ? REFUSED_STATUS[error.why] : (statusCode ?? 500);
  return reply.code(status).send(errorBody(message ?? String(error)));
}

function errorBody(message: string): object {
  return { error: { message } };
}
