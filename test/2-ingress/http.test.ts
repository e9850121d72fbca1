import { createServer, type Server, type Socket } from 'node:net';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { httpWalSource } from '../../src/io/http-wal-source.ts';
import { decodeNotice, NOTICE_BYTES } from '../../src/core/wal/notice.ts';
import type { Primary } from '../../src/index.ts';
import {
  afterTest,
  CLUSTER,
  OTHER_CLUSTER,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { detached, halted, receivedLsn } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';

const serving = async (options: Partial<Parameters<typeof startPrimary>[0]> = {}) => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, listen: '127.0.0.1:0', replication: 'enabled', ...options });
  return { primary, dataDir, url: primary.url as string };
};
const following = async (primaryUrl: string, dataDir?: string) => {
  const directory = dataDir ?? (await temporaryDirectory());
  return {
    dataDir: directory,
    replica: await startReplica({
      dataDir: directory,
      primaryUrl,
      replication: 'enabled',
      listen: '127.0.0.1:0',
    }),
  };
};
const commits = async (primary: Primary, count: number) => {
  for (let n = 0; n < count; n += 1) await primary.commit([put(`k${n % 50}`, `v${n}`)]);
};
const get = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
/** The first `bytes` of an endless answer. */
async function firstBytes(url: string, bytes: number): Promise<{ headers: Headers; bytes: Buffer }> {
  const abort = new AbortController();
  const response = await fetch(url, { signal: abort.signal });
  const parts: Uint8Array[] = [];
  let have = 0;
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    parts.push(part);
    have += part.length;
    if (have >= bytes) break;
  }
  abort.abort();
  return { headers: response.headers, bytes: Buffer.concat(parts) };
}

/** A TCP relay between replica and primary that a test can cut or stall. */
async function relayTo(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let stalled = false;
  const { connect } = await import('node:net');
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.pipe(upstream);
    upstream.on('data', (data) => void (stalled || client.write(data)));
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  afterTest(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    cut,
    stall: () => (stalled = true),
  };
}

describe('a replica follows a primary over HTTP', () => {
  test('P5-I4: catches up, follows live, and its files are a byte prefix of the primary’s', async () => {
    const { primary, dataDir, url } = await serving();
    await commits(primary, 200);
    const { replica, dataDir: replicaDir } = await following(url);
    await receivedLsn(replica, primary.position()?.lsn as number);
    await commits(primary, 100);
    await receivedLsn(replica, primary.position()?.lsn as number);
    expect(await walBytes(replicaDir)).toEqual(await walBytes(dataDir));
    expect(replica.snapshot().context.primaryDurable?.commitId).toBeGreaterThanOrEqual(200);
    const status = await get(`${replica.url}/v1/status`);
    expect(status.body['data']).toMatchObject({
      role: 'replica',
      cluster_id: primary.identity.clusterId,
    });
  });

  test('a replica that was stopped goes on where it was', async () => {
    const { primary, dataDir, url } = await serving();
    await commits(primary, 20);
    const first = await following(url);
    await receivedLsn(first.replica, primary.position()?.lsn as number);
    await first.replica.stop();
    await commits(primary, 20);
    const second = await following(url, first.dataDir);
    await receivedLsn(second.replica, primary.position()?.lsn as number);
    expect(await walBytes(first.dataDir)).toEqual(await walBytes(dataDir));
  });

  test('F-N1: a cut connection detaches with its cause; attaching again goes on', async () => {
    const { primary, url } = await serving();
    await commits(primary, 5);
    const relay = await relayTo(url);
    const { replica } = await following(relay.url);
    await receivedLsn(replica, primary.position()?.lsn as number);
    relay.cut();
    expect((await detached(replica)).context.detachment).toMatch(/^connection lost: /);
    await commits(primary, 5);
    replica.attach();
    await receivedLsn(replica, primary.position()?.lsn as number);
  });

  test('F-N1: a silent connection is noticed, and said to be lost', async () => {
    const { primary, url } = await serving();
    await commits(primary, 1);
    const relay = await relayTo(url);
    const source = httpWalSource({ url: relay.url, silenceMs: 1_500 });
    afterTest(() => source.close());
    const replica = await startReplica(
      { dataDir: await temporaryDirectory(), primaryUrl: relay.url, replication: 'enabled' },
      { walSource: () => source },
    );
    await receivedLsn(replica, primary.position()?.lsn as number);
    relay.stall();
    expect((await detached(replica)).context.detachment).toMatch(/^connection lost: .*Timeout/i);
  });

  test('P5-I1: a primary of another cluster at the same address halts', async () => {
    const first = await serving({ clusterId: CLUSTER });
    const { replica, dataDir } = await following(first.url);
    await receivedLsn(replica, 96);
    await replica.stop();
    const second = await serving({ clusterId: OTHER_CLUSTER });
    const again = await following(second.url, dataDir);
    expect((await halted(again.replica)).context.halt).toMatchObject({
      code: 'CLUSTER_FOREIGN',
      invariant: 'P5-I4',
    });
  });

  test('F-V3: a primary that lost history, restored from an old copy, halts the replica', async () => {
    const first = await serving({ clusterId: CLUSTER });
    await commits(first.primary, 3);
    const { replica, dataDir } = await following(first.url);
    await receivedLsn(replica, first.primary.position()?.lsn as number);
    await replica.stop();
    const second = await serving({ clusterId: CLUSTER });
    await commits(second.primary, 1);
    const ahead = await following(second.url, dataDir);
    expect((await halted(ahead.replica)).context.halt).toMatchObject({ code: 'HISTORY_DIVERGED' });
  });
});

describe('the first start of a replica', () => {
  test.each([
    ['an unreachable primary', 'http://127.0.0.1:9', 'PRIMARY_UNREACHABLE'],
    ['a host that does not exist', 'http://no-such-host.invalid', 'PRIMARY_UNREACHABLE'],
  ])('%s: a clear error, nothing written', async (_name, primaryUrl, code) => {
    const dataDir = await temporaryDirectory();
    expect(await rejection(startReplica({ dataDir, primaryUrl, replication: 'enabled' }))).toMatchObject({
      code,
    });
    expect(await readdir(dataDir)).toEqual([]);
  });

  test('a wrong token, and a primary with replication disabled: a clear error, nothing written', async () => {
    const dataDir = join(await temporaryDirectory(), 'not-yet');
    const guarded = await serving({ token: 'right' });
    expect(
      await rejection(
        startReplica({ dataDir, primaryUrl: guarded.url, primaryToken: 'wrong', replication: 'enabled' }),
      ),
    ).toMatchObject({ code: 'UNAUTHORIZED' });
    const disabled = await serving({ replication: 'disabled' });
    expect(
      await rejection(startReplica({ dataDir, primaryUrl: disabled.url, replication: 'enabled' })),
    ).toMatchObject({ code: 'REPLICATION_DISABLED' });
    await expect(readdir(dataDir)).rejects.toThrow('ENOENT');
    const replica = await startReplica({
      dataDir,
      primaryUrl: guarded.url,
      primaryToken: 'right',
      replication: 'enabled',
    });
    await receivedLsn(replica, 96);
  });
});

describe('what the primary serves', () => {
  test('its identity', async () => {
    const { primary, url } = await serving({ clusterId: CLUSTER });
    await commits(primary, 2);
    const { commitId, lsn, historyHash } = primary.position() as {
      commitId: number;
      lsn: number;
      historyHash: string;
    };
    expect((await get(`${url}/replication/v1/identity`)).body).toEqual({
      api_version: 'v1',
      observed_at: { snapshot: 'live', commit_id: 2 },
      data: {
        cluster_id: CLUSTER,
        node_id: primary.identity.nodeId,
        format_version: 1,
        oldest_lsn: 0,
        durable: { commit_id: commitId, lsn, history_hash: historyHash },
      },
      notes: [],
    });
  });

  test('raw WAL from every frame boundary, and nothing but WAL unless notices are asked for', async () => {
    const { primary, dataDir, url } = await serving();
    const positions = [];
    for (let n = 0; n < 4; n += 1) positions.push(await primary.commit([put('a', `${n}`)]));
    const wal = await walBytes(dataDir);
    for (const { lsn, commitId, historyHash } of positions.slice(0, 3)) {
      const query = `from_lsn=${lsn}&history_hash=${historyHash}&commit_id=${commitId}`;
      const answer = await firstBytes(`${url}/replication/v1/wal?${query}`, wal.length - lsn);
      expect(answer.bytes).toEqual(wal.subarray(lsn));
      expect(answer.headers.get('replichart-start-lsn')).toBe(String(lsn));
      expect(answer.headers.get('replichart-cluster-id')).toBe(primary.identity.clusterId);
    }
    const end = wal.length;
    const idle = await firstBytes(
      `${url}/replication/v1/wal?from_lsn=${end}&notice_interval_ms=20`,
      NOTICE_BYTES,
    );
    expect(decodeNotice(idle.bytes.subarray(0, NOTICE_BYTES))).toEqual(positions[3]);
  });

  test.each([
    ['no frame boundary', 'from_lsn=100', 400, 'POSITION_INVALID'],
    ['beyond history', 'from_lsn=100000', 409, 'HISTORY_DIVERGED'],
    ['another hash', `from_lsn=96&history_hash=${'ab'.repeat(32)}`, 409, 'HISTORY_DIVERGED'],
    ['another commit id', 'from_lsn=96&commit_id=5', 409, 'HISTORY_DIVERGED'],
    ['no number', 'from_lsn=x', 400, 'REQUEST_INVALID'],
    ['nothing', '', 400, 'REQUEST_INVALID'],
    ['half a hash', 'from_lsn=96&history_hash=abc', 400, 'REQUEST_INVALID'],
  ])('a position that is %s', async (_name, query, status, code) => {
    const { primary, url } = await serving();
    await commits(primary, 3);
    const answer = await get(`${url}/replication/v1/wal?${query}`);
    expect([answer.status, (answer.body['error'] as { code: string }).code]).toEqual([status, code]);
  });

  test('P5-I16: nothing of it while replication is disabled', async () => {
    const { url } = await serving({ replication: 'disabled' });
    for (const path of ['identity', 'wal?from_lsn=0'])
      expect((await get(`${url}/replication/v1/${path}`)).body).toMatchObject({
        error: { code: 'REPLICATION_DISABLED' },
      });
  });

  test('a follower that does not read costs no memory that grows with the WAL', async () => {
    const { primary, url } = await serving();
    const document = 'x'.repeat(1_000_000);
    for (let n = 0; n < 60; n += 1) await primary.commit([put(`k${n}`, document)]);
    const abort = new AbortController();
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    const response = await fetch(`${url}/replication/v1/wal?from_lsn=0`, { signal: abort.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await primary.commit([put('last', document)]);
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().external - before;
    abort.abort();
    expect(grown).toBeLessThan(40_000_000);
  });
});
