import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpWalSource } from '../../src/io/http-wal-source.ts';
import { afterTest } from '../support/nodes.ts';

interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** A primary that says whatever it is told to, and a source that asks it. */
export async function primaryThatSays() {
  let said: Said = { status: 500, body: '' };
  const server = createServer((_request, response) => {
    response.writeHead(said.status, { ...said.headers, connection: 'keep-alive' });
    response.end(said.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const source = httpWalSource({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  afterTest(async () => {
    await source.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { source, say: (next: Said) => (said = next) };
}
