import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface CommitsBody {
  readonly commits: readonly unknown[];
}

/**
 * A server that takes commits as a primary does, but only some requests: the next one is read and then its connection
 * is closed without an answer, or answered with `lastWords`.
 */
export async function brokenAfter(
  requests: number,
  lastWords?: string,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  let served = 0;
  let commitId = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (served === requests) {
        if (lastWords === undefined) request.socket.destroy();
        else response.end(lastWords);
        return;
      }
      served += 1;
      const { commits } = JSON.parse(Buffer.concat(parts).toString('utf8')) as CommitsBody;
      commitId += commits.length;
      const position = { commit_id: commitId, lsn: commitId, history_hash: '00' };
      response.writeHead(201).end(JSON.stringify({ commits: commits.length, commit_ids: [], position }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
