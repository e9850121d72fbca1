/**
 * The document and the program say the same. `independent-decoder.ts` was written from docs/FORMAT.md and shares no code
 * with the program; here it reads what the program wrote.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeHaltRecord } from '../../src/core/halt.ts';
import { AFTER_VERSION_KEYS, CHECKPOINT_KEY, FIRST_VERSION_KEY } from '../../src/core/storage/index-entry.ts';
import { encodeNotice, NOTICE_BYTES } from '../../src/core/wal/notice.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import {
  COLLECTION_BYTES_MAX,
  COMMIT_BYTES_MAX,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  ID_BYTES_MAX,
  OPERATION_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
} from '../../src/core/limits.ts';
import { REPLICATION_HEADERS } from '../../src/core/replication-protocol.ts';
import {
  BASE_BLOCK_BYTES_MAX,
  BASE_BLOCK_BYTES_TARGET,
  BASE_BLOCK_HEADER_BYTES,
  BASE_FOOTER_BYTES,
  BASE_HEADER_BYTES,
} from '../../src/core/storage/base-format.ts';
import { ERRORS, type ErrorCode, type Operation, type Position, type Primary } from '../../src/index.ts';
import {
  crc32c,
  decodeBaseFileBytes,
  decodeCheckpointValue,
  decodeHaltFile,
  decodeIdentityFile,
  decodeIndexEntry,
  decodeManifestFile,
  decodeNoticeBytes,
  decodeWalDirectory,
  decodeWalFiles,
  digestOfCommits,
  FormatFault,
} from '../support/independent-decoder.ts';
import {
  CLUSTER,
  del,
  NODE,
  OTHER_CLUSTER,
  put,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';
import { digestsOf } from '../support/state.ts';
import { flipped, forged } from '../support/wal-forge.ts';

const SEGMENT_BYTES_MAX = 4 * 1024 * 1024 + 96;
const LARGE = 2_500_000;

/** Names that are each other's prefixes, hold zero bytes, or are no text: what key order has to get right. */
const COLLECTIONS = ['a', 'ab', Buffer.from([0x61, 0x00]), Buffer.from([0x61, 0x00, 0x01]), 'ü'];
const IDS = ['k', 'k\0', 'k\0\u0001', 'kk', Buffer.from([0xff, 0x00, 0xff]), Buffer.from([0x00])];

/** Commits of every sort, the same in each run; what the writers were told of them. */
async function mixedCommits(primary: Primary, count: number, seed: number): Promise<Position[]> {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * bound);
  };
  const operation = (): Operation => {
    const key = {
      collection: COLLECTIONS[below(COLLECTIONS.length)] as string,
      id: IDS[below(IDS.length)] as string,
    };
    return below(4) === 0
      ? { op: 'delete', ...key }
      : { op: 'put', ...key, document: Buffer.alloc(below(40), below(256)) };
  };
  const operations = () => Array.from({ length: 1 + below(5) }, operation);
  const told: Position[] = [];
  while (told.length < count) {
    // Commits made together share a frame.
    const together = Array.from({ length: Math.min(1 + below(3), count - told.length) }, operations);
    told.push(...(await Promise.all(together.map((one) => primary.commit(one)))));
  }
  return told;
}

/** A stopped primary with several segments, rolled by size and by cuts, and two snapshots. */
async function recordedPrimary() {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir,
    clusterId: CLUSTER,
    nodeId: NODE,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  const told = await mixedCommits(primary, 40, 1);
  for (const id of ['x', 'y', 'z']) told.push(await primary.commit([put(id, id.repeat(LARGE)), del('k')]));
  const first = await primary.createSnapshot();
  told.push(...(await mixedCommits(primary, 30, 2)));
  // Twice and three times the same document in one commit: the last operation is the version.
  told.push(await primary.commit([put('x', '1'), put('x', '2'), del('x'), put('y', ''), put('x', '3')]));
  const second = await primary.createSnapshot();
  told.push(...(await mixedCommits(primary, 20, 3)));
  const position = primary.position();
  return { dataDir, primary, told, position, snapshots: [first, second] };
}

const read = (dataDir: string, ...path: string[]) => readFile(join(dataDir, ...path));

async function walFiles(dataDir: string): Promise<{ name: string; bytes: Buffer }[]> {
  const names = (await readdir(join(dataDir, 'wal'))).sort();
  return Promise.all(names.map(async (name) => ({ name, bytes: await read(dataDir, 'wal', name) })));
}

/** Whether the decoder refuses; anything but a fault of the format is a bug of the decoder. */
function refuses(decode: () => unknown): boolean {
  try {
    decode();
  } catch (error) {
    if (error instanceof FormatFault) return true;
    throw error;
  }
  return false;
}

/** The rule of the document that one segment file breaks. */
function ruleBroken(bytes: Buffer, name: string): string | null {
  try {
    decodeWalFiles([{ name, bytes }], CLUSTER);
  } catch (error) {
    if (error instanceof FormatFault) return error.rule;
    throw error;
  }
  return null;
}

describe('docs/FORMAT.md, read by a decoder of its own', () => {
  test('the CRC32C of the document is the one that it names', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.from('1234'), Buffer.from('56789'))).toBe(0xe3069283);
  });

  test('sections 2, 5, 6: the WAL leads to the position and the state digests of the primary', async () => {
    const { dataDir, primary, told, position } = await recordedPrimary();
    await primary.stop();
    const wal = await decodeWalDirectory(join(dataDir, 'wal'), CLUSTER);
    expect(wal.position).toEqual(position);
    expect(wal.commits.map(({ acknowledged }) => acknowledged)).toEqual(told);
    expect(wal.commits.map(({ commitId }) => commitId)).toEqual(told.map((_, index) => index + 1));
    // Rolled once by size and twice by a cut.
    expect(wal.segments.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(wal.frames.map(({ kind }) => kind).filter((kind) => kind !== 'commits')).toEqual([
      'seal',
      'cut',
      'seal',
      'cut',
      'seal',
    ]);
    expect(wal.frames.some(({ commits }) => commits > 1)).toBe(true);
    expect(wal.segments.filter(({ bytes }) => bytes >= SEGMENT_BYTES_MAX).length).toBe(1);
    const digests = await digestsOf(dataDir, told.length);
    expect(digests.map(({ sha256, versions, keys }) => ({ sha256, versions, keys }))).toEqual(
      digests.map(({ commitId }) => digestOfCommits(wal.commits, commitId)),
    );
    const versions = digests.at(-1)?.versions ?? 0;
    expect(wal.commits.flatMap(({ operations }) => operations).length).toBeGreaterThan(versions);
  });

  test('sections 4, 8, 9: snapshots are what they say, and what the WAL says', async () => {
    const { dataDir, primary, snapshots } = await recordedPrimary();
    await primary.stop();
    const wal = await decodeWalDirectory(join(dataDir, 'wal'), CLUSTER);
    expect(await readdir(join(dataDir, 'snapshots'))).toEqual(snapshots.map(({ snapshotId }) => snapshotId));
    for (const snapshot of snapshots) {
      const bytes = await read(dataDir, 'snapshots', snapshot.snapshotId, 'data.base');
      const { blocks, ...manifest } = decodeManifestFile(
        await read(dataDir, 'snapshots', snapshot.snapshotId, 'manifest'),
      );
      expect({ ...manifest, blocks: blocks.length }).toEqual({ ...snapshot, blocks: snapshot.blocks.length });
      for (const { offset, bytes: size, sha256 } of blocks)
        expect(
          createHash('sha256')
            .update(bytes.subarray(offset, offset + size))
            .digest('hex'),
        ).toBe(sha256);
      const base = decodeBaseFileBytes(bytes);
      const { stateDigest, versions, keys, cut, clusterId } = manifest;
      expect(base).toEqual({
        clusterId,
        cut,
        blocks: blocks.length,
        sha256: stateDigest,
        versions,
        keys,
      });
      expect(bytes.length).toBe(manifest.bytes);
      expect(digestOfCommits(wal.commits, cut.commitId)).toEqual({ sha256: stateDigest, versions, keys });
      // The cut is where a segment begins.
      const { segmentIndex, ...position } = cut;
      expect(wal.positions).toContainEqual(position);
      expect(wal.segments[segmentIndex]).toMatchObject({ index: segmentIndex, startLsn: cut.lsn });
      expect(blocks.length).toBeGreaterThan(1);
    }
  });

  test('section 7: every index entry leads to its operation, and the checkpoint to the end', async () => {
    const { dataDir, primary, position } = await recordedPrimary();
    await primary.stop();
    const wal = await decodeWalDirectory(join(dataDir, 'wal'), CLUSTER);
    const stream = Buffer.concat((await walFiles(dataDir)).map(({ bytes }) => bytes));
    const index = await levelVersionIndex(nodeFileSystem, join(dataDir, 'index')).open();
    const checkpoint = decodeCheckpointValue((await index.get(CHECKPOINT_KEY)) ?? Buffer.alloc(0));
    expect(checkpoint).toEqual({
      ...position,
      segmentIndex: wal.segments.length - 1,
      snapshotCut: 0,
      baseSlot: 0,
    });
    const hash = createHash('sha256');
    let entries = 0;
    for await (const page of index.pages(FIRST_VERSION_KEY, AFTER_VERSION_KEYS))
      for (const { key, value } of page) {
        const { collection, id, commitId, log, offset, bytes } = decodeIndexEntry(key, value);
        const operations = wal.commits[commitId - 1]?.operations ?? [];
        const last = operations.findLast((one) => one.collection.equals(collection) && one.id.equals(id));
        const record = stream.subarray(offset, offset + bytes);
        expect([log, last?.record.equals(record)]).toEqual(['wal', true]);
        const prefix = Buffer.alloc(8);
        prefix.writeBigUInt64LE(BigInt(commitId));
        hash.update(prefix).update(record);
        entries += 1;
      }
    await index.close();
    // Key order is the order of the digest.
    const { sha256, versions } = digestOfCommits(wal.commits, checkpoint.commitId);
    expect([hash.digest('hex'), entries]).toEqual([sha256, versions]);
  });

  test('sections 3, 5, 8: a replica that began with a snapshot holds a base file and the WAL from its cut on', async () => {
    const { primary, position, snapshots } = await recordedPrimary();
    const dataDir = await temporaryDirectory();
    const replica = await startReplica({
      dataDir,
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap: 'snapshot',
    });
    await appliedLsn(replica, position?.lsn ?? 0);
    await replica.stop();
    const newest = snapshots[1];
    const base = decodeBaseFileBytes(await read(dataDir, 'base', `${newest?.cut.commitId}.base`));
    expect(base.sha256).toBe(newest?.stateDigest);
    const wal = await decodeWalDirectory(join(dataDir, 'wal'), CLUSTER, base.cut);
    expect(wal.position).toEqual(position);
    expect(decodeIdentityFile(await read(dataDir, 'identity'))).toMatchObject({
      clusterId: CLUSTER,
      role: 'replica',
    });
  });

  test('sections 4, 10.4: identity, halt record and notice', async () => {
    const { dataDir, primary, position } = await recordedPrimary();
    await primary.stop();
    expect(decodeIdentityFile(await read(dataDir, 'identity'))).toEqual({
      formatVersion: 1,
      clusterId: CLUSTER,
      nodeId: NODE,
      role: 'primary',
    });
    const halt = {
      code: 'WAL_CORRUPT',
      invariant: 'P5-I5',
      rule: null,
      message: 'it was „so“',
      evidence: { lsn: 96, found: [1, null] },
      action: 'look',
    } as const;
    expect(decodeHaltFile(encodeHaltRecord(halt))).toEqual(halt);
    expect(decodeNoticeBytes(encodeNotice(position as Position))).toEqual(position);
  });
});

describe('the decoder can fail', () => {
  test('no flipped bit of a WAL, base file, manifest, identity or notice is read as if it were none', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE });
    await primary.commit([put('a', '1'), del('b')]);
    await primary.commit([put('a', '')]);
    const { snapshotId } = await primary.createSnapshot();
    await primary.commit([put('b', '2')]);
    const position = primary.position() as Position;
    await primary.stop();
    const files = await walFiles(dataDir);
    const base = await read(dataDir, 'snapshots', snapshotId, 'data.base');
    const manifest = await read(dataDir, 'snapshots', snapshotId, 'manifest');
    const identity = await read(dataDir, 'identity');
    const sets: [string, Buffer, (bytes: Buffer) => unknown][] = [
      ['base', base, decodeBaseFileBytes],
      ['manifest', manifest, decodeManifestFile],
      ['identity', identity, decodeIdentityFile],
      ['notice', encodeNotice(position), decodeNoticeBytes],
    ];
    for (const [what, bytes, decode] of sets) {
      expect(
        refuses(() => decode(bytes)),
        what,
      ).toBe(false);
      for (let bit = 0; bit < bytes.length * 8; bit += 1)
        expect(
          refuses(() => decode(flipped(bytes, bit))),
          `${what} bit ${bit}`,
        ).toBe(true);
    }
    const withBit = (at: number, bit: number) =>
      files.map((file, n) => (n === at ? { ...file, bytes: flipped(file.bytes, bit) } : file));
    // The zero field of the very last frame (4 bytes at 68) is in no checksum, but must be zero; so all bits are covered.
    for (const [at, { name, bytes }] of files.entries())
      for (let bit = 0; bit < bytes.length * 8; bit += 1)
        expect(
          refuses(() => decodeWalFiles(withBit(at, bit), CLUSTER)),
          `${name} bit ${bit}`,
        ).toBe(true);
  });

  test('nor are bytes that are cut off, missing in between, or of another cluster', async () => {
    const { dataDir, primary } = await recordedPrimary();
    await primary.stop();
    const files = await walFiles(dataDir);
    const [first, ...rest] = files as [{ name: string; bytes: Buffer }];
    const changed = (change: (bytes: Buffer) => Buffer) => [
      { ...first, bytes: change(first.bytes) },
      ...rest,
    ];
    expect(refuses(() => decodeWalFiles(files, CLUSTER))).toBe(false);
    expect(refuses(() => decodeWalFiles(files, OTHER_CLUSTER))).toBe(true);
    expect(refuses(() => decodeWalFiles(rest, CLUSTER))).toBe(true);
    expect(refuses(() => decodeWalFiles([first, ...rest.slice(1)], CLUSTER))).toBe(true);
    expect(
      refuses(() =>
        decodeWalFiles(
          changed((bytes) => bytes.subarray(0, -1)),
          CLUSTER,
        ),
      ),
    ).toBe(true);
    expect(
      refuses(() =>
        decodeWalFiles(
          changed((bytes) => bytes.subarray(0, -72)),
          CLUSTER,
        ),
      ),
    ).toBe(true);
  });

  test('a frame that lies with a right checksum is refused by the very rule that it breaks', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
    await primary.commit([put('a', '1')]);
    await primary.stop();
    // One frame and nothing behind it, so that no hash gives the lie away.
    const [file] = (await walFiles(dataDir)) as [{ name: string; bytes: Buffer }];
    const lies: [string, (frame: Buffer) => void][] = [
      ['its kind is known', (frame) => frame.writeUInt32LE(4, 28)],
      ['size and count are of its kind', (frame) => frame.writeUInt32LE(2, 28)],
      ['zero is 0', (frame) => frame.writeUInt32LE(1, 68)],
      ['commits are counted', (frame) => frame.writeUInt32LE(2, 24)],
      ['it stands at its own LSN', (frame) => frame.writeUInt32LE(97, 8)],
      ['it names the history before it', (frame) => frame.writeUInt8(1, 40)],
      ['its first commit id is the next', (frame) => frame.writeUInt32LE(2, 16)],
      ['commit ids have no gap', (frame) => frame.writeUInt32LE(2, 72)],
      ['an integer is at most 2^53 - 1', (frame) => frame.writeUInt32LE(0x20_0000, 76)],
      ['a commit lies in its frame', (frame) => frame.writeUInt32LE(1000, 80)],
      ['operations are counted', (frame) => frame.writeUInt32LE(2, 84)],
      ['an operation is a put or a delete', (frame) => frame.writeUInt8(3, 88)],
      ['a delete has no document', (frame) => frame.writeUInt8(2, 88)],
      ['collection and id are not empty', (frame) => frame.writeUInt8(0, 89)],
      ['an operation lies in its commit', (frame) => frame.writeUInt32LE(9, 92)],
      ['it carries its checksum', (frame) => frame.writeUInt32LE(0, 96)],
    ];
    const found = lies.map(([rule, lie]) => [rule, ruleBroken(forged(file.bytes, 96, lie), file.name)]);
    expect(found).toEqual(lies.map(([rule]) => [rule, rule]));
  });

  test('two states that differ have two digests', async () => {
    const { dataDir, primary, told } = await recordedPrimary();
    await primary.stop();
    const { commits } = await decodeWalDirectory(join(dataDir, 'wal'), CLUSTER);
    const all = told.map(({ commitId }) => digestOfCommits(commits, commitId).sha256);
    expect(new Set(all).size).toBe(told.length);
  });
});

describe('the worked example of docs/FORMAT.md', () => {
  const page = () => readFile(new URL('../../docs/FORMAT.md', import.meta.url), 'utf8');

  test('is byte for byte what the program writes, and its hash is the one on the page', async () => {
    const text = await page();
    const rows = [...text.matchAll(/^([0-9a-f]{6}) {2}((?:[0-9a-f]{2} )+) *\|/gm)].map(
      ([, offset, digits]) => ({
        offset: parseInt(offset as string, 16),
        bytes: Buffer.from((digits as string).replaceAll(' ', ''), 'hex'),
      }),
    );
    const example = Buffer.concat(rows.map(({ bytes }) => bytes));
    // The offsets on the page are right.
    let offset = 0;
    for (const row of rows) {
      expect(row.offset).toBe(offset);
      offset += row.bytes.length;
    }
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
    const told = await primary.commit([put('a', '{"n":1}'), del('b')]);
    await primary.stop();
    const [file] = await walFiles(dataDir);
    expect(file?.name).toBe('00000000000000000000.wal');
    expect(example.toString('hex')).toBe(file?.bytes.toString('hex'));
    // `tail -c +97 | sha256sum`, as the page says.
    const historyHash = createHash('sha256').update(example.subarray(96)).digest('hex');
    expect(told).toEqual({ commitId: 1, lsn: 219, historyHash });
    const block = /"commit_id": 1,\s+"lsn": 219,\s+"history_hash": "([0-9a-f]{64})"/.exec(text);
    expect(block?.[1]).toBe(historyHash);
    expect(decodeWalFiles([{ name: file?.name ?? '', bytes: example }], CLUSTER).position).toEqual(told);
  });
});

describe('the tables of docs/FORMAT.md', () => {
  test('give the sizes, limits and status codes that the program has', async () => {
    const text = (await readFile(new URL('../../docs/FORMAT.md', import.meta.url), 'utf8')).replace(
      / +/g,
      ' ',
    );
    const grouped = (bytes: number) => String(bytes).replace(/\B(?=(\d{3})+$)/g, ' ');
    for (const line of [
      `### 5.1 Segment header, ${SEGMENT_HEADER_BYTES} bytes`,
      `### 5.2 Frame header, ${FRAME_HEADER_BYTES} bytes`,
      `Operation record, ${OPERATION_HEADER_BYTES} bytes and what they announce`,
      `| Frame, header included | ${FRAME_HEADER_BYTES} to ${grouped(FRAME_BYTES_MAX)} |`,
      `| Commit, its own header included | at most ${grouped(COMMIT_BYTES_MAX)} |`,
      `| Collection | 1 to ${COLLECTION_BYTES_MAX} |`,
      `| Id | 1 to ${grouped(ID_BYTES_MAX)} |`,
      `| Block of a base file, header included | at most ${grouped(BASE_BLOCK_BYTES_MAX)} |`,
      `Header, ${BASE_HEADER_BYTES} bytes:`,
      `Block header, ${BASE_BLOCK_HEADER_BYTES} bytes`,
      `Footer, ${BASE_FOOTER_BYTES} bytes:`,
      `entries take ${grouped(BASE_BLOCK_BYTES_TARGET)} bytes or more`,
      `Notice, ${NOTICE_BYTES} bytes;`,
    ])
      expect(text.replace(/\n/g, ' ').includes(line), line).toBe(true);
    const rows = [...text.matchAll(/^\| (\d{3}) \| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)];
    const named = rows.flatMap(([, status, codes]) =>
      [...(codes as string).matchAll(/[A-Z_]+/g)].map(([code]) => [code, Number(status)]),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named).toEqual(named.map(([code]) => [code, ERRORS[code as ErrorCode].status]));
    for (const name of Object.values(REPLICATION_HEADERS)) expect(text).toContain(`\`${name}\``);
  });
});
