/** What docs/FORMAT.md fixes for ever, in its own figures: no test that uses the constants can see them change. */
import { expect, test } from 'vitest';
import { ERRORS, EXIT } from '../../src/core/errors.ts';
import { FLIGHT_FORMAT_VERSION, FLIGHT_MAGIC, RECORD_TYPES } from '../../src/core/flight/records.ts';
import * as limits from '../../src/core/limits.ts';
import { UNBOUND_CLUSTER } from '../../src/core/identity.ts';
import { GENESIS, GENESIS_HASH } from '../../src/core/position.ts';
import * as base from '../../src/core/storage/base-format.ts';
import { encodeCheckpoint, GENESIS_CHECKPOINT } from '../../src/core/storage/checkpoint.ts';
import { AFTER_VERSION_KEYS, CHECKPOINT_KEY, FIRST_VERSION_KEY } from '../../src/core/storage/index-entry.ts';
import { FRAME_KIND, FRAME_MAGIC } from '../../src/core/wal/frame.ts';
import { encodeNotice } from '../../src/core/wal/notice.ts';
import { SEGMENT_MAGIC } from '../../src/core/wal/segment-header.ts';
import { at, HASH } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

const magicOf = (bytes: Buffer, size: number) => bytes.toString('latin1', 0, size);

test('P5-I5: the first bytes of everything', () => {
  const cut = { ...at(1), segmentIndex: 0 };
  const footer = { blocks: 1, versions: 1, keys: 1, fileBytes: 1, stateDigest: HASH };
  expect([SEGMENT_MAGIC, FRAME_MAGIC, FLIGHT_MAGIC]).toEqual(['RPLCHRT1', 'RWF1', 'replichart-flight']);
  expect(magicOf(base.encodeBaseHeader({ clusterId: CLUSTER, cut }), 8)).toBe('RPLCBAS1');
  expect(magicOf(base.encodeBlock(0, 0, []), 4)).toBe('RBB1');
  expect(magicOf(base.encodeBaseFooter(footer), 8)).toBe('RPLCBEN1');
  expect(magicOf(encodeCheckpoint({ ...GENESIS_CHECKPOINT, baseSlot: 0 }), 8)).toBe('RPLCKPT1');
  expect(magicOf(encodeNotice(at(1)), 4)).toBe('RPN1');
});

test('P5-I5: sizes, versions and kinds', () => {
  expect(limits).toMatchObject({
    FORMAT_VERSION: 1,
    SEGMENT_HEADER_BYTES: 96,
    FRAME_HEADER_BYTES: 72,
    FRAME_BYTES_MAX: 4_194_304,
    COMMIT_HEADER_BYTES: 16,
    OPERATION_HEADER_BYTES: 12,
    COLLECTION_BYTES_MAX: 255,
    ID_BYTES_MAX: 65_535,
    COMMIT_BYTES_MAX: 4_194_232,
    FLIGHT_BYTES_MIN: 1_048_576,
    FLIGHT_LINE_BYTES_MAX: 1_048_576,
  });
  expect(base).toMatchObject({ BASE_BLOCK_BYTES_TARGET: 1_048_576, BASE_BLOCK_BYTES_MAX: 6_291_456 });
  expect(FRAME_KIND).toEqual({ commits: 1, seal: 2, cut: 3 });
  expect(FLIGHT_FORMAT_VERSION).toBe(1);
  expect(RECORD_TYPES).toEqual(['header', 'step', 'gap', 'failed', 'end']);
});

test('P5-I7, P5-I11: the keys of the index, and where history begins', () => {
  expect(CHECKPOINT_KEY.toString('latin1')).toBe('\0checkpoint');
  expect([FIRST_VERSION_KEY, AFTER_VERSION_KEYS].map((key) => key.toString('hex'))).toEqual(['01', '02']);
  expect(GENESIS_HASH).toBe('0'.repeat(64));
  expect(GENESIS).toEqual({ commitId: 0, lsn: 0, historyHash: GENESIS_HASH });
  expect(UNBOUND_CLUSTER).toBe('00000000-0000-0000-0000-000000000000');
  expect(GENESIS_CHECKPOINT).toEqual({
    commitId: 0,
    lsn: 0,
    historyHash: '0'.repeat(64),
    segmentIndex: 0,
    snapshotCut: 0,
  });
});

test('exit codes, and that every error leaves with one of them', () => {
  expect(Object.values(EXIT)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const codes: readonly number[] = Object.values(EXIT);
  expect(Object.values(ERRORS).filter(({ exit }) => !codes.includes(exit))).toEqual([]);
});
