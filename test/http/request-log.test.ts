import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { ask, bearer, connection } from '../support/http.ts';
import { fixedPrimary, REQUESTS } from '../support/http-worlds.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A primary and the lines that it logs of its requests. */
async function logged(level: 'debug' | 'info' = 'debug', options: Parameters<typeof fixedPrimary>[0] = {}) {
  const text: string[] = [];
  let arrived: () => void = () => undefined;
  const write = (line: string) => {
    text.push(line);
    arrived();
  };
  const logger = pino({ level }, { write });
  const lines = () =>
    text
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'request')
      .map(({ time: _time, pid: _pid, hostname: _host, msg: _msg, ...line }) => line);
  /** A line is written when the answer is through, which its caller may know first. */
  const until = async (count: number) => {
    while (lines().length < count) await new Promise<void>((resolve) => (arrived = resolve));
    return lines();
  };
  return { ...(await fixedPrimary(options, { logger })), text, until };
}

describe('one line a request', () => {
  test('says the id, the method, the route and not the address, the status, and the code of a refusal', async () => {
    const { url, until } = await logged();
    const headers = { 'x-request-id': 'mine-1' };
    const ids = async (path: string, method = 'GET') =>
      (await ask(url, path, { method, headers })).headers['x-request-id'];
    expect(await ids('/data/v1/c/a?at=1')).toBe('mine-1');
    expect(await ids('/data/v1/c/none')).toBe('mine-1');
    expect(await ids('/v1/mvcc?digest_at=99')).toBe('mine-1');
    expect(await ids('/data/v1/commits', 'POST')).toBe('mine-1');
    expect(await ids('/nowhere')).toBe('mine-1');
    expect(await ids('/v1/status', 'HEAD')).toBe('mine-1');
    expect(await ids('/data/v1/c/%ff')).toBe('mine-1');
    expect(await ids('/v1/events?follow=0')).toBe('mine-1');
    const line = { level: 20, request_id: 'mine-1', method: 'GET' };
    expect(await until(8)).toEqual([
      { ...line, route: '/data/v1/:collection/:id', status: 200 },
      { ...line, route: '/data/v1/:collection/:id', status: 404 },
      { ...line, route: '/v1/mvcc', status: 503, code: 'VIEW_ABOVE_APPLIED' },
      { ...line, method: 'POST', route: '/data/v1/commits', status: 400, code: 'REQUEST_INVALID' },
      { ...line, route: null, status: 404, code: 'NOT_FOUND' },
      { ...line, method: 'HEAD', route: '/v1/status', status: 200 },
      { ...line, route: null, status: 400, code: 'REQUEST_INVALID' },
      { ...line, route: '/v1/events', status: 200 },
    ]);
  });

  test('also of a stream whose follower goes away, and of a caller who does not wait', async () => {
    const { url, until } = await logged();
    for (const path of [REQUESTS.getWalStream, '/v1/events']) {
      const { socket, closed } = await connection(url);
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nx-request-id: stream\r\n\r\n`);
      await new Promise((resolve) => socket.once('data', resolve));
      socket.destroy();
      await closed;
    }
    const { socket } = await connection(url);
    socket.write('POST /data/v1/commits HTTP/1.1\r\nhost: x\r\nx-request-id: half\r\n');
    socket.write('content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"ops":');
    // The server has the headers, and waits for the rest, as soon as it answers another connection.
    await ask(url, '/livez');
    socket.destroy();
    const lines = await until(4);
    const byId = (id: string) => lines.filter(({ request_id }) => request_id === id);
    expect(byId('stream').map(({ route, status }) => [route, status])).toEqual([
      ['/replication/v1/wal', 200],
      ['/v1/events', 200],
    ]);
    expect(byId('half')).toEqual([
      { level: 20, request_id: 'half', method: 'POST', route: '/data/v1/commits', status: null },
    ]);
  });

  test('is of level debug: the log of a node that is not asked for it holds none', async () => {
    const { url, text } = await logged('info');
    await ask(url, '/v1/status');
    await ask(url, '/v1/mvcc?digest_at=99');
    expect(text.filter((line) => line.includes('"request"'))).toEqual([]);
  });

  test('holds no token, no header and no query, whatever was sent', async () => {
    const tokens = {
      token: 'secret-c',
      replicationToken: 'secret-r',
      dataToken: 'secret-d',
      dxToken: 'secret-x',
    };
    const { url, until, text } = await logged('debug', tokens);
    for (const token of [...Object.values(tokens), 'secret-wrong'])
      for (const path of ['/v1/status?secret-q=1', '/data/v1/secret-p/a', '/secret-u', '/%ff?secret-q'])
        await ask(url, path, {
          headers: { ...bearer(token), cookie: 'secret-k', 'x-request-id': '\u00e9secret' },
        });
    await until(20);
    expect(text.join('')).not.toContain('secret');
  });
});

describe('the id of a request', () => {
  test.each([
    ['a UUID', '0d9e6c6e-7b5c-4a8f-9a30-1f2f3f4f5f6f', true],
    ['128 characters', 'x'.repeat(128), true],
    ['a path-like name', 'trace/1.2:3+4=5-6_7', true],
    ['129 characters', 'x'.repeat(129), false],
    ['nothing', '', false],
    ['a space', 'a b', false],
    ['a quote that could end a field', 'a","level":60,"x":"', false],
    ['a tab', 'a\tb', false],
    ['markup', '<script>', false],
    ['letters of no ASCII', 'h\u00e9', false],
  ])('%s', async (_name, id, isKept) => {
    const { url, until } = await logged();
    const { headers } = await ask(url, '/livez', { headers: { 'x-request-id': id } });
    const answered = headers['x-request-id'];
    expect(answered).toEqual(isKept ? id : expect.stringMatching(UUID));
    expect((await until(1))[0]).toMatchObject({ request_id: answered });
  });

  test('two of them are none, and every request without one gets its own', async () => {
    const { url } = await fixedPrimary();
    const both = await ask(url, '/livez', { headers: { 'x-request-id': ['a', 'b'] } });
    expect(both.headers['x-request-id']).toMatch(UUID);
    const ids = [await ask(url, '/livez'), await ask(url, '/livez')].map(
      ({ headers }) => headers['x-request-id'],
    );
    expect(new Set(ids).size).toBe(2);
  });
});
