import type { FastifyInstance } from 'fastify';
import { requestHandlerOf, type RequestHandler } from '../http/handler.ts';
import { mountPlanes, type Mounted } from '../http/planes.ts';
import type { ServedNode } from '../node/served-node.ts';
import type { Primary } from './create-primary.ts';
import type { Replica } from './create-replica.ts';
import { hostedBy } from './hosted.ts';

export type { RequestHandler } from '../http/handler.ts';

/** The planes of a node and its page, as they are served with `listen`, in a server of the host. */
export interface MountOptions {
  readonly node: Primary | Replica;
}

/**
 * A Fastify plugin (`app.register(replichartPlugin, { node, prefix: '/replica' })`): all planes of a node under the prefix, with
 * the tokens of the node's own configuration, and whatever hooks the host has around it. Register it before the server
 * listens. Ids longer than 100 bytes need `routerOptions: { maxParamLength }` of the host's server.
 *
 * @throws ReplichartError `CONFIG_INVALID` where `node` is no handle.
 */
export async function replichartPlugin(app: FastifyInstance, { node }: MountOptions): Promise<void> {
  mountPlanes(app, mountedOf(node));
}

/**
 * The same as a plain handler: for `createServer` of node:http, for Express (`app.use('/replica', handler)`), for anything that
 * strips its prefix off `request.url` and has not read the body. It ends with the node.
 *
 * @throws ReplichartError `CONFIG_INVALID` where `node` is no handle.
 */
export async function requestHandler(node: Primary | Replica): Promise<RequestHandler> {
  const handler = await requestHandlerOf(mountedOf(node));
  hostedBy(node).before(() => handler.close());
  return handler;
}

function mountedOf(handle: Primary | Replica): Mounted<ServedNode> {
  const { node, config, logger, planes } = hostedBy(handle);
  return { config, logger, planes, node: () => node };
}
