import type { Server } from 'node:http';

/** How long a client may take; milliseconds. Streams that are being answered have no limit of time. */
export const TIMEOUTS = {
  /** For all headers, from the moment of connecting on. */
  headersTimeout: 10_000,
  /** For a whole request with its body. */
  requestTimeout: 120_000,
  /** For the next request on a connection that stays open. */
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
} as const;

/**
 * Bounds the connections of a server. Above the bound those go first that ask for nothing, so that idle clients cannot
 * keep busy ones out; a connection that finds no place even then is closed at once.
 */
export function limitConnections(server: Server, connectionsMax: number): void {
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
    if (open <= connectionsMax) return;
    const before = open;
    server.closeIdleConnections();
    // `closeIdleConnections` leaves out this one, which has not asked for anything yet.
    if (open > connectionsMax && open === before) socket.destroy();
  });
}
