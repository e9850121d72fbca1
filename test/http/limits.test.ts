import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Agent, request as secureRequest } from 'undici';
import { describe, expect, test } from 'vitest';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { TIMEOUTS } from '../../src/http/connections.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import { ask, codeOf, connection, type Connection } from '../support/http.ts';
import { fixedPrimary } from '../support/http-worlds.ts';
import { put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { servedOver, servedPrimary } from '../support/served-nodes.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const request = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;
const bodyOf = (answer: string) => ({ text: answer.slice(answer.indexOf('\r\n\r\n') + 4) });

describe('what is too large is refused with a reason', () => {
  test.each([
    ['headers', request('/livez', `x: ${'y'.repeat(300_000)}\r\n`), 'the headers are too large'],
    ['an address', request(`/${'y'.repeat(300_000)}`), 'the headers are too large'],
    ['what is no HTTP', 'hello\r\n\r\n', 'this is no HTTP request'],
    [
      'two lengths',
      request('/livez', 'content-length: 1\r\ncontent-length: 2\r\n'),
      'this is no HTTP request',
    ],
    ['an unknown method', 'BREW / HTTP/1.1\r\n\r\n', 'this is no HTTP request'],
  ])('%s', async (_name, sent, message) => {
    const { url } = await fixedPrimary();
    const { socket, closed } = await connection(url);
    socket.write(sent);
    const answer = await closed;
    expect(answer.split('\r\n').slice(0, 2)).toEqual([
      'HTTP/1.1 400 Bad Request',
      'Content-Type: application/problem+json',
    ]);
    expect(JSON.parse(bodyOf(answer).text)).toMatchObject({
      error: { code: 'REQUEST_INVALID', message },
      status: 400,
    });
    expect((await ask(url, '/livez')).status).toBe(200);
  });

  test('a name in an address: of the largest size it is read, above it is refused', async () => {
    const { url } = await fixedPrimary();
    const escaped = '%78'.repeat(65_535);
    expect((await ask(url, `/data/v1/c/${escaped}`)).status).toBe(404);
    const over = await ask(url, `/data/v1/c/${'x'.repeat(3 * 65_535 + 1)}`);
    expect([over.status, codeOf(over)]).toEqual([400, 'REQUEST_INVALID']);
    expect(over.text.length).toBeLessThan(1_000);
  });

  test('an address that there is not is not said back at length', async () => {
    const { url } = await fixedPrimary();
    const { status, text } = await ask(url, `/${'y'.repeat(200_000)}`);
    expect([status, text.length < 1_000]).toEqual([404, true]);
  });

  test('a body is refused by the length that it announces, before it comes', async () => {
    const { url, primary } = await fixedPrimary();
    const { socket, closed } = await connection(url);
    socket.write(
      'POST /data/v1/commits HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 67108865\r\n\r\n',
    );
    const [head = ''] = (await once(socket, 'data')) as [Buffer?];
    socket.destroy();
    await closed;
    const answer = head.toString();
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(codeOf(bodyOf(answer))).toBe('COMMIT_TOO_LARGE');
    expect(primary.position()?.commitId).toBe(3);
  });

  test('nested documents: a thousand levels are written and read, more are refused or shown as bytes', async () => {
    const { url, primary } = await fixedPrimary();
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    const commit = (levels: number) =>
      ask(url, '/data/v1/commits', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"ops":[{"op":"put","collection":"c","id":"deep","document":${nested(levels)}}]}`,
      });
    expect((await commit(1_000)).status).toBe(201);
    expect((await ask(url, '/data/v1/c/deep')).text).toContain(`"document":${nested(1_000)}}`);
    for (const levels of [1_002, 300_000]) {
      const refused = await commit(levels);
      expect([refused.status, codeOf(refused)]).toEqual([400, 'COMMIT_INVALID']);
    }
    await primary.commit([put('deep', nested(300_000))]);
    const { status, text } = await ask(url, '/data/v1/c/deep');
    expect(status).toBe(200);
    const { document_base64: shown } = JSON.parse(text) as { document_base64: string };
    expect(Buffer.from(shown, 'base64').toString()).toBe(nested(300_000));
  });
});

describe('a client who takes its time', () => {
  test('with its headers is told so and closed, however often it says a byte', async () => {
    const url = await servedOver(await servedPrimary(), {
      headersTimeout: 40,
      connectionsCheckingInterval: 10,
    });
    const { socket, closed } = await connection(url);
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nx: ');
    const drip = setInterval(() => socket.write('y'), 5);
    const answer = await closed;
    clearInterval(drip);
    expect(JSON.parse(bodyOf(answer).text)).toMatchObject({
      error: { code: 'REQUEST_INVALID', message: 'the request did not come in time' },
    });
    expect((await ask(url, '/livez')).status).toBe(200);
  });

  test('with its body is closed, and nothing is committed', async () => {
    const node = await servedPrimary();
    const url = await servedOver(node, {
      headersTimeout: 40,
      requestTimeout: 60,
      connectionsCheckingInterval: 10,
    });
    const { socket, closed } = await connection(url);
    socket.write('POST /data/v1/commits HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
    socket.write('content-length: 1000\r\n\r\n');
    const drip = setInterval(() => socket.write(' '), 5);
    await closed;
    clearInterval(drip);
    expect(node.applied()?.commitId).toBe(0);
  });

  test('between two requests is closed without a word, and a stream that is answered is not', async () => {
    const url = await servedOver(await servedPrimary(), {
      // Long enough for a busy machine to take a request in.
      headersTimeout: 400,
      requestTimeout: 600,
      keepAliveTimeout: 200,
      connectionsCheckingInterval: 100,
    });
    const stream = await connection(url);
    stream.socket.write(request('/v1/events'));
    await once(stream.socket, 'data');
    const idle = await connection(url);
    idle.socket.write(request('/livez'));
    expect((await idle.closed).match(/HTTP\/1.1/g)).toHaveLength(1);
    // Longer than every limit: five clients were closed one after the other.
    for (let n = 0; n < 5; n += 1) await (await connection(url)).closed;
    expect(stream.socket.readyState).toBe('open');
    stream.socket.destroy();
  });

  test('the limits of a node are those that are documented', () => {
    expect(TIMEOUTS).toEqual({
      headersTimeout: 10_000,
      requestTimeout: 120_000,
      keepAliveTimeout: 10_000,
      connectionsCheckingInterval: 2_000,
    });
  });
});

describe('as many connections as there may be', () => {
  const MAX = 8;
  const limited = () => fixedPrimary({ connectionsMax: MAX });

  async function connections(url: string, count: number, each: (one: Connection) => Promise<unknown>) {
    const made: Connection[] = [];
    for (let n = 0; n < count; n += 1) {
      const one = await connection(url);
      await each(one);
      made.push(one);
    }
    return made;
  }

  test.each([
    ['that never said anything', async () => undefined],
    [
      'that are in the middle of their headers',
      async ({ socket }: Connection) => socket.write('GET /livez HT'),
    ],
    [
      'that were answered, and stay',
      async ({ socket }: Connection) => {
        socket.write(request('/livez'));
        await once(socket, 'data');
      },
    ],
  ])('%s do not keep a new client out; the one that waits longest goes', async (_name, each) => {
    const { url } = await limited();
    const idle = await connections(url, MAX, each);
    expect((await ask(url, '/livez')).status).toBe(200);
    await idle[0]?.closed;
    expect(idle.slice(1).map(({ socket }) => socket.destroyed)).toEqual(Array(MAX - 1).fill(false));
    for (const { socket } of idle) socket.destroy();
  });

  test('over TLS as well', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      connectionsMax: MAX,
      tlsCertFile: fixture('tls-cert.pem'),
      tlsKeyFile: fixture('tls-key.pem'),
    });
    const url = primary.url as string;
    const idle = await connections(url, MAX, async () => undefined);
    const agent = new Agent({ connect: { rejectUnauthorized: false } });
    const { statusCode, body } = await secureRequest(`${url}/livez`, { dispatcher: agent });
    await body.dump();
    expect(statusCode).toBe(200);
    await idle[0]?.closed;
    await agent.destroy();
    for (const { socket } of idle) socket.destroy();
  });

  test('that are all being answered are kept, and the new client is closed at once', async () => {
    const { url } = await limited();
    const busy = await connections(url, MAX, async ({ socket }) => {
      socket.write(request('/v1/events'));
      await once(socket, 'data');
    });
    expect(await (await connection(url)).closed).toBe('');
    expect(busy.map(({ socket }) => socket.destroyed)).toEqual(Array(MAX).fill(false));
    busy[0]?.socket.destroy();
    await busy[0]?.closed;
    for (const { socket } of busy) socket.destroy();
  });
});

test('F-O1: a slow reader of the WAL holds no memory: it is read only as far as it is taken', async () => {
  const node = await servedPrimary({ replication: 'enabled' });
  const large = JSON.stringify('x'.repeat(3_000_000));
  for (let n = 0; n < 20; n += 1) await node.commit(prepareCommit([put(`k${n}`, large)]));
  let read = 0;
  const counted: PrimaryNode = {
    ...node,
    readWal: async (lsn, bytes) => {
      const found = await node.readWal(lsn, bytes);
      read += found.length;
      return found;
    },
  };
  const url = await servedOver(counted);
  const { socket } = await connection(url);
  let taken = 0;
  socket.write(request('/replication/v1/wal?from_lsn=0'));
  await once(socket, 'data');
  socket.pause();
  const before = async () => {
    // The reading has come to rest when a whole answer of another connection brings no more of it.
    for (let last = -1; last !== read; await ask(url, '/livez')) last = read;
    return read;
  };
  const atRest = await before();
  const end = node.applied()?.lsn ?? 0;
  expect(end).toBeGreaterThan(60_000_000);
  expect(atRest).toBeLessThan(end / 2);
  socket.on('data', (data: Buffer) => (taken += data.length));
  socket.resume();
  while (read < end || taken < end - atRest) await once(socket, 'data');
  expect(read).toBe(end);
  socket.destroy();
});
