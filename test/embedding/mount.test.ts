import { fastify } from 'fastify';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { replichartPlugin, requestHandler } from '../../src/api/mount.ts';
import type { Primary } from '../../src/index.ts';
import {
  afterTest,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';

const TOKEN = 'a-token-of-sixteen-characters-and-more';

async function primaryWithoutServer(options: object = {}): Promise<Primary> {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    replication: 'enabled',
    ...options,
  });
  await primary.commit([put('a', '{"n":1}')]);
  return primary;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function asked(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

/** A host with a route, a hook and an answer to errors of its own, and two nodes beside each other. */
async function fastifyHost(primary: Primary, more: (url: string) => Promise<unknown> = async () => null) {
  const app = fastify({ forceCloseConnections: true });
  const seen: string[] = [];
  app.addHook('onRequest', async ({ url }) => void seen.push(url));
  app.get('/own', async () => ({ own: true }));
  app.get('/broken', async () => {
    throw new Error('of the host');
  });
  await app.register(replichartPlugin, { node: primary, prefix: '/nodes/primary' });
  await more('');
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  afterTest(() => app.close());
  return { app, url, seen };
}

describe('a node in a server of its host', () => {
  test('Fastify: all planes under a prefix, and a replica follows from there', async () => {
    const primary = await primaryWithoutServer();
    const { url, seen } = await fastifyHost(primary);
    const base = `${url}/nodes/primary`;
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: base,
      replication: 'enabled',
    });
    await appliedCommit(replica, 1);
    expect(await asked(`${base}/data/v1/c/a`)).toMatchObject([200, expect.stringContaining('{"n":1}')]);
    const posted = await fetch(`${base}/data/v1/commits`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ops: [{ op: 'put', collection: 'c', id: 'b', document: { n: 2 } }] }),
    });
    expect(posted.status).toBe(201);
    await appliedCommit(replica, 2);
    expect((await asked(`${base}/readyz`))[0]).toBe(200);
    expect((await asked(`${base}/`))[1]).toContain('<title>');
    expect((await asked(`${base}/openapi.json`))[0]).toBe(200);
    expect(seen).toContain('/nodes/primary/readyz');
  });

  test('Fastify: the host keeps its own routes, its own errors and its own unknown addresses', async () => {
    const { url } = await fastifyHost(await primaryWithoutServer());
    expect(await asked(`${url}/own`)).toEqual([200, '{"own":true}']);
    expect(await asked(`${url}/broken`)).toMatchObject([500, expect.stringContaining('of the host')]);
    expect(await asked(`${url}/nothing`)).toMatchObject([404, expect.not.stringContaining('NOT_FOUND')]);
    expect(await asked(`${url}/nodes/primary/nothing`)).toMatchObject([
      404,
      expect.stringContaining('"code":"NOT_FOUND"'),
    ]);
  });

  test('the tokens of the node are asked for, and only by its own routes', async () => {
    const primary = await primaryWithoutServer({ dataToken: TOKEN, dxToken: TOKEN });
    const { url } = await fastifyHost(primary);
    const base = `${url}/nodes/primary`;
    expect((await asked(`${base}/v1/status`))[0]).toBe(401);
    expect((await asked(`${base}/data/v1/c/a`))[0]).toBe(401);
    expect((await asked(`${base}/v1/status`, { headers: { authorization: `Bearer ${TOKEN}` } }))[0]).toBe(
      200,
    );
    expect((await asked(`${url}/own`))[0]).toBe(200);
  });

  test('node:http: a handler behind a prefix that the host strips off; it ends with the node', async () => {
    const primary = await primaryWithoutServer();
    const handler = await requestHandler(primary);
    const server = createServer((request, response) => {
      if (!request.url?.startsWith('/db/')) return void response.writeHead(418).end('the host');
      request.url = request.url.slice('/db'.length);
      handler(request, response);
    });
    const url = await listening(server);
    expect(await asked(`${url}/else`)).toEqual([418, 'the host']);
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: `${url}/db`,
      replication: 'enabled',
    });
    await appliedCommit(replica, 1);
    const events = await fetch(`${url}/db/v1/events`);
    await primary.stop();
    expect(await events.text()).toContain('event:');
    expect((await asked(`${url}/db/readyz`))[0]).toBe(503);
  });

  test('of what is no node there is nothing to mount', async () => {
    const app = fastify();
    app.register(replichartPlugin, { node: {} as Primary });
    expect(await rejection(app.ready() as unknown as Promise<unknown>)).toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(await rejection(requestHandler({} as Primary))).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
