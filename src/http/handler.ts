import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServedNode } from '../node/served-node.ts';
import { TIMEOUTS } from './connections.ts';
import { mountPlanes, type Mounted } from './planes.ts';
import { newApp } from './server.ts';

/** For `createServer` of node:http, and for everything that takes such a function. */
export interface RequestHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  /** Ends the streams that are being answered. The node goes on. */
  close(): Promise<void>;
}

/** All planes of a node as a function; the server, its limits and its TLS are the host's. */
export async function requestHandlerOf<Node extends ServedNode>(
  mounted: Mounted<Node>,
): Promise<RequestHandler> {
  const app = await newApp({}, mounted.logger, TIMEOUTS);
  mountPlanes(app, mounted);
  await app.ready();
  const handle = (request: IncomingMessage, response: ServerResponse) => app.routing(request, response);
  return Object.assign(handle, { close: () => app.close() });
}
