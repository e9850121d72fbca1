/** The manifest of a snapshot and the headers in its file, field by field, at both sides of every bound. */
import { describe, expect, test } from 'vitest';
import { encodeSealedRecord } from '../../src/core/sealed-record.ts';
import { encodeBlock, readBlockHeader } from '../../src/core/storage/base-format.ts';
import {
  decodeManifest,
  encodeManifest,
  manifestJson,
  SNAPSHOT_BLOCK_BYTES_MAX,
  type Manifest,
} from '../../src/core/storage/manifest.ts';
import { HASH } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

const manifest: Manifest = {
  snapshotId: '42',
  clusterId: CLUSTER,
  cut: { commitId: 42, lsn: 900, historyHash: HASH, segmentIndex: 3 },
  stateDigest: HASH,
  versions: 2,
  keys: 1,
  bytes: 300,
  blocks: [
    { index: 0, offset: 0, bytes: 200, sha256: HASH },
    { index: 1, offset: 200, bytes: 100, sha256: HASH },
  ],
};
const record = {
  magic: 'replichart-snapshot',
  format_version: 1,
  ...manifestJson(manifest),
  blocks: manifest.blocks,
};
const decoded = (change: object) => decodeManifest(encodeSealedRecord({ ...record, ...change } as never));
const [first, second] = manifest.blocks as [Manifest['blocks'][number], Manifest['blocks'][number]];

describe('P5-I8, F-S4: a manifest', () => {
  test('is read as it was written', () => {
    expect(encodeManifest(manifest)).toEqual(encodeSealedRecord(record as never));
    expect(decodeManifest(encodeManifest(manifest))).toEqual({ state: 'intact', manifest });
    const one = { bytes: SNAPSHOT_BLOCK_BYTES_MAX, blocks: [{ ...first, bytes: SNAPSHOT_BLOCK_BYTES_MAX }] };
    expect(decoded({ ...one, versions: 0, keys: 0 })).toMatchObject({ state: 'intact' });
    expect(SNAPSHOT_BLOCK_BYTES_MAX).toBe(6 * 1024 * 1024 + 128 + 80);
    expect(
      decoded({
        blocks: [
          { ...first, bytes: 299 },
          { ...second, offset: 299, bytes: 1 },
        ],
      }),
    ).toMatchObject({ state: 'intact' });
  });

  test('that is no sealed record is damaged as one', () => {
    expect(decodeManifest(Buffer.from('x'))).toMatchObject({ state: 'damaged', found: 'no line' });
  });

  test.each<[string, object]>([
    ['magic: ', { magic: '' }],
    ['format_version: ', { format_version: 2 }],
    ['snapshot_id: ', { snapshot_id: '' }],
    ['snapshot_id: ', { snapshot_id: 'x42' }],
    ['snapshot_id: ', { snapshot_id: '42x' }],
    ['snapshot_id: ', { snapshot_id: '4'.repeat(17) }],
    ['cluster_id: must be a UUID', { cluster_id: 'c' }],
    ['cut.commit_id: ', { cut: { ...record.cut, commit_id: 0 } }],
    ['cut.lsn: ', { cut: { ...record.cut, lsn: -1 } }],
    ['cut.history_hash: ', { cut: { ...record.cut, history_hash: 'ab' } }],
    ['cut.segment_index: ', { cut: { ...record.cut, segment_index: 1.5 } }],
    ['state_digest: ', { state_digest: `x${HASH}` }],
    ['state_digest: ', { state_digest: `${HASH}0` }],
    ['state_digest: ', { state_digest: HASH.toUpperCase() }],
    ['versions: ', { versions: -1 }],
    ['keys: ', { keys: '1' }],
    ['bytes: ', { bytes: null }],
    ['blocks: ', { blocks: [] }],
    ['blocks.1.bytes: ', { blocks: [first, { ...second, bytes: 0 }] }],
    ['blocks.1.bytes: ', { blocks: [first, { ...second, bytes: SNAPSHOT_BLOCK_BYTES_MAX + 1 }] }],
    ['blocks.0.sha256: ', { blocks: [{ ...first, sha256: '' }, second] }],
    ['blocks.0: ', { blocks: [{ ...first, more: 1 }, second] }],
    [': ', { more: 1 }],
  ])('is damaged by the field %s of %j', (found, change) => {
    const damaged = decoded(change) as { readonly expected: string; readonly found: string };
    expect(damaged.expected).toBe('the fields of a manifest');
    expect(damaged.found.startsWith(found)).toBe(true);
  });

  test('names every field that is not as it must be', () => {
    const damaged = decoded({ versions: -1, keys: -1 }) as { readonly found: string };
    expect(damaged.found).toMatch(/^versions: [^;]+; keys: [^;]+$/);
  });

  const shown = (expected: string, found: string) => ({ state: 'damaged', expected, found });
  test.each<[object, object]>([
    [{ snapshot_id: '43' }, shown('the snapshot of commit 42', 'snapshot 43')],
    [{ blocks: [second, first] }, shown('block 0 at offset 0', 'block 1 at offset 200')],
    [{ blocks: [first, { ...second, index: 2 }] }, shown('block 1 at offset 200', 'block 2 at offset 200')],
    [
      { blocks: [first, { ...second, offset: 201 }] },
      shown('block 1 at offset 200', 'block 1 at offset 201'),
    ],
    [{ blocks: [first] }, shown('300 bytes in blocks', '200')],
    [{ bytes: 301 }, shown('301 bytes in blocks', '300')],
  ])('is damaged where its parts do not fit: %j', (change, expected) => {
    expect(decoded(change)).toEqual(expected);
  });
});

describe('P5-I8: the header of a block', () => {
  const block = encodeBlock(3, 2, [Buffer.alloc(10)]);
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(block.subarray(0, 24));
    change(bytes);
    return readBlockHeader(bytes);
  };
  const sized = (size: number) => changed((bytes) => bytes.writeUInt32LE(size, 4));

  test('is read as it was written, from 24 bytes on', () => {
    expect(readBlockHeader(block)).toMatchObject({ bytes: 34, index: 3, versions: 2 });
    expect(readBlockHeader(block.subarray(0, 24))).toEqual(readBlockHeader(block));
    expect(readBlockHeader(block.subarray(0, 23))).toBeNull();
    expect(readBlockHeader(Buffer.alloc(0))).toBeNull();
  });

  test('names a size that a block can have, and nothing where nothing is due', () => {
    expect([24, 6 * 1024 * 1024].map((size) => sized(size)?.bytes)).toEqual([24, 6 * 1024 * 1024]);
    expect([0, 23, 6 * 1024 * 1024 + 1, 0xffff_ffff].map(sized)).toEqual([null, null, null, null]);
    expect(changed((bytes) => bytes.writeUInt32LE(1, 16))).toBeNull();
    expect(changed((bytes) => bytes.writeUInt8(0, 0))).toBeNull();
  });
});
