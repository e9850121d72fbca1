import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';
import { ID_BYTES_MAX } from '../core/limits.ts';
import type { ServedNode } from '../node/served-node.ts';
import { requireTokens } from './access.ts';
import { limitConnections, TIMEOUTS, type Timeouts } from './connections.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from './contract/endpoints.ts';
import { dataPlane } from './data-plane.ts';
import { dxPlane } from './dx.ts';
import { healthPlane } from './health.ts';
import { listenOn } from './listen.ts';
import { allowOrigins } from './origins.ts';
import { answerNoRequest, answerProblem, answerProblems } from './problem.ts';
import { logRequest, logRequests } from './request-log.ts';

const BODY_BYTES_MAX = 64 * 1024 * 1024;

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
  planes: (app: FastifyInstance, served: () => Node) => void,
  timeouts: Timeouts = TIMEOUTS,
): Promise<NodeServer<Node>> {
  let node: Node | null = null;
  const served = (): Node => {
    if (node === null) throw new ReplichartError('NODE_STARTING', 'the node is starting');
    return node;
  };
  const app = await newApp(config, logger, timeouts);
  limitConnections(app.server, config.connectionsMax);
  logRequests(app, logger);
  answerProblems(app);
  // Before tokens are asked for: a page must be able to read that its token is missing.
  if (config.dx === 'enabled') allowOrigins(app, config.dxOrigins);
  requireTokens(app, config);
  healthPlane(app, () => node);
  if (config.dx === 'enabled') dxPlane(app, served, endpointsOf(config));
  dataPlane(app, served);
  planes(app, served);
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

/** What a node of this configuration serves: only a primary has a replication plane, and makes snapshots. */
function endpointsOf({ role }: NodeConfig): readonly EndpointName[] {
  return ENDPOINT_NAMES.filter(
    (name) => role === 'primary' || (ENDPOINTS[name].plane !== 'replication' && name !== 'postSnapshot'),
  );
}

async function newApp(
  { tlsCertFile, tlsKeyFile }: NodeConfig,
  logger: Logger,
  timeouts: Timeouts,
): Promise<FastifyInstance> {
  const http = { maxHeaderSize: 4 * ID_BYTES_MAX, ...timeouts };
  const options = {
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
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
