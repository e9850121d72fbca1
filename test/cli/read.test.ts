import { describe, expect, test } from 'vitest';
import { positionToJson } from '../../src/core/position.ts';
import type { Position } from '../../src/index.ts';
import { cli, cliJson } from '../support/cli.ts';
import { put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';

async function primaryOf(commits = 3) {
  const primary = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
  const positions: Position[] = [];
  for (let n = 1; n <= commits; n += 1) positions.push(await primary.commit([put(`k${n}`, `{"n":${n}}`)]));
  return { url: primary.url as string, positions, last: positionToJson(primary.position() as Position) };
}

const token = ({ commitId, lsn, historyHash }: Position) => `${commitId}:${lsn}:${historyHash}`;

describe('a document', () => {
  test('that is there comes with the position', async () => {
    const { url, last } = await primaryOf();
    expect(await cliJson(['read', url, 'c', 'k2'])).toEqual({
      exit: 0,
      err: '',
      body: {
        position: last,
        view: { commit_id: 3 },
        collection: 'c',
        id: 'k2',
        found: true,
        version_commit_id: 2,
        document: { n: 2 },
      },
    });
    expect((await cli(['read', url, 'c', 'k2'])).out).toMatch(/^document +{"n":2}$/m);
  });

  test('that is not there is an answer', async () => {
    const { url, last } = await primaryOf();
    expect(await cliJson(['read', url, 'c', 'k9'])).toMatchObject({
      exit: 0,
      body: { position: last, found: false },
    });
    const { exit, out } = await cli(['read', url, 'c', 'k9']);
    expect(exit).toBe(0);
    expect(out).toMatch(/^not found\n/);
  });

  test('as it was at a commit id or at a position', async () => {
    const { url, positions } = await primaryOf();
    expect((await cliJson(['read', url, 'c', 'k2', '--at', '1'])).body).toMatchObject({
      view: { commit_id: 1 },
      found: false,
    });
    const second = token(positions[1] as Position);
    expect((await cliJson(['read', url, 'c', 'k2', '--position', second])).body).toMatchObject({
      view: { commit_id: 2 },
      found: true,
    });
  });

  test('names of any letters', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
    for (const id of ['a/b', 'ä?#%2f', ' ', '...']) {
      await primary.commit([put(id, '1')]);
      expect((await cliJson(['read', primary.url as string, 'c', id])).body).toMatchObject({
        id,
        found: true,
      });
    }
    for (const id of ['', '.', '..'])
      expect(await cliJson(['read', primary.url as string, 'c', id])).toMatchObject({
        exit: 2,
        body: { error: { code: 'REQUEST_INVALID' } },
      });
  });
});

describe('a range', () => {
  test('in the order of ids, piece by piece', async () => {
    const { url, last } = await primaryOf();
    const first = await cliJson(['read', url, 'c', '--limit', '2']);
    expect(first).toMatchObject({
      exit: 0,
      body: { position: last, documents: [{ id: 'k1' }, { id: 'k2' }], next_after: 'k2' },
    });
    expect((await cliJson(['read', url, 'c', '--after', 'k2'])).body).toMatchObject({
      documents: [{ id: 'k3', version_commit_id: 3, document: { n: 3 } }],
      next_after: null,
    });
    expect((await cli(['read', url, 'c', '--at', '1'])).out).toMatch(/\ndocuments +1\nk1\t1\t{"n":1}\n$/);
  });

  test('of a collection that has nothing', async () => {
    const { url } = await primaryOf();
    expect(await cliJson(['read', url, 'none'])).toMatchObject({ exit: 0, body: { documents: [] } });
  });
});

describe('a refusal', () => {
  test('P5-I12: shows the rules that do not hold, and only those', async () => {
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: 'http://127.0.0.1:1',
      listen: '127.0.0.1:0',
    });
    const url = replica.url as string;
    for (const what of [['c'], ['c', 'k1']]) {
      const { exit, out, err } = await cli(['read', url, ...what]);
      expect([exit, out]).toEqual([4, '']);
      expect(err).toMatch(/^replichart: READS_BLOCKED \(P5-I\d+\): the read is refused/);
      expect(err).toMatch(/\n {2}violated: P5-I12 nodeIsActive: The node is /);
      expect(err).not.toMatch(/\n {2}holds: /);
      expect(err).toMatch(/\n {2}what to do: /);
    }
    const { exit, body } = await cliJson(['read', url, 'c', 'k1']);
    expect([exit, body]).toMatchObject([
      4,
      { error: { code: 'READS_BLOCKED', evidence: { explanation: { conclusion: { result: 'unsafe' } } } } },
    ]);
  });

  test('P5-I12: a view that is not applied yet', async () => {
    const { url } = await primaryOf();
    expect(await cliJson(['read', url, 'c', 'k1', '--at', '99'])).toMatchObject({
      exit: 4,
      body: { error: { code: 'VIEW_ABOVE_APPLIED' } },
    });
  });

  test('P5-I4: a position of another history', async () => {
    const { url, positions } = await primaryOf();
    const foreign = token({ ...(positions[1] as Position), historyHash: 'f'.repeat(64) });
    const { exit, err } = await cli(['read', url, 'c', 'k1', '--position', foreign]);
    expect(exit).toBe(5);
    expect(err).toContain('violated: ');
  });

  test('a node that is not there', async () => {
    expect((await cli(['read', 'http://127.0.0.1:1', 'c'])).exit).toBe(1);
  });
});

describe('usage', () => {
  const url = 'http://127.0.0.1:1';
  test.each([
    ['no collection', [url], /missing required argument 'collection'/],
    ['a commit id that is none', [url, 'c', '--at', '-1'], /must be a whole number from 0/],
    ['a position that is none', [url, 'c', '--position', '1:2'], /must be COMMIT_ID:LSN:HASH/],
    ['both', [url, 'c', '--at', '1', '--position', `1:2:${'0'.repeat(64)}`], /cannot be used with/],
    ['a limit of none', [url, 'c', '--limit', '0'], /must be a whole number from 1 to 10000/],
    ['a limit for one document', [url, 'c', 'k', '--limit', '1'], /go with a range/],
    ['an address that is none', ['here', 'c'], /is no URL of a node/],
  ])('%s', async (_name, args, message) => {
    const { exit, out, err } = await cli(['read', ...args]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('the help teaches with an example', async () => {
    expect((await cli(['read', '--help'])).out).toMatch(/Examples:\n {2}replichart read http/);
  });
});
