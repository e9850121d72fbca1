import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { rejection } from '../support/nodes.ts';
import { ask, isAlive, watchDemo, type Answered, type Watched } from './watched.ts';

describe('the server of a demonstration', { timeout: 120_000 }, () => {
  let demo: Watched;
  let early: { readonly page: Answered; readonly offers: Answered; readonly asked: Answered };
  beforeAll(async () => {
    demo = await watchDemo([], async (url) => {
      const [page, offers] = [await ask(url, '/'), await ask(url, '/actions')];
      early = { page, offers, asked: await ask(url, '/actions/kill-replica-b', { method: 'POST' }) };
    });
  }, 120_000);
  afterAll(() => demo.end());
  const host = () => new URL(demo.url).host;

  test('serves its page while everything is being proved, and lets nobody disturb that', () => {
    expect([early.page.status, early.offers.status, early.asked.status]).toEqual([200, 200, 409]);
    const offers = JSON.parse(early.offers.text) as { enabled: boolean; reason: string }[];
    expect(offers.filter(({ enabled }) => enabled)).toEqual([]);
    expect(early.asked.text).toContain('the proofs are still under way');
  });

  test('serves a page of all nodes that loads nothing from elsewhere', async () => {
    const { status, headers, text } = await ask(demo.url, '/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("connect-src 'self'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    for (const node of ['primary', 'replica-a', 'replica-b', 'replica-c'])
      expect(text).toContain(`nodes/${node}`);
  });

  test('serves the drawings of the charts, and no other file', async () => {
    const chart = await ask(demo.url, '/page/charts/node.svg');
    expect([chart.status, chart.headers['content-type']]).toEqual([200, 'image/svg+xml; charset=utf-8']);
    expect(chart.text).toContain('<svg');
    for (const name of ['nothing', '..%2Fnode', '%2e%2e%2fpackage', 'node.json'])
      expect([name, (await ask(demo.url, `/page/charts/${name}`)).status]).toEqual([name, 404]);
  });

  test('passes on the DX plane of every node as the node answers it', async () => {
    for (const node of ['primary', 'replica-a', 'replica-b', 'replica-c']) {
      const asked = '/v1/machine?chart=0';
      const { status, text } = await ask(demo.url, `/nodes/${node}${asked}`);
      const own = await ask(demo.nodes[node] ?? '', asked);
      expect(status).toBe(200);
      expect(Object.keys(JSON.parse(text) as object)).toEqual(Object.keys(JSON.parse(own.text) as object));
    }
    const halted = JSON.parse((await ask(demo.url, '/nodes/replica-c/v1/status')).text) as object;
    expect(halted).toMatchObject({ data: { machine_state: 'halted.resting' } });
    expect((await ask(demo.url, '/nodes/primary/metrics')).text).toContain('# TYPE');
    expect((await ask(demo.url, '/nodes/primary/v1/nothing')).status).toBe(404);
    expect((await ask(demo.url, '/nodes/primary/v1/mvcc?digest_at=x')).status).toBe(400);
  });

  test('passes on events while they happen, from where a follower was', async () => {
    const first = await nextEventId(`${demo.url}nodes/replica-a/v1/events`);
    const [run, sequence] = first.split(':');
    const next = await nextEventId(`${demo.url}nodes/replica-a/v1/events`, first);
    expect(next).toBe(`${run}:${Number(sequence) + 1}`);
  });

  test('passes on nothing else', async () => {
    const refused = [
      ['GET', '/nodes/primary/data/v1/cities'],
      ['POST', '/nodes/primary/data/v1/commits'],
      ['POST', '/nodes/primary/data/v1/snapshots'],
      ['GET', '/nodes/primary/replication/v1/identity'],
      ['POST', '/nodes/primary/v1/status'],
      ['DELETE', '/nodes/primary/v1/status'],
      ['GET', '/nodes/primary/v1/../data/v1/cities'],
      ['GET', '/nodes/primary/v1/%2e%2e/data/v1/cities'],
      ['GET', '/nodes/nobody/v1/status'],
      ['GET', '/nodes/constructor/v1/status'],
      ['GET', '/nodes/primary/'],
    ] as const;
    for (const [method, path] of refused)
      expect([method, path, (await ask(demo.url, path, { method })).status]).toEqual([method, path, 404]);
  });

  test('answers only who names it by the address that it listens on', async () => {
    const { port } = new URL(demo.url);
    for (const path of ['/', '/actions', '/nodes/primary/v1/status']) {
      for (const name of [
        'evil.example',
        `evil.example:${port}`,
        '127.0.0.1:1',
        `127.0.0.1.evil.example:${port}`,
      ])
        expect([path, name, (await ask(demo.url, path, { headers: { host: name } })).status]).toEqual([
          path,
          name,
          403,
        ]);
      for (const name of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`])
        expect([path, name, (await ask(demo.url, path, { headers: { host: name } })).status]).toEqual([
          path,
          name,
          200,
        ]);
    }
  });

  test('does nothing for the page of another origin', async () => {
    const foreign = [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `https://${host()}` },
      { origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `http://${host()}`, 'sec-fetch-site': 'cross-site' },
      { host: 'evil.example' },
    ];
    for (const headers of foreign)
      expect([headers, (await post('cut-replica-a', headers)).status]).toEqual([headers, 403]);
    const { text } = await ask(demo.url, '/nodes/replica-a/v1/status');
    expect(text).not.toContain('detached');
    const own = {
      origin: `http://${host()}`,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
    };
    expect((await post('cut-replica-a', own)).status).toBe(200);
    expect((await post('attach-replica-a', {})).status).toBe(200);
  });

  let pids: readonly number[] = [];
  test('keeps every node in a process of its own', async () => {
    pids = await demo.pids();
    expect(pids.filter(isAlive)).toHaveLength(4);
  });

  test('ends with the demonstration on SIGINT, also within an action, and nothing is left', async () => {
    demo.type('h');
    await demo.says('Fork the history …');
    demo.child.kill('SIGINT');
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(demo.err()).toContain('Fork the history: it did not come to its end');
    expect(await demo.leftBehind()).toEqual([]);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  const post = (id: string, headers: Record<string, string>) =>
    ask(demo.url, `/actions/${id}`, { method: 'POST', headers });

  function nextEventId(url: string, after?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = after === undefined ? {} : { 'last-event-id': after };
      const sent = request(url, { headers }, (answer) => {
        expect(answer.headers['content-type']).toBe('text/event-stream');
        // Whoever hangs up in the middle of a stream has an answer that was cut.
        answer.once('error', reject);
        createInterface({ input: answer }).on('line', (line) => {
          if (!line.startsWith('id: ')) return;
          resolve(line.slice('id: '.length));
          answer.destroy();
        });
      });
      sent.once('error', reject);
      sent.end();
    });
  }
});

test.each([
  [['demo', '--once', '--watch'], 2, "option '--watch' cannot be used with option '--once'"],
  [['demo', '--rows', '5'], 2, 'whole number from 100'],
  [['demo', '--watch', '--listen', '0.0.0.0:0'], 3, 'it must be HOST:PORT of a loopback address'],
  [['demo', '--watch', '--listen', '127.0.0.1'], 3, 'it must be HOST:PORT of a loopback address'],
])('%j is a mistake, and nothing is started', async (args, exit, message) => {
  const ran = await cli(args);
  expect([ran.exit, ran.out]).toEqual([exit, '']);
  expect(ran.err).toContain(message);
});

test(
  'the end of the input ends everything behind what was typed before it',
  { timeout: 120_000 },
  async () => {
    const demo = await watchDemo();
    try {
      const pids = await demo.pids();
      demo.type('k');
      demo.child.stdin?.end();
      expect(await demo.exited).toEqual({ code: 0, signal: null });
      expect(demo.err()).toContain('Kill replica B:\n  The process ended by SIGKILL');
      expect(demo.err()).toContain('Stopped: primary 0, replica-a 0, replica-c 5.');
      expect(pids.filter(isAlive)).toEqual([]);
      expect(await demo.leftBehind()).toEqual([]);
      expect(await demo.out).toContain('13 proofs hold');
    } finally {
      await demo.end();
    }
  },
);

test('an address that is in use is told before any node is started', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const { message } = (await rejection(watchDemo(['--listen', `127.0.0.1:${port}`]))) as Error;
    expect(message).toContain(`cannot listen on 127.0.0.1:${port}`);
    expect(message).not.toContain('Start a primary');
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
