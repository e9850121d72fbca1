import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client may take; milliseconds. Streams that are being answered have no limit of time. */
export const TIMEOUTS = {
  /** For all headers, from the moment of connecting on. */
  headersTimeout: 10_000,
  /** For a whole request with its body. */
  requestTimeout: 120_000,
  /** For the next request on a connection that stays open. */
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
};
export type Timeouts = Readonly<typeof TIMEOUTS>;

/**
 * Bounds the connections of a server. Above the bound the one goes that has had nothing answered for the longest, so
 * that clients who are silent, or say a byte now and then, cannot keep others out. Where every one is being answered,
 * the new one is closed at once.
 */
export function limitConnections(server: Server, connectionsMax: number): void {
  // Requests under way by connection; the connection that has waited longest stands first.
  const open = new Map<string, { readonly socket: Socket; requests: number }>();
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    const connection = { socket, requests: 0 };
    open.set(name, connection);
    socket.once('close', () => {
      if (open.get(name) === connection) open.delete(name);
    });
    if (open.size <= connectionsMax) return;
    const [longest] = [...open].filter(([, { requests }]) => requests === 0);
    if (longest === undefined) return;
    open.delete(longest[0]);
    longest[1].socket.destroy();
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const name = nameOf(request.socket);
    const connection = open.get(name);
    if (connection === undefined) return;
    connection.requests += 1;
    response.once('close', () => {
      connection.requests -= 1;
      if (open.get(name) !== connection) return;
      open.delete(name);
      open.set(name, connection);
    });
  });
}

/** Of a TLS connection the request has another socket than the server was told of; both have the same other end. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
