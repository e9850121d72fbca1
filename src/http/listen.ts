import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ReplichartError } from '../core/errors.ts';

/**
 * Listens on `HOST:PORT` (`[…]` around an IPv6 host; port 0: any that is free), and tells where that is.
 *
 * @throws ReplichartError `LISTEN_FAILED`; the application is closed then.
 */
export async function listenOn(app: FastifyInstance, address: string): Promise<string> {
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
  const { address: bound, family, port } = app.server.address() as AddressInfo;
  return `${family === 'IPv6' ? `[${bound}]` : bound}:${port}`;
}
