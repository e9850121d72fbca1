import { fastify, type FastifyInstance } from 'fastify';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { equalInConstantTime } from '../core/bytes.ts';
import type { NodeConfig } from '../core/config.ts';
import { ERRORS, ReplichartError } from '../core/errors.ts';
import { ID_BYTES_MAX } from '../core/limits.ts';
import type { ServedNode } from '../node/served-node.ts';
import { dataPlane } from './data-plane.ts';
import { dxPlane } from './dx.ts';
import { healthPlane } from './health.ts';
import { asReplichartError, problemBody } from './problem.ts';

const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** A server that listens; the node it speaks for is handed in once it has started. */
export interface NodeServer<Node extends ServedNode> {
  readonly url: string;
  serve(node: Node): void;
  close(): Promise<void>;
}

/**
 * Serves the planes that every node has, and those that its role adds. Binds the address before anything else of the node is touched, so that a port in use leaves nothing behind.
 *
 * @throws ReplichartError `LISTEN_FAILED`
 */
export async function listen<Node extends ServedNode>(
  config: NodeConfig,
  address: string,
  planes: (app: FastifyInstance, served: () => Node) => void,
): Promise<NodeServer<Node>> {
  let node: Node | null = null;
  const served = (): Node => {
    if (node === null) throw new ReplichartError('NODE_STARTING', 'the node is starting');
    return node;
  };
  const app = await newApp(config);
  healthPlane(app, () => node);
  dxPlane(app, served);
  dataPlane(app, served);
  planes(app, served);
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  try {
    await app.listen({ host, port: Number(address.slice(colon + 1)) });
  } catch (error) {
    await app.close();
    throw new ReplichartError('LISTEN_FAILED', `cannot listen on ${address}: ${String(error)}`, {
      cause: error,
      evidence: { listen: address, error: (error as NodeJS.ErrnoException).code ?? null },
    });
  }
  const { port, family, address: bound } = app.server.address() as AddressInfo;
  const scheme = config.tlsCertFile === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${family === 'IPv6' ? `[${bound}]` : bound}:${port}`,
    serve(started) {
      node = started;
    },
    close: () => app.close(),
  };
}

async function newApp(config: NodeConfig): Promise<FastifyInstance> {
  const { tlsCertFile, tlsKeyFile, token } = config;
  const options = {
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    // Ids may be long, and every byte of one may be escaped.
    routerOptions: { maxParamLength: 3 * ID_BYTES_MAX },
    http: { maxHeaderSize: 4 * ID_BYTES_MAX },
  } as const;
  const app: FastifyInstance =
    tlsCertFile === undefined || tlsKeyFile === undefined
      ? fastify(options)
      : fastify({
          ...options,
          https: { cert: await readFile(tlsCertFile), key: await readFile(tlsKeyFile) },
        });
  app.setErrorHandler((thrown, _request, reply) => {
    const error = asReplichartError(thrown);
    void reply.code(ERRORS[error.code].status).type('application/problem+json').send(problemBody(error));
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new ReplichartError('NOT_FOUND', `there is no ${request.method} ${request.url}`);
    void reply.code(404).type('application/problem+json').send(problemBody(error));
  });
  if (token !== undefined)
    app.addHook('onRequest', async (request) => {
      if (request.url === '/livez') return;
      const sent = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (sent === undefined || !equalInConstantTime(sent, token))
        throw new ReplichartError('UNAUTHORIZED', 'the bearer token is missing or wrong');
    });
  return app;
}
