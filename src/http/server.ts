import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { NodeConfig } from '../core/config.ts';
import { ID_BYTES_MAX } from '../core/limits.ts';
import type { ServedNode } from '../node/served-node.ts';
import { limitConnections, TIMEOUTS, type Timeouts } from './connections.ts';
import { listenOn } from './listen.ts';
import { mountPlanes, type RolePlanes } from './planes.ts';
import { answerNoRequest, answerProblem } from './problem.ts';
import { logRequest } from './request-log.ts';

/** A server that listens; the node it speaks for is handed in once it has started. */
export interface NodeServer<Node extends ServedNode> {
  readonly url: string;
  serve(node: Node): void;
  close(): Promise<void>;
}

/**
 * Serves the planes that every node has, and those that its role adds. Binds the address before anything else of the
 * node is touched, so that a port in use leaves nothing behind.
 *
 * @throws ReplichartError `LISTEN_FAILED`
 */
export async function listen<Node extends ServedNode>(
  config: NodeConfig,
  address: string,
  logger: Logger,
  planes: RolePlanes<Node>,
  timeouts: Timeouts = TIMEOUTS,
): Promise<NodeServer<Node>> {
  let node: Node | null = null;
  const app = await newApp(config, logger, timeouts);
  limitConnections(app.server, config.connectionsMax);
  mountPlanes(app, { config, logger, node: () => node, planes });
  const listening = await listenOn(app, address);
  const scheme = config.tlsCertFile === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${listening}`,
    serve(started) {
      node = started;
    },
    close: () => app.close(),
  };
}

/** A server without a route. */
export async function newApp(
  { tlsCertFile, tlsKeyFile }: Pick<NodeConfig, 'tlsCertFile' | 'tlsKeyFile'>,
  logger: Logger,
  timeouts: Timeouts,
): Promise<FastifyInstance> {
  const http = { maxHeaderSize: 4 * ID_BYTES_MAX, ...timeouts };
  const options = {
    logger: false,
    forceCloseConnections: true,
    requestTimeout: timeouts.requestTimeout,
    keepAliveTimeout: timeouts.keepAliveTimeout,
    clientErrorHandler: answerNoRequest,
    // An address that cannot be read finds no route, and passes no hook.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      logRequest(request, reply, logger);
      answerProblem(error, reply);
    },
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    // Ids may be long, and every byte of one may be escaped.
    routerOptions: { maxParamLength: 3 * ID_BYTES_MAX },
  } as const;
  return tlsCertFile === undefined || tlsKeyFile === undefined
    ? fastify({ ...options, http })
    : fastify({
        ...options,
        https: { ...http, cert: await readFile(tlsCertFile), key: await readFile(tlsKeyFile) },
      });
}

/**
 * What is asked and answered is held against the contract (`answer.ts`), not by Fastify's own schemas. Their compilers are
 * not even loaded: that is a fifth of the time in which a node starts.
 */
function noCompiler(): never {
  throw new Error('no route has a schema of Fastify');
}
