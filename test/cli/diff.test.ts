import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { positionToJson } from '../../src/core/position.ts';
import type { Position, Primary } from '../../src/index.ts';
import { cli, cliJson } from '../support/cli.ts';
import {
  CLUSTER,
  OTHER_CLUSTER,
  put,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedCommit, detached, inState, until } from '../support/replicas.ts';

async function primaryOf(
  documents: readonly string[],
  options: { dataDir?: string; clusterId?: string; token?: string } = {},
) {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    clusterId: CLUSTER,
    listen: '127.0.0.1:0',
    replication: 'enabled',
    ...options,
  });
  for (const document of documents) await primary.commit([put('k', document)]);
  return primary;
}

async function replicaOf(primary: Primary, commits: number) {
  const replica = await startReplica({
    dataDir: await temporaryDirectory(),
    primaryUrl: primary.url as string,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  await appliedCommit(replica, commits);
  await until(replica, inState('replicating.readGate.open'));
  return replica;
}

const urlsOf = (...nodes: readonly { readonly url: string | null }[]) =>
  nodes.map(({ url }) => url as string);
const at = (node: { position(): Position | null }) => positionToJson(node.position() as Position);

describe('nodes that are the same', () => {
  test('P5-I7: a primary and its replica have equal digests and positions', async () => {
    const primary = await primaryOf(['1', '2', '3']);
    const replica = await replicaOf(primary, 3);
    const { exit, body, err } = await cliJson(['diff', ...urlsOf(primary, replica)]);
    const digest = await primary.read((view) => view.stateDigest());
    const state_digest = { commit_id: 3, sha256: digest.sha256, versions: 3, keys: 1 };
    expect([exit, err]).toEqual([0, '']);
    expect(JSON.stringify(body)).toBe(
      JSON.stringify({
        equal: true,
        compared_at_commit_id: 3,
        nodes: [
          { url: primary.url, role: 'primary', position: at(primary), state_digest },
          { url: replica.url, role: 'replica', position: at(primary), state_digest },
        ],
        positions_equal: true,
        digests_equal: true,
        first_difference: null,
      }),
    );
  });

  test('a replica that lags is compared where it stands, and its lag is said', async () => {
    const dataDir = await temporaryDirectory();
    const first = await primaryOf(['1', '2'], { dataDir });
    const replica = await replicaOf(first, 2);
    await first.stop();
    await detached(replica);
    const primary = await primaryOf(['3'], { dataDir });
    const { exit, body, err } = await cliJson(['diff', ...urlsOf(replica, primary)]);
    expect([exit, body]).toMatchObject([
      0,
      { equal: true, compared_at_commit_id: 2, positions_equal: false, digests_equal: true },
    ]);
    expect(err).toMatch(/^http:\S+ lags 1 commits \(\d+ bytes of WAL\) behind http:\S+\n$/);
    const text = await cli(['diff', ...urlsOf(replica, primary)]);
    expect(text.exit).toBe(0);
    expect(text.out).toMatch(/^equal +true\ncompared_at_commit_id +2\n/);
  });

  test('before the first commit', async () => {
    const primary = await primaryOf([]);
    expect(await cliJson(['diff', ...urlsOf(primary, await primaryOf([]))])).toMatchObject({
      exit: 0,
      body: { equal: true, compared_at_commit_id: 0, positions_equal: true, digests_equal: true },
    });
  });

  test('of different clusters: that is said', async () => {
    const nodes = urlsOf(await primaryOf(['1']), await primaryOf(['1'], { clusterId: OTHER_CLUSTER }));
    const { exit, err } = await cliJson(['diff', ...nodes]);
    expect(exit).toBe(0);
    expect(err).toContain(`the nodes are of different clusters: ${CLUSTER} and ${OTHER_CLUSTER}`);
  });
});

describe('nodes that have diverged', () => {
  test('P5-I4: the first version that differs is named, in the order of keys and newest first', async () => {
    const one = await primaryOf([]);
    const other = await primaryOf([]);
    for (const node of [one, other]) await node.commit([put('a', 'same'), put('b', 'same')]);
    await one.commit([put('b', 'here'), put('c', 'only here')]);
    await other.commit([put('b', 'there')]);
    const firstOf = async (nodes: readonly string[]) => {
      const { exit, body } = await cliJson(['diff', ...nodes]);
      expect(exit).toBe(5);
      return body['first_difference'];
    };
    const version = (bytes: number) => ({
      collection: 'c',
      id: 'b',
      commit_id: 2,
      op: 'put',
      document_bytes: bytes,
      crc32c: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
    });
    const key = { collection: 'c', id: 'b', commit_id: 2 };
    expect(await firstOf(urlsOf(one, other))).toEqual({ key, versions: [version(4), version(5)] });
    // A key that only one of them has: the other side is null.
    const third = await primaryOf([]);
    await third.commit([put('a', 'same'), put('b', 'same')]);
    await third.commit([put('a', 'newer')]);
    expect(await firstOf(urlsOf(one, third))).toEqual({
      key: { collection: 'c', id: 'a', commit_id: 2 },
      versions: [null, { ...version(5), id: 'a' }],
    });
  });

  test('P5-I4: a difference behind many equal versions is found', async () => {
    const ids = Array.from({ length: 2_500 }, (_, n) => `k${String(n).padStart(4, '0')}`);
    const nodes = [await primaryOf([]), await primaryOf([])];
    for (const node of nodes) await node.commit(ids.map((id) => put(id, 'same')));
    await nodes[0]?.commit([put('k2400', 'x')]);
    await nodes[1]?.commit([put('k2400', 'y')]);
    const { body } = await cliJson(['diff', ...urlsOf(...nodes)]);
    expect(body['first_difference']).toMatchObject({ key: { id: 'k2400', commit_id: 2 } });
  });

  test('P5-I4: two primaries of one cluster with different commits', async () => {
    const nodes = urlsOf(await primaryOf(['1', '2']), await primaryOf(['1', 'x']));
    const { exit, body, err } = await cliJson(['diff', ...nodes]);
    expect([exit, body]).toMatchObject([
      5,
      { equal: false, compared_at_commit_id: 2, positions_equal: false, digests_equal: false },
    ]);
    expect(err).toBe(
      'the states differ at commit 2: the nodes have diverged\n' +
        'the history hashes differ at the same commit and LSN: the nodes have diverged\n',
    );
  });

  test('P5-I4: one of them is ahead, and what they share differs', async () => {
    const nodes = urlsOf(await primaryOf(['1', '2', '3']), await primaryOf(['1', 'x']));
    expect(await cliJson(['diff', ...nodes])).toMatchObject({
      exit: 5,
      body: { equal: false, compared_at_commit_id: 2, digests_equal: false },
    });
  });

  test('P5-I4: equal states over different histories', async () => {
    const ops = [put('k', '1'), put('k', '2')];
    const [one, other] = [await primaryOf([]), await primaryOf([])];
    await one.commit(ops);
    // The last operation on a document is its version; what stands before it is history all the same.
    await other.commit([put('k', 'x'), put('k', '2')]);
    expect(await cliJson(['diff', ...urlsOf(one, other)])).toMatchObject({
      exit: 5,
      body: { equal: false, positions_equal: false, digests_equal: true },
    });
  });
});

describe('nodes that cannot be compared', () => {
  test('P5-I12: a replica that has applied nothing refuses', async () => {
    const primary = await primaryOf(['1']);
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: 'http://127.0.0.1:1',
      listen: '127.0.0.1:0',
    });
    const { exit, body } = await cliJson(['diff', ...urlsOf(primary, replica)]);
    expect([exit, body]).toMatchObject([
      4,
      { error: { code: 'READS_BLOCKED', evidence: { url: replica.url } } },
    ]);
  });

  test('a node that is not there', async () => {
    const primary = await primaryOf([]);
    expect(await cliJson(['diff', primary.url as string, 'http://127.0.0.1:1'])).toMatchObject({
      exit: 1,
      body: { error: { code: 'NODE_UNREACHABLE', evidence: { url: 'http://127.0.0.1:1' } } },
    });
  });

  test('an address that is none, and a URL that is missing, are errors of usage', async () => {
    expect(await cliJson(['diff', 'here', 'ftp://there'])).toMatchObject({
      exit: 2,
      body: {
        error: { code: 'REQUEST_INVALID', message: expect.stringContaining('is no URL of a node') as string },
      },
    });
    expect((await cli(['diff', 'http://127.0.0.1:1'])).exit).toBe(2);
  });

  test('a token that is needed: given, missing, and in a file that cannot be used', async () => {
    const nodes = urlsOf(
      await primaryOf(['1'], { token: 'secret' }),
      await primaryOf(['1'], { token: 'secret' }),
    );
    const directory = await temporaryDirectory();
    const [file, bad] = [join(directory, 'token'), join(directory, 'bad')];
    await writeFile(file, 'secret\n');
    await writeFile(bad, 'a\nb\n');
    expect((await cliJson(['diff', ...nodes, '--token-file', file])).exit).toBe(0);
    expect(await cliJson(['diff', ...nodes])).toMatchObject({
      exit: 1,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    for (const [path, rule] of [
      [join(directory, 'absent'), /cannot be read: .*ENOENT/],
      [bad, /must hold one token/],
    ] as const)
      expect(await cliJson(['diff', ...nodes, '--token-file', path])).toMatchObject({
        exit: 3,
        body: { error: { code: 'CONFIG_INVALID', message: expect.stringMatching(rule) as string } },
      });
  });

  test('the help teaches with an example', async () => {
    expect((await cli(['diff', '--help'])).out).toMatch(/Example:\n {2}replichart diff http/);
  });
});
