import { describe, expect, test } from 'vitest';
import { CHECKPOINT_KEY } from '../../src/core/storage/index-entry.ts';
import { decodeCheckpoint } from '../../src/core/storage/checkpoint.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { crashAt, faultyFileSystem } from '../support/faulty-file-system.ts';
import {
  CLUSTER,
  del,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedCommit, appliedLsn, halted, inState, until } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource, walBytes, type ScriptedSource } from '../support/sources.ts';
import { digestsOf, interceptedIndex, recordingIndex } from '../support/state.ts';
import type { HostPorts } from '../../src/index.ts';

const replicaOf = async (wal: Buffer, ports: HostPorts = {}, dataDir?: string, chunk = 10_000) => {
  const directory = dataDir ?? (await temporaryDirectory());
  const script = (): ScriptedSource => ({ chunks: (from) => chunked(wal, chunk, from.lsn) });
  const replica = await startReplica(
    { dataDir: directory, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    { walSource: scriptedSource(script), ...ports },
  );
  return { replica, dataDir: directory };
};

/** A history with updates, deletes and several operations a commit, and the digests of the primary at every commit. */
async function mixedHistory(commits: number) {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER, segmentBytesMax: 4_194_400 });
  for (let n = 1; n <= commits; n += 1)
    await primary.commit([
      put(`k${n % 13}`, `v${n}`.padEnd(n % 7 === 0 ? 700_000 : 10, '.')),
      ...(n % 3 === 0 ? [del(`k${n % 5}`)] : []),
      ...(n % 4 === 0
        ? [
            {
              op: 'put',
              collection: `c${n % 2}`,
              id: new Uint8Array([0, n % 3, 0]),
              document: `${n}`,
            } as const,
          ]
        : []),
    ]);
  await primary.stop();
  return { wal: await walBytes(dataDir), digests: await digestsOf(dataDir, commits) };
}

describe('P5-I4: the replica’s storage is the state that the primary’s WAL gives', () => {
  test('equal state digests at every commit id', async () => {
    const { wal, digests } = await mixedHistory(60);
    const { replica, dataDir } = await replicaOf(wal);
    await appliedLsn(replica, wal.length);
    await replica.stop();
    expect(await digestsOf(dataDir, 60)).toEqual(digests);
    expect(new Set(digests.map(({ sha256 }) => sha256)).size).toBe(61);
  });

  test('P5-I6: commit ids advance and can be seen', async () => {
    const { wal } = await mixedHistory(30);
    const { replica } = await replicaOf(wal, {}, undefined, 777);
    const seen: number[] = [];
    replica.subscribe(({ context }) => {
      const commitId = context.applied?.commitId ?? 0;
      if (seen.at(-1) !== commitId) seen.push(commitId);
    });
    await appliedCommit(replica, 30);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(replica.position()).toMatchObject({ commitId: 30, lsn: wal.length });
  });

  test('P5-I5: in every state the applied position is at most the proven one, and that at most the received one', async () => {
    const { wal } = await mixedHistory(40);
    const { replica } = await replicaOf(wal, {}, undefined, 5_000);
    const faults: string[] = [];
    replica.subscribe(({ context }) => {
      const applied = context.applied?.lsn ?? 0;
      const validated = context.validated?.lsn ?? 0;
      if (applied > validated || validated > (context.receivedLsn ?? 0))
        faults.push(`${applied} ${validated} ${context.receivedLsn}`);
    });
    await appliedLsn(replica, wal.length);
    expect(faults).toEqual([]);
  });
});

describe('F-A2: entries and checkpoint cannot part', () => {
  test('every batch that the index gets holds whole commits and the checkpoint after them', async () => {
    const { wal } = await mixedHistory(30);
    const recorded = recordingIndex();
    const { replica } = await replicaOf(wal, { indexStore: () => recorded.store }, undefined, 3_000);
    await appliedLsn(replica, wal.length);
    let last = -1;
    for (const batch of recorded.batches) {
      const entry = batch.find(({ key }) => key.equals(CHECKPOINT_KEY));
      const checkpoint = entry === undefined ? null : decodeCheckpoint(entry.value);
      expect(checkpoint?.lsn).toBeGreaterThan(last);
      last = checkpoint?.lsn ?? last;
    }
    expect(last).toBe(wal.length);
  });

  test('P5-I11: an index that comes back at any older checkpoint is replayed to the identical state', async () => {
    const { wal, digests } = await mixedHistory(25);
    const recorded = recordingIndex();
    const first = await replicaOf(wal, { indexStore: () => recorded.store }, undefined, 300_000);
    await appliedLsn(first.replica, wal.length);
    await first.replica.stop();
    for (let count = 1; count <= recorded.batches.length; count += 1) {
      const store = await recorded.after(count);
      const { replica } = await replicaOf(wal, { indexStore: () => store }, first.dataDir);
      await appliedLsn(replica, wal.length);
      await replica.stop();
      expect(await digestsOf(first.dataDir, 25, store), `after ${count} batches`).toEqual(digests);
    }
  });
});

describe('F-A1: crashes in the middle of application', () => {
  test('killed before every change, replay gives the identical state', async () => {
    const { wal, digests } = await mixedHistory(18);
    const run = async (dataDir: string, crash: number, store: ReturnType<typeof memoryVersionIndex>) => {
      const files = faultyFileSystem(crashAt(crash, (bytes) => bytes - 1));
      const { replica } = await replicaOf(wal, { files, indexStore: () => store }, dataDir, 400_000).catch(
        () => ({
          replica: null,
        }),
      );
      await (replica &&
        until(
          replica,
          (snapshot) => snapshot.context.applied?.lsn === wal.length || inState('halted')(snapshot),
        ));
      await replica?.stop();
      return files.operations();
    };
    const operations = await run(await temporaryDirectory(), Infinity, memoryVersionIndex());
    for (let crash = 1; crash <= operations; crash += 1) {
      const dataDir = await temporaryDirectory();
      const store = memoryVersionIndex();
      await run(dataDir, crash, store);
      const { replica } = await replicaOf(wal, { indexStore: () => store }, dataDir);
      await appliedLsn(replica, wal.length);
      await replica.stop();
      expect(await digestsOf(dataDir, 18, store), `crash before change ${crash}`).toEqual(digests);
    }
  }, 120_000);

  test('F-D1: a write that the index refuses halts, and nothing partial is visible', async () => {
    const wal = await recordedWal(10);
    // The first write is the checkpoint before everything, the second the first batch.
    const store = interceptedIndex(async (through, number) => {
      if (number === 2) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      await through();
    });
    const { replica } = await replicaOf(wal, { indexStore: () => store }, undefined, 110);
    const { context } = await halted(replica);
    expect(context.halt).toMatchObject({
      code: 'STORAGE_FAILED',
      evidence: { effect: 'apply', error: { code: 'ENOSPC' } },
    });
  });

  test('F-RC2: a damaged checkpoint refuses to start and says what to do', async () => {
    const wal = await recordedWal(6);
    const store = memoryVersionIndex();
    const { replica, dataDir } = await replicaOf(wal, { indexStore: () => store });
    await appliedLsn(replica, wal.length);
    await replica.stop();
    const index = await store.open();
    const good = (await index.get(CHECKPOINT_KEY)) as Buffer;
    const bad = Buffer.from(good);
    bad[20] = (bad[20] as number) ^ 1;
    await index.write([{ key: CHECKPOINT_KEY, value: bad }], { durable: true });
    expect(await rejection(replicaOf(wal, { indexStore: () => store }, dataDir))).toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
      invariant: 'P5-I11',
    });
  });
});
