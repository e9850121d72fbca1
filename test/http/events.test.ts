import { once } from 'node:events';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { configOf } from '../../src/api/node-host.ts';
import { listen, type NodeServer } from '../../src/http/server.ts';
import { TransitionBuffer } from '../../src/node/transition-buffer.ts';
import type { Transition } from '../../src/node/transitions.ts';
import { transitionEvent } from '../../src/http/contract/why.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import { ask, codeOf, connection, sentEvents } from '../support/http.ts';
import { fixedPrimary, haltedReplica, RUN, startFixedPrimary } from '../support/http-worlds.ts';
import { afterTest, temporaryDirectory } from '../support/nodes.ts';
import { servedPrimary } from '../support/served-nodes.ts';

const step = (sequence: number, event = 'x'): Transition => ({
  sequence,
  from: 'a',
  to: 'b',
  event,
  transitions: [],
  verdicts: [],
  positions: { received_lsn: null, validated: null, applied: null, primary_durable: null },
  halt: null,
});
const missed = (before: number, reason: string) => ({
  id: null,
  event: 'missed',
  data: { run_id: RUN, missed_before: before, reason },
});
const ONLY_NEWEST = 'only the newest transitions are kept';

/** A server that speaks for a node whose transitions the test makes. */
async function servedTransitions(kept?: number) {
  const buffer = new TransitionBuffer(RUN, kept);
  const node: ServedNode = { ...(await servedPrimary()), transitions: buffer };
  const config = configOf('primary', { dataDir: await temporaryDirectory() });
  const server: NodeServer<ServedNode> = await listen(
    config,
    '127.0.0.1:0',
    pino({ level: 'silent' }),
    () => undefined,
  );
  afterTest(() => server.close());
  return { buffer, server, node, url: server.url };
}

async function sent(url: string, query: string, headers: Record<string, string> = {}) {
  const { text } = await ask(url, `/v1/events?follow=0${query}`, { headers });
  return sentEvents(text);
}
const sequences = (events: Awaited<ReturnType<typeof sent>>) =>
  events.map(({ event, data }) =>
    event === 'missed' ? `missed ${String(data['missed_before'])}` : data['sequence'],
  );

/** A follower, and what it was sent so far. */
async function follower(url: string, path = '/v1/events') {
  const { socket, closed } = await connection(url);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  let came = '';
  socket.on('data', (data) => (came += data.toString('latin1')));
  /** What came before is not looked at again. */
  const until = async (part: string) => {
    while (!came.includes(part)) {
      came = came.slice(-part.length);
      await once(socket, 'data');
    }
  };
  return { socket, closed, until };
}

describe('P5-I14: transitions as server-sent events', () => {
  test('are the whole run from its first step on, each with the id to go on from', async () => {
    const { url, primary } = await fixedPrimary();
    const events = await sent(url, '');
    expect(events.length).toBeGreaterThan(10);
    for (const [index, { id, event, data }] of events.entries()) {
      expect([id, event, data['sequence']]).toEqual([`${RUN}:${index + 1}`, 'transition', index + 1]);
      expect(transitionEvent.strict().parse(data)).toEqual(data);
    }
    expect(events[0]?.data['from']).toBe('initializing.identifying');
    expect(events.at(-1)?.data['to']).toBe(primary.snapshot().value);
  });

  test('P5-I10: show the step that halts, with its verdict and its reason', async () => {
    const { url, replica } = await haltedReplica();
    const events = await sent(url, '');
    const halting = events.find(({ data }) => data['halt'] !== null);
    const { halt } = replica.snapshot().context;
    expect(halting?.data['halt']).toMatchObject({ code: halt?.code, rule: halt?.rule });
    const verdicts = halting?.data['verdicts'] as { rule_id: string; evaluation: string }[];
    expect(verdicts.at(-1)?.evaluation).toBe('violated');
    expect(verdicts.at(-1)?.rule_id).toBe(halt?.rule);
  });

  test('go on after the id of the last one that was seen, by header or by query', async () => {
    const { buffer, server, node, url } = await servedTransitions();
    server.serve(node);
    for (let n = 1; n <= 200; n += 1) buffer.append(step(n));
    const rest = (after: number) => Array.from({ length: 200 - after }, (_, index) => after + index + 1);
    expect(sequences(await sent(url, ''))).toEqual(rest(0));
    expect(sequences(await sent(url, `&last_event_id=${RUN}:150`))).toEqual(rest(150));
    expect(sequences(await sent(url, '', { 'last-event-id': `${RUN}:199` }))).toEqual([200]);
    expect(sequences(await sent(url, '', { 'last-event-id': `${RUN}:200` }))).toEqual([]);
    expect(sequences(await sent(url, '', { 'last-event-id': '' }))).toEqual(rest(0));
    // The query is what was typed; the header comes from the library of a browser.
    expect(sequences(await sent(url, `&last_event_id=${RUN}:198`, { 'last-event-id': `${RUN}:1` }))).toEqual([
      199, 200,
    ]);
  });

  test('who has fallen out of what is kept is told what it missed; who is new is not', async () => {
    const { buffer, server, node, url } = await servedTransitions(8);
    server.serve(node);
    for (let n = 1; n <= 20; n += 1) buffer.append(step(n));
    const kept = [13, 14, 15, 16, 17, 18, 19, 20];
    expect(await sent(url, `&last_event_id=${RUN}:11`)).toEqual([
      missed(13, ONLY_NEWEST),
      ...kept.map((n) => ({ id: `${RUN}:${n}`, event: 'transition', data: step(n) })),
    ]);
    expect(sequences(await sent(url, `&last_event_id=${RUN}:12`))).toEqual(kept);
    expect(sequences(await sent(url, ''))).toEqual(kept);
  });

  test('who comes with an id of another run, or of none yet, is told so and begins anew', async () => {
    const { buffer, server, node, url } = await servedTransitions();
    server.serve(node);
    buffer.append(step(1));
    const other = RUN.replaceAll('e', 'f');
    expect(await sent(url, `&last_event_id=${other}:1`)).toEqual([
      missed(1, `the node was started anew: this is run ${RUN}`),
      { id: `${RUN}:1`, event: 'transition', data: step(1) },
    ]);
    expect(await sent(url, `&last_event_id=${RUN}:9`)).toEqual([
      missed(1, 'this run has come to 1 only'),
      { id: `${RUN}:1`, event: 'transition', data: step(1) },
    ]);
  });

  test('after a restart of the node the ids of the run before are told as missed', async () => {
    const { primary, dataDir, url } = await fixedPrimary({}, { newUuid: () => RUN.replaceAll('e', 'f') });
    const last = (await sent(url, '')).at(-1)?.id;
    await primary.stop();
    const again = await startFixedPrimary(dataDir);
    const [first, second] = await sent(again.url as string, `&last_event_id=${last}`);
    expect(first).toEqual(missed(1, `the node was started anew: this is run ${RUN}`));
    expect(second?.id).toBe(`${RUN}:1`);
  });

  test.each(['x', '1', `${RUN}`, `${RUN}:`, `${RUN}:-1`, `${RUN}:1:2`, `${RUN}:1234567890123456`, ':1'])(
    'an id that is none (%s) is refused',
    async (id) => {
      const { url } = await fixedPrimary();
      const byHeader = await ask(url, '/v1/events?follow=0', { headers: { 'last-event-id': id } });
      const byQuery = await ask(url, `/v1/events?follow=0&last_event_id=${id}`);
      expect([byHeader.status, codeOf(byHeader)]).toEqual([400, 'REQUEST_INVALID']);
      expect([byQuery.status, codeOf(byQuery)]).toEqual([400, 'REQUEST_INVALID']);
    },
  );
});

describe('a follower', () => {
  test('is sent each transition when it happens', async () => {
    const { buffer, server, node, url } = await servedTransitions();
    server.serve(node);
    const { until, socket } = await follower(url);
    await until('retry: 1000');
    for (let n = 1; n <= 3; n += 1) {
      buffer.append(step(n));
      await until(`id: ${RUN}:${n}\n`);
    }
    socket.destroy();
  });

  test('that comes before the node has started is told so, and then misses nothing', async () => {
    const { buffer, server, node, url } = await servedTransitions();
    buffer.append(step(1));
    const early = await ask(url, '/v1/events');
    expect([early.status, codeOf(early)]).toEqual([503, 'NODE_STARTING']);
    server.serve(node);
    expect(sequences(await sent(url, ''))).toEqual([1]);
  });

  test('sees its stream end whole when the node stops', async () => {
    const { url, primary } = await fixedPrimary();
    const { closed, until } = await follower(url);
    await until(`:10\n`);
    await primary.stop();
    // The last chunk of a chunked answer is an empty one: nothing was cut off.
    expect((await closed).endsWith('\r\n0\r\n\r\n')).toBe(true);
  });

  test('that takes nothing does not keep the node from stopping', async () => {
    const { buffer, server, node, url } = await servedTransitions();
    server.serve(node);
    const { socket, until, closed } = await follower(url);
    await until('retry: 1000');
    socket.pause();
    const large = 'x'.repeat(100_000);
    for (let n = 1; n <= 200; n += 1) buffer.append(step(n, large));
    await ask(url, '/livez');
    await server.close();
    socket.resume();
    expect((await closed).endsWith('\r\n0\r\n\r\n')).toBe(false);
  });

  test('F-O1: one that is slow holds no memory: it is sent what it takes, and told what it missed', async () => {
    const { buffer, server, node, url } = await servedTransitions(64);
    let read = 0;
    const counted: Pick<TransitionBuffer, 'read'> = {
      read: (after, limit) => {
        const page = buffer.read(after, limit);
        read += page.transitions.length;
        return page;
      },
    };
    const transitions = new Proxy(buffer, {
      get: (target, name) => {
        const value: unknown = name === 'read' ? counted.read : Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    server.serve({ ...node, transitions });
    const { socket, until } = await follower(url);
    await until('retry: 1000');
    socket.pause();
    // Far more than the sockets between the two can hold.
    const large = 'x'.repeat(256 * 1024);
    for (let n = 1; n <= 500; n += 1) {
      buffer.append(step(n, large));
      if (n % 50 === 0) await ask(url, '/livez');
    }
    // One page was taken out for it and waits to be sent; of all the rest nothing was touched.
    expect(read).toBeLessThanOrEqual(2 * 64);
    socket.resume();
    await until('event: missed');
    await until(`id: ${RUN}:500\n`);
    socket.destroy();
  });
});
