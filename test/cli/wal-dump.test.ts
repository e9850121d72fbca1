import { appendFile, copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recordLine } from '../../src/cli/record-line.ts';
import type { Position } from '../../src/core/position.ts';
import type { FileSystem } from '../../src/io/file-system.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { dumpWal, type DumpQuery } from '../../src/io/wal/dump.ts';
import { cli } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { CLUSTER, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { flipped } from '../support/wal-forge.ts';
import {
  dump,
  FROM_GENESIS,
  GENESIS_HASH,
  placesOf,
  positionBefore,
  recordsIn,
  startOf,
  threeSegments,
  withoutDocuments,
  type Line,
} from '../support/wal-records.ts';

const EVERYTHING: DumpQuery = {
  level: 'operation',
  documents: false,
  fromLsn: null,
  toLsn: null,
  fromCommitId: null,
  toCommitId: null,
  collection: null,
  id: null,
  limit: null,
};

/** The real file system, and how many bytes were read through it. */
function countingReads(counted: { bytes: number }): FileSystem {
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      const handle = await nodeFileSystem.open(path, mode);
      const read = handle.read.bind(handle);
      handle.read = async (buffer, offset) => {
        counted.bytes += buffer.length;
        return read(buffer, offset);
      };
      return handle;
    },
  };
}

type ThreeSegments = Awaited<ReturnType<typeof threeSegments>>;

describe('a clean end', () => {
  test('P5-I14: every unit, commit and operation is shown as an independent decoder reads them, and nothing is changed', async () => {
    const { dataDir, walDir, records } = await threeSegments();
    const before = await fingerprint(dataDir, /^$/);
    const { lsn, bytes } = records.findLast(({ record }) => record === 'frame') as {
      lsn: number;
      bytes: number;
    };
    const end = {
      record: 'end',
      verdict: 'clean',
      message: `every unit is proved; the WAL ends at LSN ${lsn + bytes}`,
      begins_at: FROM_GENESIS,
      proven_to: positionBefore(records, lsn + bytes),
      stop: null,
      records: records.length,
      notes: [],
    };
    for (const place of [
      ['--data', dataDir],
      ['--wal', walDir],
    ]) {
      const { exit, out, err } = await cli(['wal', 'dump', ...place, '--documents', '--json']);
      expect([exit, err]).toEqual([0, '']);
      // Also the order of the fields.
      expect(out).toBe([...records, end].map((record) => `${JSON.stringify(record)}\n`).join(''));
    }
    expect((await dump(['--data', dataDir])).records).toEqual(withoutDocuments(records));
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test('commits that share a frame', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => primary.commit([put(id, '{}'), put(`${id}2`, '{}')])));
    await primary.stop();
    const records = await recordsIn(join(dataDir, 'wal'));
    expect(records.some((one) => (one['commit_count'] as number) > 1)).toBe(true);
    expect(await dump(['--data', dataDir, '--documents'])).toMatchObject({ exit: 0, records });
  });

  test('text: one line a record, the same fields, and sentences on standard error', async () => {
    const { dataDir, records } = await threeSegments();
    const { exit, out, err } = await cli(['wal', 'dump', '--data', dataDir, '--documents']);
    const lines = out.trimEnd().split('\n');
    expect([exit, lines.slice(0, -1)]).toEqual([
      0,
      records.map((record) => recordLine(record as { record: string })),
    ]);
    expect(lines.at(-1)).toMatch(/^end {8}verdict=clean {2}begins_at=\{.*\} {2}proven_to=.* {2}records=\d+$/);
    expect(err).toMatch(/^every unit is proved; the WAL ends at LSN \d+\n$/);
  });

  test('text: no value can break a line or write to the terminal', () => {
    const record = {
      record: 'operation',
      id: 'a\n\u009b1m\u2028"',
      op: 'put',
      stop: null,
      expected: { a: 1 },
    };
    expect(recordLine(record)).toBe(
      'operation  id="a\\n\\u009b1m\\u2028\\""  op=put     stop=-  expected={"a":1}',
    );
  });

  test('documents: any other bytes than JSON without spaces are base64, so that none is shown as it is not', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    const documents = ['{"a":1}', '{ "a": 1 }', '', 'text', '12345678901234567890', '"é"'];
    await primary.commit(documents.map((document, n) => put(`${n}`, document)));
    const { records } = await dump(['--data', dataDir, '--documents', '--collection', 'c']);
    expect(
      records
        .filter(({ record }) => record === 'operation')
        .map(({ document, document_base64 }) => ({ document, document_base64 })),
    ).toEqual([
      { document: { a: 1 } },
      { document_base64: Buffer.from('{ "a": 1 }').toString('base64') },
      { document_base64: '' },
      { document_base64: Buffer.from('text').toString('base64') },
      { document_base64: Buffer.from('12345678901234567890').toString('base64') },
      { document: 'é' },
    ]);
  });

  test('P5-I14: while the primary runs and writes', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n += 1) await primary.commit([put(`k${n % 50}`, 'v'.repeat(20_000))]);
    })();
    try {
      for (let round = 0; round < 10; round += 1) {
        const { commitId } = primary.position() as Position;
        const { exit, records, end } = await dump(['--data', dataDir, '--level', 'commits']);
        expect([exit, end.verdict]).toEqual([0, 'clean']);
        const ids = records.filter(({ record }) => record === 'commit').map((one) => one['commit_id']);
        expect(ids).toEqual(ids.map((_, index) => index + 1));
        expect(ids.length).toBeGreaterThanOrEqual(commitId);
        expect(end.proven_to?.['commit_id']).toBe(ids.length);
      }
    } finally {
      writing = false;
      await writer;
    }
  });

  test('memory: a piece of the WAL is read only when the records of the one before it are taken', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    for (let n = 0; n < 6; n += 1) await primary.commit([put(`k${n}`, 'v'.repeat(1_000_000))]);
    await primary.stop();
    const counted = { bytes: 0 };
    const place = {
      files: countingReads(counted),
      walDirectory: join(dataDir, 'wal'),
      clusterId: null,
      cuts: [],
    };
    const read: number[] = [];
    for await (const { record } of dumpWal(place, { ...EVERYTHING, level: 'frame' }))
      if (record === 'frame') read.push(counted.bytes);
    const PIECE = 1024 * 1024;
    expect(read.length).toBe(6);
    // A frame that the end of a piece cuts off is read again, with the next.
    for (const [index, bytes] of read.entries()) expect(bytes).toBeLessThan((index + 1) * PIECE + 96 + 1);
  });

  test('no WAL yet', async () => {
    const dataDir = await temporaryDirectory();
    await startReplica({ dataDir, primaryUrl: 'http://127.0.0.1:1' });
    expect(await dump(['--data', dataDir])).toEqual({
      exit: 0,
      records: [],
      end: {
        record: 'end',
        verdict: 'clean',
        message: 'there is no WAL yet',
        begins_at: null,
        proven_to: null,
        stop: null,
        records: 0,
        notes: [],
      },
    });
  });
});

describe('filters', () => {
  const SELECTIONS: readonly (readonly [
    title: string,
    args: (wal: ThreeSegments) => readonly string[],
    expected: (record: Line, wal: ThreeSegments) => boolean,
  ])[] = [
    ['--commit', () => ['--commit', '5'], (one) => commitsOf(one).includes(5)],
    [
      '--from-commit',
      () => ['--from-commit', '6'],
      (one, { names }) =>
        one['record'] === 'segment'
          ? one['lsn'] !== 0
          : commitsOf(one).some((id) => id >= 6) && (one['lsn'] as number) > startOf(names[1]),
    ],
    ['--to-commit', () => ['--to-commit', '2'], (one) => commitsOf(one).some((id) => id <= 2)],
    [
      '--from-commit and --to-commit',
      () => ['--from-commit', '3', '--to-commit', '4'],
      (one) => commitsOf(one).some((id) => id >= 3 && id <= 4),
    ],
    [
      '--collection and --id',
      () => ['--collection', 'c', '--id', 'k4'],
      (one) =>
        one['record'] === 'operation'
          ? one['id'] === 'k4'
          : commitsOf(one).some((id) => id === 4 || id === 5),
    ],
    ['--collection that is nowhere', () => ['--collection', 'absent'], () => false],
    [
      '--id and --commit together',
      () => ['--id', 'k4', '--commit', '5'],
      (one) => (one['record'] === 'operation' ? one['id'] === 'k4' : true) && commitsOf(one).includes(5),
    ],
  ];

  /** The commits that a record is of, or holds: by the numbers that the fixture gives them. */
  function commitsOf(one: Line): number[] {
    if (one['record'] === 'segment') {
      const first = one['first_commit_id'] as number;
      return [first, first + 1, first + 2];
    }
    if (one['record'] === 'frame') return one['kind'] === 'commits' ? [one['first_commit_id'] as number] : [];
    return [one['commit_id'] as number];
  }

  test.each(SELECTIONS)('%s selects just what it says, and what holds it', async (_title, args, expected) => {
    const wal = await threeSegments();
    const { exit, records } = await dump(['--data', wal.dataDir, ...args(wal)]);
    const selected = withoutDocuments(wal.records).filter((record) => expected(record, wal));
    expect([exit, placesOf(records)]).toEqual([0, placesOf(selected)]);
    expect(records).toEqual(selected);
  });

  test('--from-lsn and --to-lsn: two positions select what stands between them', async () => {
    const { dataDir, records } = await threeSegments();
    const frames = records.filter(({ record }) => record === 'frame') as { lsn: number; bytes: number }[];
    const [from, to] = [frames[1], frames[3]] as [{ lsn: number }, { lsn: number }];
    const between = records.filter(
      (one) => one['lsn'] === 0 || ((one['lsn'] as number) >= from.lsn && (one['lsn'] as number) < to.lsn),
    );
    const args = ['--data', dataDir, '--documents', '--to-lsn', `${to.lsn}`, '--from-lsn'];
    // Any byte of the frame leads to it.
    for (const lsn of [from.lsn, from.lsn + 71])
      expect((await dump([...args, `${lsn}`])).records).toEqual(between);
    expect((await dump([...args, `${from.lsn - 1}`])).records.length).toBeGreaterThan(between.length);
    expect((await dump([...args, `${to.lsn}`])).records).toEqual([]);
  });

  test.each(['segments', 'frames', 'commits', 'operations'])('--level %s', async (level) => {
    const { dataDir, records } = await threeSegments();
    const levels = ['segments', 'frames', 'commits', 'operations'];
    const shown = levels.slice(0, levels.indexOf(level) + 1);
    const args = ['--data', dataDir, '--documents', '--level', level];
    expect((await dump(args)).records).toEqual(
      records.filter(({ record }) => shown.includes(`${String(record)}s`)),
    );
    // What is not shown is selected by all the same.
    expect((await dump([...args, '--id', 'k8'])).records.map(({ record }) => record)).toEqual(
      shown.map((name) => name.slice(0, -1)),
    );
  });

  test('--limit: the first records, and a verdict on what was read only', async () => {
    const { dataDir, records, paths } = await threeSegments();
    // Behind what is asked for the WAL is broken, and nobody looks.
    await truncate(paths[2], 7);
    for (const limit of [1, 2, 5]) {
      const {
        exit,
        records: shown,
        end,
      } = await dump(['--data', dataDir, '--documents', '--limit', `${limit}`]);
      expect([exit, shown, end.verdict, end.stop]).toEqual([0, records.slice(0, limit), 'proven', null]);
    }
    const { end } = await dump(['--data', dataDir, '--limit', '1']);
    expect([end.proven_to, end.message]).toEqual([
      { commit_id: 0, lsn: 96, history_hash: GENESIS_HASH },
      'every unit before LSN 96 is proved; from there on nothing was asked for, and nothing was judged',
    ]);
    expect((await dump(['--data', dataDir, '--limit', '1000'])).exit).toBe(6);
  });

  test('P5-I5: a seek proves from the start of its segment on, and looks at none before it', async () => {
    const { dataDir, records, names, paths } = await threeSegments();
    const [first, second] = [await readFile(paths[0]), await readFile(paths[1])];
    await writeFile(paths[0], flipped(first, 100 * 8));
    const start = startOf(names[1]);
    const lsn = records.find((one) => one['commit_id'] === 5 && one['record'] === 'commit')?.[
      'lsn'
    ] as number;
    for (const seek of [
      ['--commit', '5'],
      ['--from-commit', '5', '--to-commit', '5'],
      ['--from-lsn', `${lsn}`, '--to-lsn', `${lsn + 1}`],
    ]) {
      const { exit, records: shown, end } = await dump(['--data', dataDir, '--documents', ...seek]);
      expect([exit, end.verdict, end.notes]).toEqual([
        0,
        'proven',
        [`the history before LSN ${start} was not looked at; its hash is taken from the segment header`],
      ]);
      expect(end.begins_at).toEqual({ ...positionBefore(records, start), hash_from: 'segment header' });
      expect(placesOf(shown).slice(0, 2)).toEqual([`segment ${start}`, `frame ${lsn - 72}`]);
    }
    // Commit 4 stands before it in the segment: where that is damaged, commit 5 is not shown.
    await writeFile(paths[1], flipped(second, 100 * 8));
    expect(await dump(['--data', dataDir, '--commit', '5'])).toMatchObject({
      exit: 5,
      records: [],
      end: { verdict: 'corrupt', stop: { file: names[1], byte: 96 } },
    });
    // A header that is damaged leads nowhere: the proof begins before it.
    await writeFile(paths[1], flipped(second, 60 * 8));
    await writeFile(paths[0], first);
    expect(await dump(['--data', dataDir, '--commit', '5'])).toMatchObject({
      exit: 5,
      records: [],
      end: { begins_at: FROM_GENESIS, stop: { rule: 'P5-I5 checksumMatches', file: names[1], byte: 0 } },
    });
  });
});

test('usage and help', async () => {
  const empty = await temporaryDirectory();
  const { dataDir, walDir } = await threeSegments();
  for (const [args, message] of [
    [[], 'say where the WAL is: --data <dir> or --wal <dir>'],
    [['--data', dataDir, '--wal', walDir], "cannot be used with option '--data <dir>'"],
    [['--wal', empty], 'is no directory with segment files'],
    [['--wal', join(empty, 'absent')], 'is no directory with segment files'],
    [['--wal', dataDir], 'of a data directory, say --data'],
    [['--data', dataDir, '--commit', '0'], 'It must be a whole number from 1'],
    [['--data', dataDir, '--commit', '1', '--to-commit', '2'], 'cannot be used with option'],
    [
      ['--data', dataDir, '--from-commit', '3', '--to-commit', '2'],
      '--from-commit is 3, which lies behind --to-commit 2',
    ],
    [
      ['--data', dataDir, '--from-lsn', '3', '--to-lsn', '2'],
      '--from-lsn is 3, which lies behind --to-lsn 2',
    ],
    [['--data', dataDir, '--level', 'bytes'], 'Allowed choices are segments, frames, commits, operations'],
    [['--data', dataDir, '--id', ''], 'It must not be empty'],
  ] as const) {
    const { exit, out, err } = await cli(['wal', 'dump', ...args]);
    expect([args, exit, out, err]).toEqual([args, 2, '', expect.stringContaining(message)]);
  }
  const { exit, out } = await cli(['wal', 'dump', '--help']);
  expect(exit).toBe(0);
  expect(out).toMatch(/broken chain {2}\(5\)[^]*Examples:\n {2}replichart wal dump --data /);
});

test('a name that is no segment', async () => {
  const { walDir, paths } = await threeSegments();
  await copyFile(paths[0], join(walDir, 'copy.wal'));
  await appendFile(join(walDir, 'notes.txt'), 'of somebody');
  const { exit, out } = await cli(['wal', 'dump', '--wal', walDir, '--json']);
  expect([exit, JSON.parse(out)]).toMatchObject([
    5,
    { error: { code: 'WAL_CORRUPT', evidence: { file: 'copy.wal' } } },
  ]);
  await rm(join(walDir, 'copy.wal'));
  expect((await dump(['--wal', walDir])).exit).toBe(0);
});
