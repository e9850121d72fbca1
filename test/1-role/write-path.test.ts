import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fingerprint } from '../support/files.ts';
import { CLUSTER, del, NODE, put, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';

async function walBytes(dataDir: string): Promise<Buffer> {
  const names = (await readdir(join(dataDir, 'wal'))).sort();
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(dataDir, 'wal', name)))));
}

describe('the write path of the primary', () => {
  test('P5-I6: commit ids are dense and the acknowledged position is where the WAL ends', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    const positions = [];
    for (let n = 1; n <= 5; n += 1) positions.push(await primary.commit([put(`k${n}`, `v${n}`)]));
    expect(positions.map(({ commitId }) => commitId)).toEqual([1, 2, 3, 4, 5]);
    expect(positions.at(-1)).toEqual(primary.position() && positions.at(-1));
    expect(positions.at(-1)?.lsn).toBe((await walBytes(dataDir)).length);
    expect(primary.position()).toMatchObject(positions.at(-1) ?? {});
  });

  test('concurrent commits share a frame, and each is its own commit', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    const positions = await Promise.all(
      Array.from({ length: 50 }, (_, n) => primary.commit([put(`k${n}`, 'v')])),
    );
    expect(positions.map(({ commitId }) => commitId)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(new Set(positions.map(({ lsn }) => lsn)).size).toBeLessThan(10);
  });

  test('MVCC: a view sees the newest version within its bound, and never changes', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory() });
    await primary.commit([put('a', '1'), put('b', '1')]);
    await primary.commit([put('a', '2')]);
    await primary.commit([del('a')]);
    await primary.commit([put('a', '4'), put('a', '5')]);
    const at = (bound: number) =>
      primary.read(
        async (view) => {
          const all = [];
          for await (const { id, document, commitId } of view.scan('c'))
            all.push([id.toString(), document.toString(), commitId]);
          const a = await view.get('c', 'a');
          return { a: a && [a.document.toString(), a.commitId], all };
        },
        { at: bound },
      );
    expect(await at(0)).toEqual({ a: null, all: [] });
    expect(await at(1)).toEqual({
      a: ['1', 1],
      all: [
        ['a', '1', 1],
        ['b', '1', 1],
      ],
    });
    expect(await at(2)).toEqual({
      a: ['2', 2],
      all: [
        ['a', '2', 2],
        ['b', '1', 1],
      ],
    });
    expect(await at(3)).toEqual({ a: null, all: [['b', '1', 1]] });
    // Of two operations of one commit on one key the last one is the version.
    expect(await at(4)).toEqual({
      a: ['5', 4],
      all: [
        ['a', '5', 4],
        ['b', '1', 1],
      ],
    });
  });

  test('keys with zero bytes keep their order and their own versions', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory() });
    const ids = ['a', 'a\0', 'a\0b', 'a\u0001', 'b'];
    await primary.commit([...ids].reverse().map((id) => put(id, id)));
    const found = await primary.read(async (view) => {
      const all = [];
      for await (const { id } of view.scan('c')) all.push(id.toString());
      return all;
    });
    expect(found).toEqual(ids);
  });

  test('a view above what is applied is refused', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory() });
    await primary.commit([put('a', '1')]);
    expect(await rejection(primary.read(async () => null, { at: 2 }))).toMatchObject({
      code: 'VIEW_ABOVE_APPLIED',
      invariant: 'P5-I12',
      evidence: { view_commit_id: 2, applied_commit_id: 1 },
    });
  });

  test.each([
    ['no operation', [], 'COMMIT_INVALID', 'a commit needs at least one operation'],
    [
      'an unknown op',
      [{ op: 'merge', collection: 'c', id: 'a' }],
      'COMMIT_INVALID',
      'operation 0: op is "merge"; it must be "put" or "delete"',
    ],
    ['an empty id', [put('', 'x')], 'COMMIT_INVALID', 'operation 0: id has 0 bytes; it must have 1 to 65535'],
    [
      'a long collection',
      [put('ok', 'x'), { ...put('a', 'x'), collection: 'x'.repeat(256) }],
      'COMMIT_INVALID',
      'operation 1: collection has 256 bytes; it must have 1 to 255',
    ],
    [
      'a put without a document',
      [{ op: 'put', collection: 'c', id: 'a' }],
      'COMMIT_INVALID',
      'operation 0: document must be text or bytes',
    ],
    [
      'text that is no Unicode',
      [put('\ud800', 'x')],
      'COMMIT_INVALID',
      'operation 0: id must be text or bytes',
    ],
    [
      'too much for a frame',
      [put('a', 'x'.repeat(4 * 1024 * 1024))],
      'COMMIT_TOO_LARGE',
      'a commit takes at most 4194232 bytes; this one takes 4194334',
    ],
  ])('%s: nothing is committed', async (_name, operations, code, message) => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    const before = await walBytes(dataDir);
    expect(await rejection(primary.commit(operations as never))).toMatchObject({ code, message });
    expect(await walBytes(dataDir)).toEqual(before);
    expect((await primary.commit([put('a', '1')])).commitId).toBe(1);
  });

  test('the largest commit there can be fits', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory() });
    const document = 'x'.repeat(4 * 1024 * 1024 - 72 - 16 - 12 - 2);
    await primary.commit([put('a', document)]);
    const found = await primary.read((view) => view.get('c', 'a'));
    expect(found?.document.toString()).toBe(document);
  });

  test('P5-I16: replication disabled and enabled write byte-identical files for the same commits', async () => {
    const write = async (replication: 'disabled' | 'enabled') => {
      const dataDir = await temporaryDirectory();
      const options = { dataDir, clusterId: CLUSTER, nodeId: NODE, segmentBytesMax: 4_194_400 };
      const primary = await startPrimary({
        ...options,
        replication,
        ...(replication === 'enabled' ? { listen: '127.0.0.1:0' } : {}),
      });
      for (let n = 0; n < 20; n += 1) await primary.commit([put(`k${n}`, 'x'.repeat(300_000)), del('gone')]);
      await primary.stop();
      return fingerprint(dataDir);
    };
    const disabled = await write('disabled');
    expect(await write('enabled')).toEqual(disabled);
    expect(Object.keys(disabled).sort()).toEqual([
      'identity',
      'wal/00000000000000000000.wal',
      'wal/00000000000004201852.wal',
    ]);
  });

  test('the index in memory gives the same answers as the index on disk', async () => {
    const answers = [];
    for (const ports of [{}, { indexStore: memoryVersionIndex }]) {
      const primary = await startPrimary({ dataDir: await temporaryDirectory(), clusterId: CLUSTER }, ports);
      for (let n = 0; n < 30; n += 1) await primary.commit([put(`k${n % 7}`, `v${n}`), del(`k${n % 3}`)]);
      answers.push(
        await primary.read(async (view) => {
          const all = [];
          for await (const { id, document } of view.scan('c', { after: 'k0' }))
            all.push([id.toString(), document.toString()]);
          return all;
        }),
      );
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toHaveLength(5);
  });
});
