/** What a fresh-eyed reading found, each pinned: none of it may come back. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { reattach } from '../../src/cli/reattach.ts';
import { ensureDirectory } from '../../src/io/durable-file.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { WalFiles } from '../../src/io/wal/files.ts';
import { initialContext } from '../../machines/context.ts';
import { ReadGate } from '../../src/node/read-gate.ts';
import type { NodeSnapshot } from '../../src/index.ts';
import { faultyFileSystem, systemError } from '../support/faulty-file-system.ts';
import {
  afterTest,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { alteredSource } from '../support/relayed-source.ts';
import { appliedCommit, inState, until } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { interceptedIndex } from '../support/state.ts';

const URL = 'http://127.0.0.1:1';

test('P5-I1, P5-I13: an identity is never replaced by a process that came later', async () => {
  const dataDir = await temporaryDirectory();
  let meet: () => void = () => undefined;
  const meeting = new Promise<void>((resolve) => (meet = resolve));
  const slow = scriptedSource(() => ({}))();
  const replica = rejection(
    startReplica(
      { dataDir, primaryUrl: URL, replication: 'enabled' },
      { walSource: () => ({ ...slow, identify: async () => meeting.then(() => slow.identify()) }) },
    ),
  );
  const primary = await startPrimary({ dataDir });
  await primary.commit([put('a', '1')]);
  const identity = await readFile(join(dataDir, 'identity'));
  meet();
  expect(await replica).toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
  expect(await readFile(join(dataDir, 'identity'))).toEqual(identity);
  await primary.stop();
  expect((await startPrimary({ dataDir })).position()?.commitId).toBe(1);
});

describe('F-N1: what happens to the connection while the resume position is probed is no halt', () => {
  const primaryWithSnapshot = async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    await primary.commit([put('a', '1')]);
    await primary.createSnapshot();
    return primary.url as string;
  };
  test.each(['refused', 'lost', 'ended'] as const)('%s', async (how) => {
    const url = await primaryWithSnapshot();
    let asked = 0;
    const walSource = alteredSource(url, (source) => ({
      openWal: async (from) => {
        asked += 1;
        if (asked > 1) return source.openWal(from);
        if (how === 'refused')
          return { kind: 'refused', code: 'NODE_STARTING', message: 'the node is starting', evidence: {} };
        return {
          kind: 'opened',
          stream: {
            clusterId: '',
            startLsn: from.lsn,
            durable: null,
            close: () => undefined,
            chunks: (async function* () {
              if (how === 'lost') throw new Error('ECONNRESET');
              yield* [];
            })(),
          },
        };
      },
    }));
    const dataDir = await temporaryDirectory();
    const replica = await startReplica(
      { dataDir, primaryUrl: url, replication: 'enabled', bootstrap: 'snapshot' },
      { walSource },
    );
    expect((await until(replica, inState('bootstrapping.detached'))).context.halt).toBeNull();
    // The operator's schedule looks after a detached bootstrap as well.
    const stop = reattach(replica, [1]);
    afterTest(async () => stop());
    await appliedCommit(replica, 1);
  });
});

describe('P5-I10: a chart that fails permits nothing and holds nothing', () => {
  test('a start that fails so leaves the directory free', async () => {
    const dataDir = await temporaryDirectory();
    const broken = scriptedSource(() => ({}))();
    let closed = 0;
    const error = await rejection(
      startReplica(
        { dataDir, primaryUrl: URL, replication: 'enabled' },
        {
          walSource: () => ({
            ...broken,
            identify: async () => ({ kind: 'met' }) as never,
            close: async () => void (closed += 1),
          }),
        },
      ),
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(closed).toBe(1);
    await startPrimary({ dataDir });
  });

  test('P5-I12: no read is admitted, and one that waited is refused', async () => {
    const at = { commitId: 1, lsn: 100, historyHash: 'ab'.repeat(32) };
    const applied = { ...at, segmentIndex: 0, snapshotCut: 0 };
    const snapshot: { -readonly [Key in keyof NodeSnapshot]: NodeSnapshot[Key] } = {
      status: 'active',
      value: {
        replicating: {
          ingesting: 'receiving',
          validating: 'idle',
          applying: 'replaying',
          readGate: 'closed',
        },
      },
      context: {
        ...initialContext({
          role: 'replica',
          replication: 'enabled',
          bootstrap: 'wal',
          clusterId: null,
          nodeId: null,
        }),
        applied,
        validated: { ...at, clusterId: '', segmentIndex: 0, segmentStartLsn: 0, expects: 'frame' },
        receivedLsn: 100,
        inFlight: { from: at, to: at },
      },
    };
    let tell: () => void = () => undefined;
    const gate = new ReadGate({
      snapshot: () => snapshot,
      applied: () => applied,
      open: () => null,
      subscribe: (listener) => {
        tell = listener;
        return () => undefined;
      },
    });
    const waiting = rejection(gate.read(async () => null));
    snapshot.status = 'error';
    tell();
    expect(await waiting).toMatchObject({ code: 'READS_BLOCKED', evidence: { rule: 'P5-I12 nodeIsActive' } });
    expect(await rejection(gate.read(async () => null))).toMatchObject({ code: 'READS_BLOCKED' });
  });
});

test('stop ends, however closely it follows a failure', async () => {
  const wal = await recordedWal(2);
  for (let microtasks = 0; microtasks < 12; microtasks += 1) {
    let fail: () => void = () => undefined;
    const failing = new Promise<void>((resolve) => (fail = resolve));
    const store = interceptedIndex(async (through, number) => {
      if (number < 2) return through();
      await failing;
      throw systemError('EIO');
    });
    const replica = await startReplica(
      { dataDir: await temporaryDirectory(), primaryUrl: URL, replication: 'enabled' },
      { indexStore: () => store, walSource: scriptedSource(() => ({ chunks: () => chunked(wal, 1000) })) },
    );
    await until(replica, inState('replicating.applying.replaying'));
    fail();
    for (let turn = 0; turn < microtasks; turn += 1) await Promise.resolve();
    await replica.stop();
    expect(replica.snapshot().value).toEqual({ stopped: 'closed' });
  }
});

test('P5-I13: no write of the index begins once a node has stopped', async () => {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  for (let n = 0; n < 6; n += 1) await primary.commit([put(`k${n}`, 'x'.repeat(900_000))]);
  await primary.createSnapshot();
  let writes = 0;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const store = interceptedIndex(async (through, number) => {
    writes = number;
    if (number === 1) await held;
    await through();
  });
  const replica = await startReplica(
    {
      dataDir: await temporaryDirectory(),
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap: 'snapshot',
    },
    { indexStore: () => store },
  );
  await until(replica, () => writes === 1 || inState('bootstrapping.installing')(replica.snapshot()));
  while (writes === 0) await new Promise((resolve) => setImmediate(resolve));
  const stopping = replica.stop();
  release();
  await stopping;
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toBe(1);
});

test('a source that cannot be closed keeps no lock', async () => {
  const dataDir = await temporaryDirectory();
  const source = scriptedSource(() => ({}));
  const walSource = () => ({ ...source(), close: () => Promise.reject(new Error('it will not close')) });
  const options = { dataDir, primaryUrl: URL, replication: 'enabled' } as const;
  await (await startReplica(options, { walSource })).stop();
  const again = await startReplica(options, { walSource: source });
  expect(again.snapshot().context.halt).toBeNull();
});

test('P5-I11: a directory that was made and perhaps not synced is synced', async () => {
  const log: string[] = [];
  const files = faultyFileSystem((operation, path) => {
    log.push(`${operation} ${path.split('/').at(-1)}`);
    return null;
  });
  const root = await temporaryDirectory();
  await mkdir(join(root, 'wal'));
  await ensureDirectory(files, join(root, 'wal'));
  expect(log).toEqual([`syncDirectory ${root.split('/').at(-1)}`]);
});

test('reading many segments keeps only so many descriptors', async () => {
  let open = 0;
  let most = 0;
  const files = {
    ...nodeFileSystem,
    open: async (...args: Parameters<typeof nodeFileSystem.open>) => {
      const handle = await nodeFileSystem.open(...args);
      open += 1;
      most = Math.max(most, open);
      return {
        read: (buffer: Uint8Array, offset: number) => handle.read(buffer, offset),
        readSync: (buffer: Uint8Array, offset: number) => handle.readSync(buffer, offset),
        append: (parts: readonly Uint8Array[]) => handle.append(parts),
        truncate: (bytes: number) => handle.truncate(bytes),
        datasync: () => handle.datasync(),
        close: async () => {
          open -= 1;
          await handle.close();
        },
      };
    },
  };
  const wal = await WalFiles.open(files, join(await temporaryDirectory(), 'wal'));
  for (let n = 0; n < 100; n += 1) await wal.startSegment(n, Buffer.from([n]));
  const read = async (lsn: number) => (await wal.readRecord(lsn, 1))?.[0];
  const found = await Promise.all(Array.from({ length: 300 }, (_, n) => read((n * 37) % 100)));
  expect(found).toEqual(Array.from({ length: 300 }, (_, n) => (n * 37) % 100));
  for (let n = 0; n < 200; n += 1) expect(await read(n % 100)).toBe(n % 100);
  expect(open).toBeLessThanOrEqual(66);
  await wal.close();
  expect(open).toBe(0);
  expect(most).toBeGreaterThan(60);
});

test('one page of documents has a bound in bytes, and paging goes on behind it', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' });
  for (let n = 0; n < 6; n += 1) await primary.commit([put(`k${n}`, JSON.stringify('x'.repeat(4_000_000)))]);
  const page = async (after: string) =>
    (await (await fetch(`${primary.url}/data/v1/c?limit=100${after}`)).json()) as {
      documents: { id: string }[];
      next_after: string | null;
    };
  const first = await page('');
  expect(first.documents.map(({ id }) => id)).toEqual(['k0', 'k1', 'k2', 'k3']);
  const second = await page(`&after=${first.next_after}`);
  expect([second.documents.map(({ id }) => id), second.next_after]).toEqual([['k4', 'k5'], null]);
});

test('P5-I4: a flipped bit in the primary’s old WAL is the primary’s corruption, not the replica’s divergence', async () => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, listen: '127.0.0.1:0', replication: 'enabled' });
  const first = await primary.commit([put('a', '1')]);
  await primary.commit([put('a', '2')]);
  await primary.commit([put('a', '3')]);
  const file = join(dataDir, 'wal', '00000000000000000000.wal');
  const bytes = await readFile(file);
  bytes[first.lsn + 40] = (bytes[first.lsn + 40] as number) ^ 1;
  await writeFile(file, bytes);
  const response = await fetch(
    `${primary.url}/replication/v1/wal?from_lsn=${first.lsn}&history_hash=${first.historyHash}`,
  );
  expect(((await response.json()) as { error: { code: string } }).error.code).toBe('WAL_CORRUPT');
  // Nor is it the reader's: the gate does not call a position divergent that it cannot look up.
  expect(await rejection(primary.read(async () => null, { position: first }))).toMatchObject({
    code: 'WAL_CORRUPT',
  });
});

describe('P5-I12: a view that outlives its node is refused, and nothing is called damaged', () => {
  const refused = { code: 'READS_BLOCKED', message: expect.stringContaining('closed its files') as string };

  test.each(['wal', 'snapshot'] as const)('from %s', async (bootstrap) => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    // More than a page of the index has.
    await primary.commit(Array.from({ length: 1_500 }, (_, n) => put(`k${n}`, '1')));
    await primary.createSnapshot();
    const dataDir = await temporaryDirectory();
    const replica = await startReplica({
      dataDir,
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap,
    });
    await appliedCommit(replica, 1);
    await replica.read(async (view) => {
      const all = view.scan('c');
      const whole = view.scan('c');
      await all.next();
      // One that stands before the next page of the index, and one that stands within a page.
      for (let row = 0; row < 1_000; row += 1) await whole.next();
      await replica.stop();
      expect(await rejection(view.get('c', 'k1'))).toMatchObject(refused);
      expect(await rejection(all.next())).toMatchObject(refused);
      expect(await rejection(whole.next())).toMatchObject(refused);
      expect(await rejection(view.stateDigest())).toMatchObject(refused);
      expect(await rejection(view.explain('c', 'k1'))).toMatchObject(refused);
    });
  });
});
