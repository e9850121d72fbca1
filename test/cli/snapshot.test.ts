import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Primary } from '../../src/index.ts';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { flipped } from '../support/wal-forge.ts';

interface Verified {
  readonly intact: boolean;
  readonly snapshots: readonly {
    readonly snapshot_id: string;
    readonly intact: boolean;
    readonly faults: readonly Record<string, unknown>[];
  }[];
}

async function primaryOf(commits: number, options: { replication?: 'enabled' | 'disabled' } = {}) {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir,
    listen: '127.0.0.1:0',
    replication: 'enabled',
    ...options,
  });
  await commit(primary, commits);
  return { primary, url: primary.url as string, dataDir };
}

async function commit(primary: Primary, commits: number) {
  for (let n = 1; n <= commits; n += 1) await primary.commit([put(`k${n}`, `"${'v'.repeat(n)}"`)]);
}

const verify = (dataDir: string, ...ids: readonly string[]) =>
  cliJson<Verified>(['snapshot', 'verify', '--data', dataDir, ...ids]);

describe('create and list', () => {
  test('a snapshot is made and listed', async () => {
    const { primary, url } = await primaryOf(3);
    expect(await cliJson(['snapshot', 'list', '--primary', url])).toMatchObject({
      exit: 0,
      body: { snapshots: [] },
    });
    expect((await cli(['snapshot', 'list', '--primary', url])).out).toBe('there are no snapshots\n');
    const made = await cliJson(['snapshot', 'create', '--primary', url]);
    const digest = await primary.read((view) => view.stateDigest());
    expect(made).toMatchObject({
      exit: 0,
      body: { snapshot_id: '3', cut: { commit_id: 3 }, versions: 3, keys: 3, state_digest: digest.sha256 },
    });
    const { body } = await cliJson(['snapshot', 'list', '--primary', url]);
    expect(body).toEqual({ snapshots: [made.body] });
    expect((await cli(['snapshot', 'list', '--primary', url])).out).toMatch(/^snapshot_id +3\n/);
  });

  test('before the first commit there is nothing to make', async () => {
    const { url } = await primaryOf(0);
    expect(await cliJson(['snapshot', 'create', '--primary', url])).toMatchObject({
      exit: 2,
      body: { error: { code: 'REQUEST_INVALID' } },
    });
  });

  test('P5-I16: with replication switched off, made but not offered', async () => {
    const { url } = await primaryOf(1, { replication: 'disabled' });
    expect((await cli(['snapshot', 'create', '--primary', url])).exit).toBe(0);
    expect(await cliJson(['snapshot', 'list', '--primary', url])).toMatchObject({
      exit: 1,
      body: { error: { code: 'REPLICATION_DISABLED' } },
    });
  });

  test.each(['create', 'list', 'verify'])('usage and help of %s', async (verb) => {
    expect((await cli(['snapshot', verb])).exit).toBe(2);
    const { exit, out } = await cli(['snapshot', verb, '--help']);
    expect(exit).toBe(0);
    expect(out).toMatch(/Example:\n {2}replichart snapshot /);
    if (verb !== 'verify') expect((await cli(['snapshot', verb, '--primary', 'x'])).exit).toBe(2);
  });
});

describe('verify', () => {
  async function withSnapshots() {
    const started = await primaryOf(3);
    await started.primary.createSnapshot();
    await commit(started.primary, 2);
    await started.primary.createSnapshot();
    return { ...started, data: join(started.dataDir, 'snapshots/5/data.base') };
  }

  test('P5-I8: intact snapshots, while the node runs; nothing is changed', async () => {
    const { dataDir } = await withSnapshots();
    const before = await fingerprint(dataDir);
    expect(await verify(dataDir)).toMatchObject({
      exit: 0,
      err: '',
      body: {
        intact: true,
        snapshots: [
          { snapshot_id: '3', intact: true, faults: [], manifest: { versions: 3, keys: 3 } },
          { snapshot_id: '5', intact: true, faults: [], manifest: { versions: 5, keys: 3 } },
        ],
      },
    });
    expect(await fingerprint(dataDir)).toEqual(before);
    expect((await cli(['snapshot', 'verify', '--data', dataDir, '3'])).out).toMatch(
      /^snapshot 3 is intact: 3 versions of 3 documents, \d+ bytes, state digest [0-9a-f]{64}\n$/,
    );
  });

  test('P5-I8: a flipped bit anywhere in the base file is found, and only in its snapshot', async () => {
    const { dataDir, data } = await withSnapshots();
    const good = await readFile(data);
    for (let byte = 0; byte < good.length; byte += 7) {
      await writeFile(data, flipped(good, byte * 8 + (byte % 8)));
      const { exit, body } = await verify(dataDir);
      expect([byte, exit, body.snapshots.map(({ intact }) => intact)]).toEqual([byte, 5, [true, false]]);
      const [fault] = body.snapshots[1]?.faults ?? [];
      expect(fault).toMatchObject({
        file: 'snapshots/5/data.base',
        rule: 'block hash',
        offset: 0,
        expected: { block: 0, bytes: good.length },
      });
      expect(fault?.['found']).not.toEqual(fault?.['expected']);
    }
    const { exit, out } = await cli(['snapshot', 'verify', '--data', dataDir]);
    expect(exit).toBe(5);
    expect(out).toMatch(/snapshot 5 is damaged\n {2}file +snapshots\/5\/data\.base\n/);
    expect((await verify(dataDir, '3')).exit).toBe(0);
  });

  test('P5-I8: the place of the damage is named by the base file itself as well', async () => {
    const { dataDir, data } = await withSnapshots();
    const good = await readFile(data);
    await writeFile(data, flipped(good, (128 + 30) * 8));
    expect((await verify(dataDir, '5')).body.snapshots[0]?.faults).toMatchObject([
      { rule: 'block hash' },
      { rule: 'block checksum', offset: 128 },
    ]);
  });

  test('P5-I8: a flipped bit anywhere in the manifest', async () => {
    const { dataDir } = await withSnapshots();
    const path = join(dataDir, 'snapshots/5/manifest');
    const good = await readFile(path);
    for (let byte = 0; byte < good.length; byte += 41) {
      await writeFile(path, flipped(good, byte * 8));
      expect([byte, await verify(dataDir, '5')]).toMatchObject([
        byte,
        {
          exit: 5,
          body: { snapshots: [{ faults: [{ file: 'snapshots/5/manifest', rule: 'manifest' }] }] },
        },
      ]);
    }
  });

  test('P5-I8: a file that is cut short, and files that are missing', async () => {
    const { dataDir, data } = await withSnapshots();
    const { length } = await readFile(data);
    await truncate(data, length - 1);
    const short = await verify(dataDir, '5');
    expect([short.exit, short.body.snapshots[0]?.faults.map(({ rule }) => rule)]).toEqual([
      5,
      ['size', 'block hash', 'footer'],
    ]);
    await rm(data);
    expect(await verify(dataDir, '5')).toMatchObject({
      exit: 5,
      body: {
        snapshots: [{ faults: [{ rule: 'size', expected: { bytes: length }, found: { bytes: null } }] }],
      },
    });
    await rm(join(dataDir, 'snapshots/5/manifest'));
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: { snapshots: [{ intact: true }, { faults: [{ rule: 'manifest' }] }] },
    });
  });

  test('P5-I8: a snapshot under the id of another', async () => {
    const { dataDir } = await withSnapshots();
    for (const file of ['manifest', 'data.base'])
      await writeFile(join(dataDir, 'snapshots/5', file), await readFile(join(dataDir, 'snapshots/3', file)));
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: { snapshots: [{ intact: true }, { faults: [{ rule: 'whose it is' }] }] },
    });
  });

  test('what is no snapshot, no primary and no directory', async () => {
    const { dataDir } = await primaryOf(1);
    expect(await verify(dataDir)).toMatchObject({ exit: 0, body: { intact: true, snapshots: [] } });
    expect(await verify(dataDir, '7')).toMatchObject({
      exit: 1,
      body: { error: { code: 'SNAPSHOT_UNKNOWN' } },
    });
    expect((await verify(dataDir, '../wal')).exit).toBe(1);
    expect((await verify(join(dataDir, 'absent'))).exit).toBe(2);
    const replicaDir = await temporaryDirectory();
    await startReplica({ dataDir: replicaDir, primaryUrl: 'http://127.0.0.1:1' });
    expect((await verify(replicaDir)).exit).toBe(2);
    await writeFile(join(dataDir, 'identity'), 'x');
    expect(await verify(dataDir)).toMatchObject({ exit: 5, body: { error: { code: 'IDENTITY_DAMAGED' } } });
    await rm(join(dataDir, 'identity'));
    expect(await verify(dataDir)).toMatchObject({ exit: 5, body: { error: { code: 'IDENTITY_MISSING' } } });
  });
});
