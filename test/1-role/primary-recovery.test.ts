import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPrimary } from '../../src/index.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { fingerprint } from '../support/files.ts';
import { crashAt, faultyFileSystem, systemError } from '../support/faulty-file-system.ts';
import { CLUSTER, NODE, put, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';

const WAL = 'wal/00000000000000000000.wal';
const ids = { clusterId: CLUSTER, nodeId: NODE };

async function history(dataDir: string, commits: number): Promise<Buffer> {
  const primary = await startPrimary({ dataDir, ...ids });
  for (let n = 1; n <= commits; n += 1) await primary.commit([put(`k${n}`, `v${n}`)]);
  await primary.stop();
  return readFile(join(dataDir, WAL));
}

async function readAll(primary: Awaited<ReturnType<typeof startPrimary>>): Promise<string[]> {
  return primary.read(async (view) => {
    const all = [];
    for await (const { document } of view.scan('c')) all.push(document.toString());
    return all;
  });
}

describe('recovery of the primary', () => {
  test('F-P2: what is in the WAL survives without the index, and commit ids go on', async () => {
    const dataDir = await temporaryDirectory();
    await history(dataDir, 3);
    // The index that comes back is older than the WAL, as after a power cut: here, empty but for its first checkpoint.
    const store = memoryVersionIndex();
    const empty = await startPrimary(
      { dataDir: await temporaryDirectory(), ...ids },
      { indexStore: () => store },
    );
    await empty.stop();
    const checkpointOfEmpty = await store.open();
    expect(await checkpointOfEmpty.get(Buffer.from('\0checkpoint'))).toBeDefined();
    const primary = await startPrimary({ dataDir, ...ids }, { indexStore: () => store });
    expect(await readAll(primary)).toEqual(['v1', 'v2', 'v3']);
    expect((await primary.commit([put('k4', 'v4')])).commitId).toBe(4);
  });

  test('F-P1: a torn tail at every byte is cut to the last whole frame, and said', async () => {
    const source = await temporaryDirectory();
    const whole = await history(source, 2);
    const frameBytes = (whole.length - 96) / 2;
    for (let length = whole.length - 1; length > whole.length - frameBytes; length -= 7) {
      const dataDir = await temporaryDirectory();
      // The torn frame was never acknowledged, so the checkpoint stands before it.
      const store = memoryVersionIndex();
      const first = await startPrimary({ dataDir, ...ids }, { indexStore: () => store });
      await first.commit([put('k1', 'v1')]);
      await first.stop();
      const one = await readFile(join(dataDir, WAL));
      await writeFile(join(dataDir, WAL), Buffer.concat([one, whole.subarray(one.length, length)]));
      const primary = await startPrimary({ dataDir, ...ids }, { indexStore: () => store });
      expect(primary.position()?.commitId).toBe(1);
      expect(await readFile(join(dataDir, WAL))).toEqual(one);
      expect(primary.snapshot().context.survey?.tail.stop).toMatchObject({
        kind: 'torn',
        file: '00000000000000000000.wal',
        lsn: one.length,
      });
      await primary.stop();
    }
  });

  test('P5-I11: a flipped bit anywhere in acknowledged WAL is corruption, and nothing is touched', async () => {
    const source = await temporaryDirectory();
    const whole = await history(source, 3);
    for (let byte = 0; byte < whole.length; byte += 5) {
      const flipped = Buffer.from(whole);
      flipped[byte] = (flipped[byte] as number) ^ (1 << (byte % 8));
      await writeFile(join(source, WAL), flipped);
      const before = await fingerprint(source);
      const error = await rejection(createPrimary({ dataDir: source, ...ids, logLevel: 'silent' }));
      expect(error, `byte ${byte}`).toMatchObject({ code: 'WAL_CORRUPT', invariant: 'P5-I4' });
      expect(await fingerprint(source)).toEqual(before);
    }
    await writeFile(join(source, WAL), whole);
    expect((await startPrimary({ dataDir: source, ...ids })).position()?.commitId).toBe(3);
  });

  test('P5-I11: an invalid region with valid history behind it is corruption, not a torn tail', async () => {
    const dataDir = await temporaryDirectory();
    const store = memoryVersionIndex();
    await (await startPrimary({ dataDir, ...ids }, { indexStore: () => store })).stop();
    const whole = await history(await temporaryDirectory(), 3);
    const damaged = Buffer.from(whole);
    damaged[200] = (damaged[200] as number) ^ 1;
    await writeFile(join(dataDir, WAL), damaged);
    expect(await rejection(startPrimary({ dataDir, ...ids }, { indexStore: () => store }))).toMatchObject({
      code: 'WAL_CORRUPT',
      evidence: { proven_to_lsn: 96, valid_unit_after_lsn: 201 },
    });
  });

  test('WAL without a checkpoint is refused: the index was lost', async () => {
    const dataDir = await temporaryDirectory();
    await history(dataDir, 1);
    const error = await rejection(startPrimary({ dataDir, ...ids }, { indexStore: memoryVersionIndex }));
    expect(error).toMatchObject({ code: 'CHECKPOINT_DAMAGED', invariant: 'P5-I11' });
  });

  test('F-P1, F-P2: killed before every change of a run that rolls segments, everything acknowledged survives', async () => {
    const options = { ...ids, segmentBytesMax: 4_194_400 };
    const scenario = async (dataDir: string, crash: number, store: ReturnType<typeof memoryVersionIndex>) => {
      const files = faultyFileSystem(crashAt(crash, (bytes) => bytes >> 1));
      const acknowledged: number[] = [];
      const primary = await createPrimary(
        { dataDir, ...options, logLevel: 'silent' },
        { files, indexStore: () => store },
      ).catch(() => null);
      if (primary !== null) {
        for (let n = 1; n <= 4; n += 1)
          await primary.commit([put(`k${n}`, 'x'.repeat(3_000_000))]).then(
            ({ commitId }) => acknowledged.push(commitId),
            () => undefined,
          );
        await primary.stop();
      }
      return { acknowledged, operations: files.operations() };
    };
    const { operations, acknowledged } = await scenario(
      await temporaryDirectory(),
      Infinity,
      memoryVersionIndex(),
    );
    expect(acknowledged).toEqual([1, 2, 3, 4]);
    for (let crash = 1; crash <= operations; crash += 1) {
      const dataDir = await temporaryDirectory();
      const store = memoryVersionIndex();
      const run = await scenario(dataDir, crash, store);
      const primary = await startPrimary({ dataDir, ...options }, { indexStore: () => store });
      const survived = primary.position()?.commitId ?? 0;
      expect(survived, `crash before change ${crash}`).toBeGreaterThanOrEqual(run.acknowledged.length);
      expect(await readAll(primary)).toHaveLength(survived);
      expect((await primary.commit([put('next', 'n')])).commitId).toBe(survived + 1);
      await primary.stop();
      const again = await startPrimary({ dataDir, ...options }, { indexStore: () => store });
      expect(again.position()?.commitId).toBe(survived + 1);
      await again.stop();
    }
  });

  test('F-D1: after a failed fsync nothing is acknowledged, the halt is durable, and only clearing it ends it', async () => {
    const dataDir = await temporaryDirectory();
    let broken = false;
    const files = faultyFileSystem((operation, path) =>
      broken && operation === 'datasync' && path.endsWith('.wal') ? { error: systemError('EIO') } : null,
    );
    const store = memoryVersionIndex();
    const primary = await startPrimary({ dataDir, ...ids }, { files, indexStore: () => store });
    await primary.commit([put('a', '1')]);
    broken = true;
    expect(await rejection(primary.commit([put('a', '2')]))).toMatchObject({ code: 'STORAGE_FAILED' });
    broken = false;
    expect(await rejection(primary.commit([put('a', '3')]))).toMatchObject({ code: 'NOT_WRITABLE' });
    expect(await rejection(primary.read(async () => null))).toMatchObject({ code: 'READS_BLOCKED' });
    await primary.stop();
    const restarted = await startPrimary({ dataDir, ...ids }, { indexStore: () => store });
    expect(restarted.snapshot()).toMatchObject({
      value: { halted: 'resting' },
      context: {
        halt: { code: 'STORAGE_FAILED', evidence: { effect: 'writePath', error: { code: 'EIO' } } },
      },
    });
    expect(await readdir(dataDir)).toContain('halt');
  });
});

test('P5-I11: a primary whose WAL has lost its beginning refuses to start, and changes nothing', async () => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, ...ids, segmentBytesMax: 4_194_400 });
  for (let n = 1; n <= 3; n += 1) await primary.commit([put(`k${n}`, 'x'.repeat(3_000_000))]);
  await primary.stop();
  const [gone, next] = (await readdir(join(dataDir, 'wal'))).sort();
  await rm(join(dataDir, 'wal', gone as string));
  const before = await readdir(join(dataDir, 'wal'));
  expect(await rejection(createPrimary({ dataDir, ...ids, logLevel: 'silent' }))).toMatchObject({
    code: 'WAL_CORRUPT',
    evidence: { expected_start_lsn: 0, found_start_lsn: Number(next?.slice(0, 20)) },
  });
  expect(await readdir(join(dataDir, 'wal'))).toEqual(before);
});
