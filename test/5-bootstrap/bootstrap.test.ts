import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeManifest, decodeManifest, type Manifest } from '../../src/core/storage/manifest.ts';
import type { WalSource } from '../../src/io/wal-source.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import type { HostPorts } from '../../src/index.ts';
import { crashAt, faultyFileSystem } from '../support/faulty-file-system.ts';
import {
  CLUSTER,
  del,
  OTHER_CLUSTER,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { alteredSource } from '../support/relayed-source.ts';
import { appliedCommit, appliedLsn, halted, inState, until } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';
import { digestsOf, interceptedIndex } from '../support/state.ts';

async function primaryWithSnapshot(before = 20, after = 15) {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir,
    clusterId: CLUSTER,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  const commit = (n: number) =>
    primary.commit([
      put(`k${n % 9}`, `v${n}`.padEnd(n % 5 === 0 ? 300_000 : 5, '.')),
      ...(n % 4 === 0 ? [del(`k${n % 3}`)] : []),
    ]);
  for (let n = 1; n <= before; n += 1) await commit(n);
  const manifest = await primary.createSnapshot();
  for (let n = 1; n <= after; n += 1) await commit(before + n);
  return { primary, dataDir, url: primary.url as string, manifest, commits: before + after };
}

const bootstrapped = async (url: string, ports: HostPorts = {}, dataDir?: string) => {
  const directory = dataDir ?? (await temporaryDirectory());
  const replica = await startReplica(
    { dataDir: directory, primaryUrl: url, replication: 'enabled', bootstrap: 'snapshot' },
    ports,
  );
  return { replica, dataDir: directory };
};

describe('bootstrap from a snapshot', () => {
  test('P5-I8, P5-I9: snapshot + WAL gives the same state digest as the full WAL, from the cut on', async () => {
    const { primary, dataDir, url, manifest, commits } = await primaryWithSnapshot();
    const { replica, dataDir: replicaDir } = await bootstrapped(url);
    await appliedCommit(replica, commits);
    expect(replica.position()).toMatchObject(primary.position() ?? {});
    expect(replica.snapshot().context.applied?.snapshotCut).toBe(manifest.cut.commitId);
    await replica.stop();
    await primary.stop();
    const full = await digestsOf(dataDir, commits);
    const own = await digestsOf(replicaDir, commits);
    for (let commitId = manifest.cut.commitId; commitId <= commits; commitId += 1)
      expect(own[commitId]).toEqual(full[commitId]);
    // The WAL of the replica is the primary's, from the cut on.
    const wal = await walBytes(dataDir);
    expect((await walBytes(replicaDir)).equals(wal.subarray(manifest.cut.lsn))).toBe(true);
    expect(await readdir(join(replicaDir, 'base'))).toEqual([`${manifest.cut.commitId}.base`]);
  });

  test('P5-I12: no read is served meanwhile, and the replica says what it does', async () => {
    const { url, manifest } = await primaryWithSnapshot();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const walSource = alteredSource(url, (source) => ({
      snapshotBlock: async (id, index) => {
        await gate;
        return source.snapshotBlock(id, index);
      },
    }));
    const { replica } = await bootstrapped(url, { walSource });
    await until(replica, inState('bootstrapping.fetching'));
    expect(await rejection(replica.read(async () => null))).toMatchObject({ code: 'READS_BLOCKED' });
    expect(replica.position()).toBeNull();
    release();
    await until(replica, ({ context }) => (context.applied?.commitId ?? 0) >= manifest.cut.commitId);
  });

  test('a restart after bootstrap goes on, and does not bootstrap again', async () => {
    const { primary, url, commits } = await primaryWithSnapshot();
    const first = await bootstrapped(url);
    await appliedCommit(first.replica, commits);
    await first.replica.stop();
    await primary.commit([put('later', '1')]);
    const second = await bootstrapped(url, {}, first.dataDir);
    await appliedCommit(second.replica, commits + 1);
    expect(second.replica.snapshot().context.fetched).toBeNull();
  });

  test('a bootstrap right at the end of history: nothing but the segment header follows', async () => {
    const { primary, url } = await primaryWithSnapshot(5, 0);
    const { replica } = await bootstrapped(url);
    await appliedLsn(replica, primary.position()?.lsn as number);
    expect(replica.position()).toMatchObject(primary.position() ?? {});
  });

  test('F-N1: a primary that is gone before it could say how its WAL goes on: detached, and begun again on command', async () => {
    const { url, commits } = await primaryWithSnapshot(6, 3);
    let asked = 0;
    const walSource = alteredSource(url, (source) => ({
      openWal: async (from) => {
        asked += 1;
        return asked === 1 ? { kind: 'unreachable', message: 'connection lost' } : source.openWal(from);
      },
    }));
    const { replica, dataDir } = await bootstrapped(url, { walSource });
    const { context } = await until(replica, inState('bootstrapping.detached'));
    expect([context.detachment, context.applied]).toEqual(['connection lost', null]);
    expect(await readdir(dataDir)).not.toContain('base');
    replica.attach();
    await appliedCommit(replica, commits);
  });

  test('a primary without a snapshot: the replica says so and waits for a command', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    await primary.commit([put('a', '1')]);
    const { replica } = await bootstrapped(primary.url as string);
    const { context } = await until(replica, inState('bootstrapping.detached'));
    expect(context.detachment).toBe(
      'the primary has no snapshot: make one with "replichart snapshot create"',
    );
    await primary.createSnapshot();
    replica.attach();
    await appliedCommit(replica, 1);
  });
});

describe('F-S3, F-S4: whatever does not fit is a hard failure that leaves the replica as it was', () => {
  const altering = (change: (manifest: Manifest) => Manifest) => (source: WalSource) => ({
    snapshotManifest: async (id: string) => {
      const answer = await source.snapshotManifest(id);
      if (answer.kind !== 'bytes') return answer;
      const found = decodeManifest(answer.bytes);
      if (found.state !== 'intact') throw new Error('the primary’s own manifest is intact');
      return { kind: 'bytes' as const, bytes: encodeManifest(change(found.manifest)) };
    },
  });
  const flippedAnswer =
    (verb: 'snapshotManifest' | 'snapshotBlock', at: number) =>
    (source: WalSource): Partial<WalSource> => ({
      [verb]: async (id: string, index: number) => {
        const answer = await source[verb](id, index);
        if (answer.kind === 'bytes') answer.bytes[at] = (answer.bytes[at] as number) ^ 4;
        return answer;
      },
    });

  test.each<[string, (source: WalSource) => Partial<WalSource>, string, string]>([
    [
      'F-S4: a flipped bit in the manifest',
      flippedAnswer('snapshotManifest', 60),
      'SNAPSHOT_CORRUPT',
      'P5-I8 manifestIsIntact',
    ],
    [
      'F-S4: a flipped bit in a block',
      flippedAnswer('snapshotBlock', 500),
      'SNAPSHOT_CORRUPT',
      'P5-I8 blocksAreIntact',
    ],
    [
      'F-S4: a snapshot of another cluster',
      altering((manifest) => ({ ...manifest, clusterId: OTHER_CLUSTER })),
      'CLUSTER_FOREIGN',
      'P5-I8 snapshotIsOfOurCluster',
    ],
    [
      'F-S4: another digest',
      altering((manifest) => ({ ...manifest, stateDigest: '0'.repeat(64) })),
      'SNAPSHOT_CORRUPT',
      'P5-I8 baseIsWhole',
    ],
    [
      'F-S4: another count',
      altering((manifest) => ({ ...manifest, versions: manifest.versions + 1 })),
      'SNAPSHOT_CORRUPT',
      'P5-I8 baseIsWhole',
    ],
    [
      'F-S4: another cut than the file’s',
      altering((manifest) => ({
        ...manifest,
        cut: { ...manifest.cut, lsn: manifest.cut.lsn - 1 },
      })),
      'SNAPSHOT_CORRUPT',
      'P5-I8 baseIsWhole',
    ],
    [
      'F-S3, P5-I9: WAL that does not resume at the cut',
      (source) => ({ openWal: async (from) => source.openWal({ ...from, historyHash: 'ab'.repeat(32) }) }),
      'SNAPSHOT_DISCONTINUOUS',
      'P5-I9 walResumesAtTheCut',
    ],
    [
      'F-S3, P5-I9: a segment header of another history at the cut',
      (source) => ({
        openWal: async (from) => {
          const opened = await source.openWal(from);
          if (opened.kind !== 'opened') return opened;
          const { stream } = opened;
          return {
            kind: 'opened',
            stream: {
              ...stream,
              close: () => stream.close(),
              chunks: (async function* () {
                for await (const chunk of stream.chunks) {
                  if (chunk.kind === 'wal' && chunk.lsn === from.lsn)
                    chunk.bytes[60] = (chunk.bytes[60] as number) ^ 1;
                  yield chunk;
                }
              })(),
            },
          };
        },
      }),
      'SNAPSHOT_DISCONTINUOUS',
      'P5-I9 walResumesAtTheCut',
    ],
  ])('%s', async (_name, alter, code, rule) => {
    const { url } = await primaryWithSnapshot(8, 3);
    const { replica, dataDir } = await bootstrapped(url, { walSource: alteredSource(url, alter) });
    const { context } = await halted(replica);
    expect(context.halt).toMatchObject({ code, rule });
    expect(context.applied).toBeNull();
    expect(await readdir(dataDir)).not.toContain('base');
    expect(await walBytes(dataDir)).toEqual(Buffer.alloc(0));
    expect(
      JSON.parse((await readFile(join(dataDir, 'halt'), 'utf8')).split('\n')[0] as string),
    ).toMatchObject({ rule });
  });
});

describe('crashes during bootstrap', () => {
  test('F-S1, F-S2: killed before every change, the partial snapshot is nothing, and bootstrap begins again', async () => {
    const { primary, dataDir: primaryDir, url, commits, manifest } = await primaryWithSnapshot(6, 3);
    const end = primary.position()?.lsn as number;
    const run = async (dataDir: string, crash: number, store: ReturnType<typeof memoryVersionIndex>) => {
      const files = faultyFileSystem(crashAt(crash, (bytes) => bytes >> 1));
      const { replica } = await bootstrapped(url, { files, indexStore: () => store }, dataDir).catch(() => ({
        replica: null,
      }));
      await (replica &&
        until(replica, (snapshot) => snapshot.context.applied?.lsn === end || inState('halted')(snapshot)));
      await replica?.stop();
      return files.operations();
    };
    const operations = await run(await temporaryDirectory(), Infinity, memoryVersionIndex());
    expect(operations).toBeGreaterThan(15);
    for (let crash = 1; crash <= operations; crash += 1) {
      const dataDir = await temporaryDirectory();
      const store = memoryVersionIndex();
      await run(dataDir, crash, store);
      const { replica } = await bootstrapped(url, { indexStore: () => store }, dataDir);
      await appliedLsn(replica, end);
      expect(replica.position(), `crash before change ${crash}`).toMatchObject({ commitId: commits });
      await replica.stop();
      expect((await walBytes(dataDir)).equals((await walBytes(primaryDir)).subarray(manifest.cut.lsn))).toBe(
        true,
      );
    }
  }, 120_000);

  test('P5-I11: a replica that was to begin with a snapshot, crashed, and is told to begin with the WAL, begins anew', async () => {
    const { primary, url, commits } = await primaryWithSnapshot(6, 3);
    const store = memoryVersionIndex();
    const dataDir = await temporaryDirectory();
    const crashing = interceptedIndex(async (through, number) => {
      // The entries are in, their checkpoint is not.
      if (number === 2) throw new Error('crashed before the checkpoint');
      await through();
    }, store);
    const first = await bootstrapped(
      url,
      {
        indexStore: () => crashing,
        files: faultyFileSystem((operation, path) =>
          path.endsWith('halt.tmp') && operation === 'open' ? { error: new Error('crashed') } : null,
        ),
      },
      dataDir,
    );
    await halted(first.replica);
    await first.replica.stop();
    const replica = await startReplica(
      { dataDir, primaryUrl: url, replication: 'enabled', bootstrap: 'wal' },
      { indexStore: () => store },
    );
    await appliedLsn(replica, primary.position()?.lsn as number);
    expect(replica.position()).toMatchObject({ commitId: commits });
    await replica.stop();
    await primary.stop();
    const digests = await digestsOf(dataDir, commits, store);
    expect(digests.at(-1)?.versions).toBeGreaterThan(5);
  });
});

test('P5-I9, P5-I11: WAL that has lost its beginning at the cut halts a node that began with a snapshot', async () => {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    replication: 'enabled',
    segmentBytesMax: 4_194_400,
  });
  const url = primary.url as string;
  await primary.commit([put('a', '1')]);
  const { cut } = await primary.createSnapshot();
  for (let n = 1; n <= 3; n += 1) await primary.commit([put(`k${n}`, 'x'.repeat(3_000_000))]);
  const { replica, dataDir } = await bootstrapped(url);
  await appliedCommit(replica, 4);
  await replica.stop();
  const again = await bootstrapped(url, {}, dataDir);
  await appliedCommit(again.replica, 4);
  await again.replica.stop();
  const [gone, next] = (await readdir(join(dataDir, 'wal'))).sort();
  await rm(join(dataDir, 'wal', gone as string));
  const { context } = await halted((await bootstrapped(url, {}, dataDir)).replica);
  expect(context.halt).toMatchObject({
    code: 'WAL_CORRUPT',
    evidence: { expected_start_lsn: cut.lsn, found_start_lsn: Number(next?.slice(0, 20)) },
  });
});
