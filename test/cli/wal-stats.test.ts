import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { CLUSTER, del, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { flipped, forged } from '../support/wal-forge.ts';
import { FROM_GENESIS, positionBefore, startOf, threeSegments, type Line } from '../support/wal-records.ts';

const stats = (args: readonly string[]) => cliJson<Line>(['wal', 'stats', ...args]);

const NONE = { min: 1, mean: 1, max: 1, p50_at_most: 1, p99_at_most: 1 };

/** The counts that the records of the independent decoder give. */
function countsOf(records: readonly Line[], bytes: number) {
  const of = (kind: string) => records.filter(({ record }) => record === kind);
  const frames = (kind: string) => of('frame').filter((one) => one['kind'] === kind);
  const sum = (some: readonly Line[], field: string) =>
    some.reduce((total, one) => total + (one[field] as number), 0);
  const operations = of('operation');
  const inCollection = (collection: string) => {
    const own = operations.filter((one) => (one['collection'] ?? one['collection_base64']) === collection);
    return {
      puts: own.filter(({ op }) => op === 'put').length,
      deletes: own.filter(({ op }) => op === 'delete').length,
      document_bytes: sum(own, 'document_bytes'),
    };
  };
  const sizes = frames('commits').map((one) => one['bytes'] as number);
  return {
    segments: of('segment').length,
    bytes,
    frames: {
      commits: frames('commits').length,
      seal: frames('seal').length,
      cut: frames('cut').length,
    },
    commits: of('commit').length,
    operations: {
      put: operations.filter(({ op }) => op === 'put').length,
      delete: operations.filter(({ op }) => op === 'delete').length,
    },
    document_bytes: sum(operations, 'document_bytes'),
    wal_bytes_per_document_byte: bytes / sum(operations, 'document_bytes'),
    commits_per_frame: NONE,
    frame_bytes: {
      min: Math.min(...sizes),
      mean: sizes.reduce((one, two) => one + two, 0) / sizes.length,
      max: Math.max(...sizes),
      p50_at_most: Math.min(128, Math.max(...sizes)),
      p99_at_most: Math.min(128, Math.max(...sizes)),
    },
    collections: [
      { collection: 'c', ...inCollection('c') },
      { collection_base64: '/wE=', ...inCollection('/wE=') },
    ],
    other: null,
  };
}

describe('counts', () => {
  test('P5-I14: everything that an independent decoder finds, and nothing is changed', async () => {
    const { dataDir, walDir, names, paths, records } = await threeSegments();
    const before = await fingerprint(dataDir, /^$/);
    const endLsn = startOf(names[2]) + (await readFile(paths[2])).length;
    const expected = {
      ...countsOf(records, endLsn),
      verdict: 'clean',
      message: `every unit is proved; the WAL ends at LSN ${endLsn}`,
      begins_at: FROM_GENESIS,
      proven_to: positionBefore(records, endLsn),
      stop: null,
      notes: [],
    };
    expect(expected).toMatchObject({
      segments: 3,
      frames: { commits: 8, seal: 2, cut: 2 },
      commits: 8,
      operations: { put: 12, delete: 1 },
    });
    for (const place of [
      ['--data', dataDir],
      ['--wal', walDir],
    ]) {
      const { exit, out, err } = await cli(['wal', 'stats', ...place, '--json']);
      expect([exit, err, out]).toEqual([0, '', `${JSON.stringify(expected)}\n`]);
    }
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test('commits that share frames, while the primary runs', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
    await Promise.all(Array.from({ length: 100 }, (_, n) => primary.commit([put(`k${n}`, 'v'), del('x')])));
    const { exit, body } = await stats(['--data', dataDir]);
    const frames = body['frames'] as { commits: number };
    expect([exit, body]).toMatchObject([
      0,
      {
        commits: 100,
        operations: { put: 100, delete: 100 },
        document_bytes: 100,
        wal_bytes_per_document_byte: (body['bytes'] as number) / 100,
        commits_per_frame: { mean: 100 / frames.commits },
        collections: [{ collection: 'c', puts: 100, deletes: 100, document_bytes: 100 }],
      },
    ]);
    expect(frames.commits).toBeLessThan(100);
  });

  test('more collections than are counted one by one: the rest is one sum', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    const inCollection = (n: number) => ({ ...put('k', 'vv'), collection: `c${n}` });
    await primary.commit(Array.from({ length: 1002 }, (_, n) => inCollection(n)));
    await primary.commit([inCollection(1), inCollection(1001), { ...del('k'), collection: 'c1000' }]);
    const { body } = await stats(['--data', dataDir]);
    const collections = body['collections'] as Line[];
    expect([collections.length, body['other']]).toEqual([1000, { puts: 3, deletes: 1, document_bytes: 6 }]);
    expect(collections.find(({ collection }) => collection === 'c1')).toEqual({
      collection: 'c1',
      puts: 2,
      deletes: 0,
      document_bytes: 4,
    });
    expect(collections.map(({ collection }) => collection)).toEqual(
      collections.map(({ collection }) => collection as string).toSorted(),
    );
    expect((await cli(['wal', 'stats', '--data', dataDir])).out).toMatch(/\nother\t3\t1\t6\n$/);
  });

  test('no WAL yet', async () => {
    const dataDir = await temporaryDirectory();
    await startReplica({ dataDir, primaryUrl: 'http://127.0.0.1:1' });
    expect(await stats(['--data', dataDir])).toEqual({
      exit: 0,
      err: '',
      body: {
        segments: 0,
        bytes: 0,
        frames: { commits: 0, seal: 0, cut: 0 },
        commits: 0,
        operations: { put: 0, delete: 0 },
        document_bytes: 0,
        wal_bytes_per_document_byte: null,
        commits_per_frame: null,
        frame_bytes: null,
        collections: [],
        other: null,
        verdict: 'clean',
        message: 'there is no WAL yet',
        begins_at: null,
        proven_to: null,
        stop: null,
        notes: [],
      },
    });
  });
});

describe('the verdict', () => {
  test('P5-I11, P5-I4: torn, corrupt and broken are told apart, and only what is proved is counted', async () => {
    const { walDir, names, paths, records } = await threeSegments();
    const good = await readFile(paths[2]);
    const start = startOf(names[2]);
    const counted = countsOf(
      records.filter((one) => (one['lsn'] as number) < start + 96),
      start + 96,
    );
    for (const [bytes, exit, verdict, message] of [
      [good.subarray(0, 100), 6, 'torn', /^torn tail: at LSN /],
      [flipped(good, 120 * 8), 5, 'corrupt', /^corrupt unit: at LSN /],
      [forged(good, 96, (unit) => unit.fill(7, 32, 64)), 5, 'broken chain', /^broken chain: /],
    ] as const) {
      await writeFile(paths[2], bytes);
      const found = await stats(['--wal', walDir]);
      expect([found.exit, found.body]).toMatchObject([
        exit,
        { ...counted, verdict, proven_to: { lsn: start + 96 }, stop: { lsn: start + 96, byte: 96 } },
      ]);
      expect(found.body['message']).toMatch(message);
    }
    await rm(paths[1]);
    expect(await stats(['--wal', walDir])).toMatchObject({
      exit: 5,
      body: { verdict: 'broken chain', segments: 1, stop: { kind: 'discontinuity' } },
    });
  });

  test('P5-I9: where the first segments are gone, the counts begin with the first that is there', async () => {
    const { walDir, names, paths, records } = await threeSegments();
    await rm(paths[0]);
    const start = startOf(names[1]);
    const endLsn = startOf(names[2]) + (await readFile(paths[2])).length;
    const found = await stats(['--wal', walDir]);
    expect(found).toMatchObject({
      exit: 0,
      body: {
        ...countsOf(
          records.filter((one) => (one['lsn'] as number) >= start),
          endLsn - start,
        ),
        begins_at: { ...positionBefore(records, start), hash_from: 'segment header' },
        notes: [`the history before LSN ${start} is not here; its hash is taken from the segment header`],
      },
    });
  });
});

describe('text', () => {
  test('tab-separated lines where it is piped, a table on a terminal; sentences on standard error', async () => {
    const { dataDir, paths } = await threeSegments();
    const piped = await cli(['wal', 'stats', '--data', dataDir]);
    expect(piped.out).toMatch(
      /^segments +3\n[^]*\nverdict +clean\n[^]*\n\ncollection\tputs\tdeletes\tdocument_bytes\n"c"\t8\t1\t56\n\{"collection_base64":"\/wE="\}\t4\t0\t8\n$/,
    );
    expect(piped.err).toMatch(/^every unit is proved; the WAL ends at LSN \d+\n$/);
    const { isTTY } = process.stdout;
    process.stdout.isTTY = true;
    try {
      expect((await cli(['wal', 'stats', '--data', dataDir])).out).toContain('│');
    } finally {
      process.stdout.isTTY = isTTY;
    }
    await truncate(paths[2], 100);
    const torn = await cli(['wal', 'stats', '--data', dataDir]);
    expect(torn).toMatchObject({
      exit: 6,
      out: expect.stringMatching(/\n\nkind +incomplete\nrule +P5-I11 unitIsWhole\n/) as string,
      err: expect.stringMatching(/^torn tail: at LSN /) as string,
    });
  });

  test('usage and help', async () => {
    const empty = await temporaryDirectory();
    expect((await cli(['wal', 'stats'])).exit).toBe(2);
    expect((await cli(['wal', 'stats', '--wal', join(empty, 'absent')])).exit).toBe(2);
    const { exit, out } = await cli(['wal', 'stats', '--help']);
    expect(exit).toBe(0);
    expect(out).toMatch(/broken chain {2}\(5\)[^]*Examples:\n {2}replichart wal stats --data /);
  });
});
