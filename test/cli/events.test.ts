import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, sentEvents } from '../support/http.ts';
import { fixedPrimary, haltedReplica, RUN } from '../support/http-worlds.ts';
import { cli } from '../support/cli.ts';
import { afterTest, put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';

/** A server that answers with what the test says, and is no node. */
async function answering(body: string, type = 'text/event-stream', lengthMore = 0): Promise<string> {
  const server: Server = createServer((_request, response) => {
    response.writeHead(200, {
      'content-type': type,
      ...(lengthMore > 0 ? { 'content-length': Buffer.byteLength(body) + lengthMore } : {}),
    });
    response.write(body, () => (lengthMore > 0 ? response.destroy() : response.end()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const lines = (out: string) => out.trimEnd().split('\n');

describe('the transitions of a node', () => {
  test('as JSON: one object a line, what the node sent', async () => {
    const { url } = await fixedPrimary();
    const sent = sentEvents((await ask(url, '/v1/events?follow=0')).text);
    const { exit, out, err } = await cli(['events', url, '--json']);
    expect([exit, err]).toEqual([0, '']);
    expect(lines(out).map((line) => JSON.parse(line) as unknown)).toEqual(sent);
  });

  test('as text: id, event, from and to', async () => {
    const { url } = await fixedPrimary();
    const { exit, out, err } = await cli(['events', url]);
    expect([exit, err]).toEqual([0, '']);
    expect(lines(out)[0]).toBe(
      `${RUN}:1\txstate.done.actor.readIdentity\tinitializing.identifying -> initializing.provingIdentity`,
    );
  });

  test('P5-I10: the rule that does not hold and the halt are shown in the line of the step', async () => {
    const { url } = await haltedReplica();
    const { out } = await cli(['events', url]);
    const halting = lines(out).find((line) => line.includes('halted: WAL_CORRUPT'));
    expect(halting).toMatch(/\tnot P5-I\d+ \w+\thalted: WAL_CORRUPT$/);
  });

  test('--after: only those behind it, and what is missed is said', async () => {
    const { url } = await fixedPrimary();
    const all = lines((await cli(['events', url])).out);
    expect(lines((await cli(['events', url, '--after', `${RUN}:${all.length - 2}`])).out)).toEqual(
      all.slice(-2),
    );
    expect((await cli(['events', url, '--after', `${RUN}:${all.length}`])).out).toBe('');
    const foreign = RUN.replaceAll('e', 'f');
    const reason = `the node was started anew: this is run ${RUN}`;
    const missed = lines((await cli(['events', url, '--after', `${foreign}:7`])).out);
    expect(missed).toEqual([`missed\tall before 1: ${reason}`, ...all]);
    const [first] = lines((await cli(['events', url, '--after', `${foreign}:7`, '--json'])).out);
    expect(JSON.parse(first ?? '')).toEqual({
      id: null,
      event: 'missed',
      data: { run_id: RUN, missed_before: 1, reason },
    });
  });
});

describe('a refusal has the exit code of its error', () => {
  test.each([
    ['an id that is none', ['--after', 'x'], 2, 'REQUEST_INVALID'],
    ['no token', [], 1, 'UNAUTHORIZED'],
    ['a token file that is not there', ['--token-file', 'none'], 3, 'CONFIG_INVALID'],
  ])('%s', async (_name, flags, exit, code) => {
    const { url } = await fixedPrimary({ token: 'secret' });
    const file = join(await temporaryDirectory(), 'token');
    await writeFile(file, 'secret\n');
    const token = code === 'REQUEST_INVALID' ? ['--token-file', file] : [];
    const ran = await cli(['events', url, ...token, ...flags]);
    expect([ran.exit, ran.out]).toEqual([exit, '']);
    expect(ran.err).toContain(`replichart: ${code}: `);
    const json = await cli(['events', url, ...token, ...flags, '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code } });
    expect((await cli(['events', url, '--token-file', file])).exit).toBe(0);
  });

  test('a node that serves no DX plane, and one that is not there', async () => {
    const { url } = await fixedPrimary({ dx: 'disabled' });
    expect(await cli(['events', url])).toMatchObject({
      exit: 1,
      err: expect.stringContaining('NOT_FOUND') as string,
    });
    expect(await cli(['events', 'http://127.0.0.1:1'])).toMatchObject({
      exit: 1,
      err: expect.stringContaining('NODE_UNREACHABLE') as string,
    });
    expect((await cli(['events', 'here'])).exit).toBe(2);
    expect((await cli(['events'])).exit).toBe(2);
  });

  test('what is no node: an event that is no JSON, and a connection that is cut off', async () => {
    const first = 'id: 1\nevent: missed\ndata: {"missed_before":1,"reason":"r"}\n\n';
    const broken = await cli(['events', await answering(`${first}event: transition\ndata: {\n\n`)]);
    expect([broken.exit, broken.err]).toEqual([1, expect.stringContaining('does not answer as a node does')]);
    const cut = await cli(['events', await answering(first, 'text/event-stream', 10)]);
    expect([cut.exit, cut.out]).toEqual([1, 'missed\tall before 1: r\n']);
    expect(cut.err).toContain('the connection was lost');
    const page = await cli(['events', await answering('<html>', 'text/html')]);
    expect([page.exit, page.out]).toEqual([1, '']);
    expect(page.err).toContain('does not answer as a node does');
  });
});

describe('--follow', () => {
  /** The command as a process, and its lines as they come. */
  function following(url: string) {
    const process = runProcess(['events', url, '--follow', '--json']);
    const seen: { event: string; data: { to: string } }[] = [];
    let arrived: () => void = () => undefined;
    createInterface({ input: process.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      seen.push(JSON.parse(line) as (typeof seen)[number]);
      arrived();
    });
    const until = async (to: string) => {
      while (!seen.some(({ data }) => data.to === to))
        await new Promise<void>((resolve) => (arrived = resolve));
    };
    return { ...process, seen, until };
  }

  test('shows each line at once, and ends with 0 when the node stops', async () => {
    const { url, primary } = await fixedPrimary();
    const { until, exited, stderr } = following(url);
    await until('disabled');
    await primary.stop();
    expect([await exited, stderr()]).toEqual([{ code: 0, signal: null }, '']);
  });

  test('ends with an error when the node is gone without a word', async () => {
    const node = runProcess([
      ...['primary', '--data', await temporaryDirectory(), '--listen', '127.0.0.1:0'],
      ...['--json', '--log-level', 'silent'],
    ]);
    const { url } = await node.started;
    const { until, exited, stderr } = following(String(url));
    await until('disabled');
    node.child.kill('SIGKILL');
    expect((await exited).code).toBe(1);
    expect(stderr()).toBe('');
  });

  test('ends quietly when its reader goes away', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
    await primary.commit([put('a', '1')]);
    const { child, exited, stderr } = runProcess(['events', primary.url as string]);
    // Before the first line: the pipe is broken when it comes.
    child.stdout?.destroy();
    expect([await exited, stderr()]).toEqual([{ code: 0, signal: null }, '']);
  });
});
