import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CLUSTER, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';

const serving = async () => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir,
    clusterId: CLUSTER,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  return { primary, dataDir, url: primary.url as string };
};
const json = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('edges of the interfaces', () => {
  test('HEAD of the WAL stream is not answered: it would read all of it', async () => {
    const { url } = await serving();
    expect((await fetch(`${url}/replication/v1/wal?from_lsn=0`, { method: 'HEAD' })).status).toBe(404);
  });

  test('every acknowledged position can be resumed from, also of commits that shared a frame', async () => {
    const { primary, url } = await serving();
    const positions = await Promise.all([1, 2, 3].map((n) => primary.commit([put(`k${n}`, 'v')])));
    expect(new Set(positions.map(({ lsn }) => lsn)).size).toBe(1);
    for (const { commitId, lsn, historyHash } of positions) {
      const abort = new AbortController();
      const query = `from_lsn=${lsn}&commit_id=${commitId}&history_hash=${historyHash}`;
      const response = await fetch(`${url}/replication/v1/wal?${query}`, { signal: abort.signal });
      expect(response.status).toBe(200);
      abort.abort();
    }
  });

  test('a number that cannot be kept is refused, not stored as another value', async () => {
    const { primary, url } = await serving();
    const response = await fetch(`${url}/data/v1/commits`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"ops":[{"op":"put","collection":"c","id":"a","document":{"n":[1e999]}}]}',
    });
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      'COMMIT_INVALID',
    ]);
    expect(primary.position()?.commitId).toBe(0);
  });

  test('P5-I14: a node whose reads are blocked names the rule in its status', async () => {
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: 'http://127.0.0.1:1',
      listen: '127.0.0.1:0',
    });
    expect((await json(`${replica.url}/v1/status`)).body).toMatchObject({
      data: {
        replica_state: 'Disabled',
        blocking_reason: { code: 'READS_BLOCKED', invariant: 'P5-I12', rule: 'P5-I12 nodeIsActive' },
        failure: null,
      },
    });
  });

  test('an id of the largest size can be read', async () => {
    const { primary, url } = await serving();
    const id = 'ü'.repeat(30_000);
    await primary.commit([put('x'.repeat(5_000), '1')]);
    expect((await json(`${url}/data/v1/c/${'x'.repeat(5_000)}`)).body).toMatchObject({ found: true });
    await primary.commit([put(id, '1')]);
    expect((await json(`${url}/data/v1/c?limit=1&after=${'x'.repeat(5_000)}`)).body).toMatchObject({
      documents: [{ id }],
    });
  });

  test('paging goes over ids that are no UTF-8 text, and ends', async () => {
    const { primary, url } = await serving();
    const ids = [Buffer.from('a'), Buffer.from([0xff]), Buffer.from([0xff, 0xfe])];
    for (const id of ids) await primary.commit([{ op: 'put', collection: 'c', id, document: '1' }]);
    const seen: unknown[] = [];
    let after = '';
    for (let page = 0; page < 5; page += 1) {
      const { body } = await json(`${url}/data/v1/c?limit=1${after}`);
      seen.push(...(body['documents'] as unknown[]));
      const { next_after: text, next_after_base64: base64 } = body as Record<
        string,
        string | null | undefined
      >;
      if (text === null) break;
      after = text === undefined ? `&after_base64=${encodeURIComponent(base64 as string)}` : `&after=${text}`;
    }
    expect(seen).toMatchObject([{ id: 'a' }, { id_base64: '/w==' }, { id_base64: '//4=' }]);
  });

  test.each([
    'at=',
    'at=0x10',
    'at=1e3',
    'at=-1',
    'at=1&at=2',
    'limit=0',
    'limit=',
    'at=1&position=1:1:' + '0'.repeat(64),
  ])('a query of "%s" is refused, not guessed at', async (query) => {
    const { url } = await serving();
    expect((await json(`${url}/data/v1/c?${query}`)).body).toMatchObject({
      error: { code: 'REQUEST_INVALID' },
    });
  });

  test('F-S4: one damaged manifest does not hide the other snapshots', async () => {
    const { primary, dataDir, url } = await serving();
    await primary.commit([put('a', '1')]);
    await primary.createSnapshot();
    await primary.commit([put('a', '2')]);
    await primary.createSnapshot();
    const file = join(dataDir, 'snapshots', '2', 'manifest');
    const bytes = await readFile(file);
    bytes[40] = (bytes[40] as number) ^ 1;
    await writeFile(file, bytes);
    const { body } = await json(`${url}/replication/v1/snapshots`);
    expect(body).toMatchObject({
      data: { snapshots: [{ snapshot_id: '1' }] },
      notes: ['snapshot 2 has a damaged manifest'],
    });
  });
});
