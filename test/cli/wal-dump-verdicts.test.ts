import { copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { positionToJson, type Position } from '../../src/core/position.ts';
import { operationCrc } from '../../src/core/wal/operation.ts';
import { OTHER_CLUSTER, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';
import { flipped, forged, unitsOf } from '../support/wal-forge.ts';
import {
  dump,
  FROM_GENESIS,
  positionBefore,
  startOf,
  threeSegments,
  type Line,
} from '../support/wal-records.ts';

describe('a torn tail', () => {
  test('P5-I11: the last frame cut off, over-written, or followed by garbage', async () => {
    const { dataDir, walDir, records, names, paths } = await threeSegments();
    const good = await readFile(paths[2]);
    const { lsn: byte } = unitsOf(good).at(-1) as { lsn: number };
    const lsn = startOf(names[2]) + byte;
    const endLsn = startOf(names[2]) + good.length;
    for (const [bytes, rule, at] of [
      [good.subarray(0, -1), 'P5-I11 unitIsWhole', lsn],
      [good.subarray(0, byte + 5), 'P5-I11 unitIsWhole', lsn],
      [flipped(good, good.length * 8 - 1), 'P5-I5 checksumMatches', lsn],
      [Buffer.concat([good, Buffer.alloc(200, 7)]), 'P5-I5 unitIsFramed', endLsn],
    ] as const) {
      await writeFile(paths[2], bytes);
      const shown = records.filter((one) => (one['lsn'] as number) < at);
      for (const place of [
        ['--data', dataDir],
        ['--wal', walDir],
      ]) {
        const { exit, records: found, end } = await dump([...place, '--documents']);
        expect([exit, found]).toEqual([6, shown]);
        const { expected, found: was } = end.stop as Line;
        expect(end).toEqual({
          record: 'end',
          verdict: 'torn',
          message: `torn tail: at LSN ${at} (${names[2]}, byte ${at - startOf(names[2])}) ${rule} does not hold: expected ${JSON.stringify(expected)}, found ${JSON.stringify(was)}; nothing valid stands at it or behind it`,
          begins_at: FROM_GENESIS,
          proven_to: positionBefore(records, at),
          stop: {
            kind: rule === 'P5-I11 unitIsWhole' ? 'incomplete' : 'invalid',
            rule,
            file: names[2],
            byte: at - startOf(names[2]),
            lsn: at,
            expected,
            found: was,
            valid_unit_lsn: null,
          },
          records: shown.length,
          notes: [],
        });
      }
    }
  });

  test('P5-I11: a segment whose header was never whole, or never begun', async () => {
    const { walDir, names, paths, records } = await threeSegments();
    for (const bytes of [95, 1, 0]) {
      await truncate(paths[2], bytes);
      const { exit, end } = await dump(['--wal', walDir]);
      expect([bytes, exit, end]).toMatchObject([
        bytes,
        6,
        {
          verdict: 'torn',
          proven_to: positionBefore(records, startOf(names[2])),
          stop: { byte: 0, found: { bytes_available: bytes } },
        },
      ]);
      // The commit that is sought is not there; the proof begins with a header that is.
      expect(await dump(['--wal', walDir, '--commit', '8'])).toMatchObject({
        exit: 6,
        end: { begins_at: { lsn: startOf(names[1]) } },
      });
    }
  });
});

describe('a corrupt frame', () => {
  test('P5-I11: a flipped bit before something valid, and nothing is shown from there on', async () => {
    const { dataDir, paths, names, records } = await threeSegments();
    const good = await readFile(paths[1]);
    const units = unitsOf(good);
    for (const [index, { lsn: byte }] of units.entries()) {
      await writeFile(paths[1], flipped(good, (byte + 40) * 8));
      const lsn = startOf(names[1]) + byte;
      const next = startOf(names[1]) + (units[index + 1]?.lsn ?? good.length);
      const { exit, records: shown, end } = await dump(['--data', dataDir, '--documents']);
      expect([exit, shown]).toEqual([5, records.filter((one) => (one['lsn'] as number) < lsn)]);
      expect(end).toMatchObject({
        verdict: 'corrupt',
        proven_to: positionBefore(records, lsn),
        stop: { kind: 'invalid', rule: 'P5-I5 checksumMatches', lsn, byte, valid_unit_lsn: next },
      });
      expect(end.message).toMatch(
        new RegExp(`^corrupt unit: at LSN ${lsn} .*; a unit that is valid in itself stands at LSN ${next}$`),
      );
    }
  });

  test('a frame that claims more bytes than there are hides nothing that is valid behind it', async () => {
    const { dataDir, paths, names } = await threeSegments();
    const good = await readFile(paths[2]);
    const last = unitsOf(good).at(-1)?.lsn as number;
    good.writeUInt32LE(100_000, 96 + 4);
    await writeFile(paths[2], good);
    expect(await dump(['--data', dataDir])).toMatchObject({
      exit: 5,
      end: {
        verdict: 'corrupt',
        stop: {
          kind: 'incomplete',
          lsn: startOf(names[2]) + 96,
          valid_unit_lsn: startOf(names[2]) + last,
        },
      },
    });
  });

  test('P5-I5: an operation whose own checksum is wrong in a frame that is right is shown as such', async () => {
    const { walDir, paths } = await threeSegments();
    const first = await readFile(paths[0]);
    const record = first.subarray(184, 184 + 12 + 10);
    const right = operationCrc(1, 1, record.subarray(12)).toString(16).padStart(8, '0');
    await writeFile(
      paths[0],
      forged(first, 96, (frame) => frame.fill(0, 184 - 96 + 8, 184 - 96 + 12)),
    );
    const { records, end } = await dump(['--wal', walDir, '--commit', '1']);
    expect(records.at(-1)).toMatchObject({ lsn: 184, crc32c: '00000000', crc32c_computed: right });
    expect(end.notes).toEqual(['1 operations do not carry the checksum of their bytes: see crc32c_computed']);
  });
});

describe('a broken chain', () => {
  test.each([
    ['P5-I4: another history hash', 'P5-I4 historyIsContinuous', 1, (unit: Buffer) => unit.fill(7, 32, 64)],
    [
      'P5-I6: a commit id that is not the next',
      'P5-I6 commitIdsAreDense',
      1,
      (unit: Buffer) => unit.fill(9, 16, 17),
    ],
    ['P5-I4: a segment of another cluster', 'P5-I4 clusterIsOurs', 0, (unit: Buffer) => unit.fill(9, 16, 32)],
  ] as const)('%s, in a unit that carries its checksum', async (_title, rule, unit, change) => {
    const { walDir, paths, names, records } = await threeSegments();
    const good = await readFile(paths[2]);
    const byte = unitsOf(good)[unit]?.lsn as number;
    await writeFile(paths[2], forged(good, byte, change));
    const lsn = startOf(names[2]) + byte;
    const { exit, records: shown, end } = await dump(['--wal', walDir, '--documents']);
    expect([exit, shown]).toEqual([5, records.filter((one) => (one['lsn'] as number) < lsn)]);
    expect(end).toMatchObject({
      verdict: 'broken chain',
      stop: { kind: 'invalid', rule, file: names[2], byte, lsn, valid_unit_lsn: lsn },
    });
    expect(end.message).toContain(
      `broken chain: what follows does not continue the history before it: at LSN ${lsn} (${names[2]}, byte ${byte}) ${rule} does not hold: expected `,
    );
  });

  test('P5-I4: a missing segment, and the segments behind the hole are there to be sought', async () => {
    const { walDir, paths, names, records } = await threeSegments();
    await rm(paths[1]);
    const [hole, behind] = [startOf(names[1]), startOf(names[2])];
    const { exit, records: shown, end } = await dump(['--wal', walDir, '--documents']);
    expect([exit, shown]).toEqual([5, records.filter((one) => (one['lsn'] as number) < hole)]);
    expect(end).toMatchObject({
      verdict: 'broken chain',
      proven_to: positionBefore(records, hole),
      stop: {
        kind: 'discontinuity',
        rule: 'P5-I4 segmentsJoin',
        file: names[2],
        byte: 0,
        lsn: hole,
        expected: { start_lsn: hole },
        found: { start_lsn: behind },
        valid_unit_lsn: behind,
      },
    });
    const after = await dump(['--wal', walDir, '--documents', '--from-lsn', `${behind}`]);
    expect([after.exit, after.end.verdict]).toEqual([0, 'clean']);
    expect(after.records).toEqual(records.filter((one) => (one['lsn'] as number) >= behind));
  });

  test('P5-I4: a segment in the middle that is too short, too long, or empty', async () => {
    const { walDir, paths, names } = await threeSegments();
    const good = await readFile(paths[1]);
    for (const [bytes, kind] of [
      [good.subarray(0, good.length - 1), 'incomplete'],
      [good.subarray(0, good.length - 72), 'discontinuity'],
      [Buffer.alloc(0), 'discontinuity'],
      [Buffer.concat([good, Buffer.alloc(10)]), 'discontinuity'],
    ] as const) {
      await writeFile(paths[1], bytes);
      const { exit, end } = await dump(['--wal', walDir]);
      expect([bytes.length, exit, end.verdict, end.stop?.['kind']]).toEqual([
        bytes.length,
        5,
        'broken chain',
        kind,
      ]);
      if (bytes.length <= good.length) expect(end.stop?.['valid_unit_lsn']).toBe(startOf(names[2]));
    }
  });
});

describe('some of the segments', () => {
  test('P5-I9: where the first are gone, the first that is there is taken at its word, and that is said', async () => {
    const { walDir, dataDir, paths, names, records } = await threeSegments();
    const copied = await temporaryDirectory();
    await copyFile(paths[1], join(copied, names[1]));
    await rm(paths[0]);
    const start = startOf(names[1]);
    const { exit, records: shown, end } = await dump(['--wal', copied, '--documents']);
    const endLsn = startOf(names[2]);
    expect([exit, shown]).toEqual([
      0,
      records.filter((one) => (one['lsn'] as number) >= start && (one['lsn'] as number) < endLsn),
    ]);
    expect(end).toEqual({
      record: 'end',
      verdict: 'clean',
      message: `every unit is proved; the WAL ends at LSN ${endLsn}`,
      begins_at: { ...positionBefore(records, start), hash_from: 'segment header' },
      proven_to: positionBefore(records, endLsn),
      stop: null,
      records: shown.length,
      notes: [`the history before LSN ${start} is not here; its hash is taken from the segment header`],
    });
    for (const place of [
      ['--wal', walDir],
      ['--data', dataDir],
    ])
      expect((await dump([...place, '--documents'])).records).toEqual(
        records.filter((one) => (one['lsn'] as number) >= start),
      );
  });

  test('P5-I10: a first header that does not hold has no word that could be taken', async () => {
    const { paths, names } = await threeSegments();
    const copied = await temporaryDirectory();
    const path = join(copied, names[2]);
    const good = await readFile(paths[2]);
    for (const [bytes, exit, rule] of [
      [flipped(good, 60 * 8), 5, 'P5-I5 checksumMatches'],
      [good.subarray(0, 40), 6, 'P5-I11 unitIsWhole'],
    ] as const) {
      await writeFile(path, bytes);
      expect(await dump(['--wal', copied])).toMatchObject({
        exit,
        records: [],
        end: { begins_at: null, proven_to: null, notes: [], stop: { rule, byte: 0, lsn: startOf(names[2]) } },
      });
    }
  });

  test('P5-I9: the WAL of a replica that began with a snapshot goes on from its base file', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    await primary.commit([put('a', '1')]);
    await primary.createSnapshot();
    await primary.commit([put('b', '1')]);
    const dataDir = await temporaryDirectory();
    const replica = await startReplica({
      dataDir,
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap: 'snapshot',
    });
    const end = primary.position() as Position;
    await appliedLsn(replica, end.lsn);
    const found = await dump(['--data', dataDir, '--level', 'segments']);
    const lsn = found.records[0]?.['lsn'] as number;
    expect(found).toMatchObject({
      exit: 0,
      end: {
        verdict: 'clean',
        begins_at: { commit_id: 1, lsn, hash_from: 'base file' },
        proven_to: positionToJson(end),
        notes: [`the history before LSN ${lsn} is not here; its hash is taken from the base file`],
      },
    });
  });

  test('P5-I4: the segments of another cluster are no WAL of this node', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: OTHER_CLUSTER });
    await primary.commit([put('a', '1')]);
    await primary.stop();
    const { paths, names } = await threeSegments();
    await copyFile(paths[0], join(dataDir, 'wal', names[0]));
    expect(await dump(['--data', dataDir])).toMatchObject({
      exit: 5,
      records: [],
      end: { verdict: 'broken chain', stop: { rule: 'P5-I4 clusterIsOurs' } },
    });
  });
});
