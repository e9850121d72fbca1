import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeManifest } from '../../src/core/storage/manifest.ts';
import { readBaseFile } from '../../src/io/base-file.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { createPrimary } from '../../src/index.ts';
import { crashAt, faultyFileSystem } from '../support/faulty-file-system.ts';
import { CLUSTER, del, NODE, put, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { walBytes } from '../support/sources.ts';
import { digestsOf } from '../support/state.ts';
import { flipped, unitsOf } from '../support/wal-forge.ts';

const filled = async (commits: number, bytes = 0) => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE });
  for (let n = 1; n <= commits; n += 1)
    await primary.commit([
      put(`k${n % 9}`, `v${n}`.padEnd(bytes, '.')),
      ...(n % 4 === 0 ? [del(`k${n % 3}`)] : []),
    ]);
  return { dataDir, primary };
};

describe('P5-I8: a snapshot is an exact cut', () => {
  test('cut frame and seal end the segment, and the cut is where the next one begins', async () => {
    const { dataDir, primary } = await filled(10);
    const before = primary.position();
    const { cut, snapshotId } = await primary.createSnapshot();
    expect(snapshotId).toBe('10');
    const units = unitsOf(await walBytes(dataDir));
    expect(units.slice(-3).map(({ kind }) => kind)).toEqual(['cut', 'seal', 'header']);
    expect(cut).toEqual({
      commitId: 10,
      lsn: units.at(-1)?.lsn,
      historyHash: primary.position()?.historyHash,
      segmentIndex: 1,
    });
    expect(cut.lsn).toBe((before?.lsn ?? 0) + 144);
  });

  test('its digest is the state digest of the cut, whatever is written meanwhile', async () => {
    const { dataDir, primary } = await filled(25, 100_000);
    const making = primary.createSnapshot();
    const later = Promise.all(
      Array.from({ length: 30 }, (_, n) => primary.commit([put(`k${n % 9}`, 'later')])),
    );
    const manifest = await making;
    await later;
    await primary.stop();
    const digests = await digestsOf(dataDir, 55);
    const expected = digests[manifest.cut.commitId];
    expect([manifest.stateDigest, manifest.versions, manifest.keys]).toEqual([
      expected?.sha256,
      expected?.versions,
      expected?.keys,
    ]);
    expect(manifest.blocks.length).toBeGreaterThan(1);
    expect(manifest.cut.commitId).toBeGreaterThanOrEqual(25);
  });

  test('is not made twice for one commit id, and not of nothing', async () => {
    const { dataDir, primary } = await filled(3);
    const first = await primary.createSnapshot();
    const wal = await walBytes(dataDir);
    expect(await primary.createSnapshot()).toEqual(first);
    expect(await walBytes(dataDir)).toEqual(wal);
    const empty = await startPrimary({ dataDir: await temporaryDirectory() });
    expect(await rejection(empty.createSnapshot())).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('F-S4: every flipped bit of manifest and base file is found', async () => {
    const { dataDir, primary } = await filled(4);
    const { snapshotId } = await primary.createSnapshot();
    const directory = join(dataDir, 'snapshots', snapshotId);
    const manifest = await readFile(join(directory, 'manifest'));
    expect(decodeManifest(manifest).state).toBe('intact');
    for (let bit = 0; bit < manifest.length * 8; bit += 1)
      expect(decodeManifest(flipped(manifest, bit)).state, `bit ${bit}`).toBe('damaged');
    const base = await readFile(join(directory, 'data.base'));
    const copy = join(dataDir, 'copy.base');
    await writeFile(copy, base);
    const intact = await readBaseFile(nodeFileSystem, copy);
    expect(intact.fault).toBeNull();
    for (let bit = 0; bit < base.length * 8; bit += 3) {
      await writeFile(copy, flipped(base, bit));
      expect((await readBaseFile(nodeFileSystem, copy)).fault, `bit ${bit}`).not.toBeNull();
    }
    for (let length = 0; length < base.length; length += 7) {
      await writeFile(copy, base.subarray(0, length));
      expect((await readBaseFile(nodeFileSystem, copy)).fault, `length ${length}`).not.toBeNull();
    }
  });

  test('P5-I11: killed before every change while it is made, the snapshot is whole or not there', async () => {
    const run = async (dataDir: string, crash: number, store: ReturnType<typeof memoryVersionIndex>) => {
      const files = faultyFileSystem(crashAt(crash, (bytes) => bytes >> 1));
      const primary = await createPrimary(
        { dataDir, clusterId: CLUSTER, logLevel: 'silent' },
        { files, indexStore: () => store },
      ).catch(() => null);
      await primary?.commit([put('a', '1')]).catch(() => undefined);
      await primary?.createSnapshot().catch(() => undefined);
      await primary?.commit([put('a', '2')]).catch(() => undefined);
      await primary?.stop();
      return files.operations();
    };
    const operations = await run(await temporaryDirectory(), Infinity, memoryVersionIndex());
    for (let crash = 1; crash <= operations; crash += 1) {
      const dataDir = await temporaryDirectory();
      const store = memoryVersionIndex();
      await run(dataDir, crash, store);
      // A halt of the crashed run may be recorded or not; a restart after the record was cleared goes on.
      const primary = await startPrimary({ dataDir, clusterId: CLUSTER }, { indexStore: () => store });
      expect(primary.snapshot().value, `crash before change ${crash}`).toBe('disabled');
      const names = await readdir(join(dataDir, 'snapshots')).catch(() => []);
      expect(names.filter((name) => !/^\d+$/.test(name))).toEqual([]);
      await primary.commit([put('b', '1')]);
      const { snapshotId } = await primary.createSnapshot();
      for (const id of [...names, snapshotId])
        expect(
          (await readBaseFile(nodeFileSystem, join(dataDir, 'snapshots', id, 'data.base'))).fault,
        ).toBeNull();
      await primary.stop();
    }
  }, 120_000);
});
