import { createServer, type AddressInfo } from 'node:net';

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** Different ones: each is held until all are found. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const PORT = /(?<=\b127\.0\.0\.1:)\d+/g;

/** What puts free ports into the place of those that a document names, each always the same. */
export async function onFreePorts(document: string): Promise<(text: string) => string> {
  const named = [...new Set([...document.matchAll(PORT)].map(([port]) => port))];
  const free = await freePorts(named.length);
  return (text) => text.replace(PORT, (port) => String(free[named.indexOf(port)] ?? port));
}
