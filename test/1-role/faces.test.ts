import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  CLUSTER,
  NODE,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';

const json = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const post = (url: string, body: unknown) =>
  json(`${url}/data/v1/commits`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('P5-I6: a replica refuses every write', () => {
  test('by library and by HTTP, and nothing is written', async () => {
    const dataDir = await temporaryDirectory();
    const replica = await startReplica({ dataDir, primaryUrl: 'http://127.0.0.1:1', listen: '127.0.0.1:0' });
    const before = await readdir(dataDir);
    expect(await rejection(replica.commit([put('a', '1')]))).toMatchObject({
      code: 'WRITE_REFUSED',
      invariant: 'P5-I6',
    });
    const { status, body } = await post(replica.url as string, { ops: [] });
    expect([status, body['error']]).toEqual([
      403,
      {
        code: 'WRITE_REFUSED',
        invariant: 'P5-I6',
        message: 'this node is a replica; only the primary makes commits',
        evidence: {},
      },
    ]);
    expect(await readdir(dataDir)).toEqual(before);
    expect(before).toEqual(['identity']);
  });

  test('P5-I14: the role can be seen', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, listen: '127.0.0.1:0', clusterId: CLUSTER, nodeId: NODE });
    const { commitId, lsn, historyHash } = await primary.commit([put('a', '1')]);
    expect((await json(`${primary.url}/v1/status`)).body).toEqual({
      api_version: 'v1',
      observed_at: { snapshot: 'live', commit_id: 1 },
      data: {
        role: 'primary',
        node_id: NODE,
        cluster_id: CLUSTER,
        replication: 'disabled',
        replica_state: 'Disabled',
        machine_state: 'disabled',
        position: { commit_id: commitId, lsn, history_hash: historyHash },
        blocking_reason: null,
        failure: null,
      },
      notes: [],
    });
    const replica = await startReplica({
      dataDir: join(dataDir, 'r'),
      primaryUrl: 'http://127.0.0.1:1',
      listen: '127.0.0.1:0',
    });
    const status = (await json(`${replica.url}/v1/status`)).body;
    expect(status['data']).toMatchObject({ role: 'replica', replica_state: 'Disabled', position: null });
    expect((await json(`${primary.url}/readyz`)).status).toBe(200);
    expect(await json(`${replica.url}/readyz`)).toEqual({
      status: 503,
      body: { ready: false, reasons: ['P5-I12 nodeIsActive', 'P5-I4 prefixHolds', 'P5-I12 viewIsApplied'] },
    });
    expect((await json(`${replica.url}/livez`)).status).toBe(200);
    expect((await json(`${replica.url}/data/v1/c/a`)).body).toMatchObject({
      error: { code: 'READS_BLOCKED' },
    });
  });
});

describe('the data plane', () => {
  test('commits and reads documents, each reply with its position', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
    const url = primary.url as string;
    const one = await post(url, { ops: [{ op: 'put', collection: 'c', id: 'a', document: { n: 1 } }] });
    expect(one).toMatchObject({ status: 201, body: { commit_id: 1 } });
    const many = await post(url, {
      commits: [
        { ops: [{ op: 'put', collection: 'c', id: 'b', document: null }] },
        { ops: [{ op: 'delete', collection: 'c', id: 'a' }] },
      ],
    });
    expect(many).toMatchObject({
      status: 201,
      body: { commits: 2, commit_ids: [2, 3], position: { commit_id: 3 } },
    });
    const position = many.body['position'];
    expect(await json(`${url}/data/v1/c/a?at=2`)).toEqual({
      status: 200,
      body: {
        position,
        view: { commit_id: 2 },
        collection: 'c',
        id: 'a',
        found: true,
        version_commit_id: 1,
        document: { n: 1 },
      },
    });
    expect(await json(`${url}/data/v1/c/a`)).toEqual({
      status: 404,
      body: { position, view: { commit_id: 3 }, collection: 'c', id: 'a', found: false },
    });
    expect((await json(`${url}/data/v1/c?at=2&limit=1`)).body).toEqual({
      position,
      view: { commit_id: 2 },
      collection: 'c',
      documents: [{ id: 'a', version_commit_id: 1, document: { n: 1 } }],
      next_after: 'a',
    });
    expect((await json(`${url}/data/v1/c?at=2&after=a`)).body).toMatchObject({
      documents: [{ id: 'b', version_commit_id: 2, document: null }],
      next_after: null,
    });
  });

  test.each([
    ['malformed JSON', '{', 'REQUEST_INVALID', /JSON/],
    [
      'an unknown op',
      { ops: [{ op: 'merge', collection: 'c', id: 'a' }] },
      'REQUEST_INVALID',
      /^body\.ops\.0\.op: /,
    ],
    [
      'an unknown field',
      { ops: [{ op: 'delete', collection: 'c', id: 'a', x: 1 }] },
      'REQUEST_INVALID',
      /body\.ops\.0: .*"x"/,
    ],
    [
      'a put without a document',
      { ops: [{ op: 'put', collection: 'c', id: 'a' }] },
      'REQUEST_INVALID',
      /body\.ops\.0\.document: a put needs a document/,
    ],
    [
      'an empty id',
      { ops: [{ op: 'delete', collection: 'c', id: '' }] },
      'COMMIT_INVALID',
      /operation 0: id has 0 bytes/,
    ],
    [
      'an oversized document',
      { ops: [{ op: 'put', collection: 'c', id: 'a', document: 'x'.repeat(5_000_000) }] },
      'COMMIT_TOO_LARGE',
      /at most 4194232 bytes/,
    ],
    [
      'one bad commit among good ones',
      {
        commits: [
          { ops: [{ op: 'put', collection: 'c', id: 'a', document: 1 }] },
          { ops: [{ op: 'delete', collection: '', id: 'a' }] },
        ],
      },
      'COMMIT_INVALID',
      /collection has 0 bytes/,
    ],
  ])('%s: 400 with the rule, nothing committed', async (_name, body, code, message) => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
    const answer = await post(primary.url as string, body);
    expect(answer.status).toBe(400);
    expect(answer.body['error']).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(primary.position()?.commitId).toBe(0);
  });

  test('a token is required of everyone once it is configured', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      token: 'secret',
    });
    const url = `${primary.url}/v1/status`;
    expect((await json(url)).body).toMatchObject({ error: { code: 'UNAUTHORIZED' }, status: 401 });
    expect((await json(url, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await json(url, { headers: { authorization: 'Bearer secret' } })).status).toBe(200);
  });

  test('a port in use: a clear error, nothing written', async () => {
    const first = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
    const dataDir = await temporaryDirectory();
    const listen = (first.url as string).slice('http://'.length);
    expect(await rejection(startPrimary({ dataDir, listen }))).toMatchObject({
      code: 'LISTEN_FAILED',
      evidence: { listen, error: 'EADDRINUSE' },
    });
    expect(await readdir(dataDir)).toEqual([]);
  });
});
