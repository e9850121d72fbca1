import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StoredVersion } from '../../src/core/storage/version.ts';
import { decodeManifest } from '../../src/core/storage/manifest.ts';
import { encodeSealedRecord } from '../../src/core/sealed-record.ts';
import { prepareCommit, operationCrc, writeCommit, type Operation } from '../../src/core/wal/operation.ts';
import { readBaseFile, writeBaseFile } from '../../src/io/base-file.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { sha256, hex } from '../../src/core/bytes.ts';
import { CLUSTER, put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { faultyFileSystem, type FileOperation } from '../support/faulty-file-system.ts';
import { recordingIndex } from '../support/state.ts';

function version(commitId: number, operation: Operation, change?: (record: Buffer) => void): StoredVersion {
  const commit = prepareCommit([operation]);
  const bytes = Buffer.alloc(commit.bytes);
  writeCommit(bytes, 0, commitId, commit);
  const record = bytes.subarray(16);
  change?.(record);
  record.writeUInt32LE(operationCrc(commitId, record[0] as number, record.subarray(12)), 8);
  const place = { log: 'wal', offset: 0, bytes: record.length } as const;
  return { commitId, collection: Buffer.from('c'), id: Buffer.from('a'), document: null, record, place };
}

async function faultOf(...versions: StoredVersion[]) {
  const path = join(await temporaryDirectory(), 'x.base');
  const cut = { commitId: 5, lsn: 500, historyHash: 'ab'.repeat(32), segmentIndex: 1 };
  await writeBaseFile(
    nodeFileSystem,
    path,
    '5',
    { clusterId: CLUSTER, cut },
    (async function* () {
      yield* versions;
    })(),
  );
  return (await readBaseFile(nodeFileSystem, path)).fault;
}

describe('P5-I8: a base file with right checksums is refused all the same when it says what cannot be', () => {
  test('what can be', async () => {
    expect(await faultOf(version(5, put('a', '1')), version(4, put('a', '0')))).toBeNull();
    expect(await faultOf()).toBeNull();
  });

  test.each<[string, StoredVersion[]]>([
    ['a commit above the cut', [version(6, put('a', '1'))]],
    ['commit 0', [version(0, put('a', '1'))]],
    ['an unknown operation', [version(3, put('a', '1'), (record) => (record[0] = 7))]],
    ['a deletion with a document', [version(3, put('a', '1'), (record) => (record[0] = 2))]],
    ['versions out of order', [version(3, put('a', '1')), version(4, put('a', '1'))]],
    ['a version twice', [version(3, put('a', '1')), version(3, put('a', '1'))]],
  ])('%s', async (_name, versions) => {
    expect(await faultOf(...versions)).toMatchObject({ offset: 152 + (versions.length - 1) * 23 });
  });

  test('a sealed line that is no manifest is damaged, not an error', () => {
    const line = Buffer.from('not JSON\n');
    expect(decodeManifest(Buffer.concat([line, Buffer.from(`sha256 ${hex(sha256(line))}\n`)])).state).toBe(
      'damaged',
    );
    expect(decodeManifest(encodeSealedRecord({ magic: 'another' })).state).toBe('damaged');
  });
});

describe('P5-I11: what a power cut could tear apart is synced in between', () => {
  test('cut frame and seal are durable one after the other', async () => {
    const log: FileOperation[] = [];
    let logging = false;
    const files = faultyFileSystem((operation, path) => {
      if (logging && path.endsWith('.wal')) log.push(operation);
      return null;
    });
    const primary = await startPrimary({ dataDir: await temporaryDirectory() }, { files });
    await primary.commit([put('a', '1')]);
    logging = true;
    await primary.createSnapshot();
    expect(log.slice(0, 4)).toEqual(['append', 'datasync', 'append', 'datasync']);
  });

  test('the first checkpoint of the index is synced; batches are not, for the WAL has what they hold', async () => {
    const recorded = recordingIndex();
    const primary = await startPrimary(
      { dataDir: await temporaryDirectory() },
      { indexStore: () => recorded.store },
    );
    await primary.commit([put('a', '1')]);
    await primary.createSnapshot();
    expect(recorded.durable).toEqual(recorded.batches.map((_, index) => index === 0));
    expect(recorded.batches.length).toBeGreaterThan(2);
  });
});
