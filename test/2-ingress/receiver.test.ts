import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeNotice } from '../../src/core/wal/notice.ts';
import { NoticeSplitter } from '../../src/core/wal/notice.ts';
import { crashAt, faultyFileSystem, systemError } from '../support/faulty-file-system.ts';
import { CLUSTER, OTHER_CLUSTER, rejection, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { detached, halted, receivedLsn, scriptedReplica, until } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource, walBytes, type ScriptedSource } from '../support/sources.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import type { WalChunk } from '../../src/io/wal-source.ts';

describe('P5-I4: the received WAL is a byte prefix of the primary’s', () => {
  test.each([1, 7, 96, 1000, 1_000_000])('in chunks of %i bytes', async (size) => {
    const wal = await recordedWal(6);
    const { replica, dataDir } = await scriptedReplica(() => ({ chunks: () => chunked(wal, size) }));
    await receivedLsn(replica, wal.length);
    expect(await walBytes(dataDir)).toEqual(wal);
  });

  test('over several segments, with the same files', async () => {
    const wal = await recordedWal(4, { segmentBytesMax: 4_194_400, bytes: 2_200_000 });
    const { replica, dataDir } = await scriptedReplica(() => ({ chunks: () => chunked(wal, 70_001) }));
    await receivedLsn(replica, wal.length);
    expect(await readdir(join(dataDir, 'wal'))).toHaveLength(3);
    expect((await walBytes(dataDir)).equals(wal)).toBe(true);
  });

  test('P5-I5: received bytes alone change no replica state', async () => {
    const wal = Buffer.from(await recordedWal(3));
    wal.fill(0xff, 170, 180);
    const { replica, dataDir } = await scriptedReplica(() => ({ chunks: () => chunked(wal, 10_000) }));
    const { context } = await halted(replica);
    expect(await walBytes(dataDir)).toEqual(wal);
    expect([context.receivedLsn, context.applied?.commitId ?? 0]).toEqual([wal.length, 0]);
    expect(await rejection(replica.read(async () => null))).toMatchObject({ code: 'READS_BLOCKED' });
  });
});

describe('F-V2: out of order is a hard failure, and nothing of it is stored', () => {
  const wal = recordedWal(6);
  const cut = async (unit: number) => {
    const bytes = await wal;
    const frame = (bytes.length - 96) / 6;
    return 96 + unit * frame;
  };
  const pieces = async (...ranges: [number, number][]) => {
    const bytes = await wal;
    const places = await Promise.all(
      ranges.map(async ([from, to]) => [await cut(from), await cut(to)] as const),
    );
    return Buffer.concat([bytes.subarray(0, 96), ...places.map(([from, to]) => bytes.subarray(from, to))]);
  };

  test.each<[string, [number, number][], number, number]>([
    [
      'a gap of one frame',
      [
        [0, 2],
        [3, 6],
      ],
      2,
      3,
    ],
    [
      'an overlap',
      [
        [0, 3],
        [2, 6],
      ],
      3,
      2,
    ],
    [
      'a duplicate',
      [
        [0, 2],
        [1, 2],
      ],
      2,
      1,
    ],
    [
      'a reordering',
      [
        [0, 1],
        [2, 3],
        [1, 2],
      ],
      1,
      2,
    ],
  ])('P5-I4: %s inside the stream', async (_name, ranges, expected, found) => {
    const stream = await pieces(...ranges);
    const { replica, dataDir } = await scriptedReplica(() => ({ chunks: () => chunked(stream, 50) }));
    const { context } = await halted(replica);
    expect(context.halt).toMatchObject({
      code: 'WAL_DISORDERED',
      invariant: 'P5-I4',
      rule: 'P5-I4 receivedIsInOrder',
      evidence: {
        unit: {
          rule: 'P5-I4 unitIsInOrder',
          file: '00000000000000000000.wal',
          expected: { own_lsn: await cut(expected) },
          found: { own_lsn: await cut(found) },
        },
        bytes_kept_in: 'evidence/WAL_DISORDERED-1',
      },
    });
    const good = (await wal).subarray(0, await cut(expected));
    expect(await walBytes(dataDir)).toEqual(good);
    expect(await readdir(join(dataDir, 'evidence'))).toEqual(['WAL_DISORDERED-1']);
  });

  test('P5-I4: a gap of one byte', async () => {
    const bytes = await wal;
    const stream = Buffer.concat([bytes.subarray(0, await cut(1)), bytes.subarray((await cut(1)) + 1)]);
    const { replica } = await scriptedReplica(() => ({ chunks: () => chunked(stream, 64) }));
    expect((await halted(replica)).context.halt).toMatchObject({
      code: 'WAL_CORRUPT',
      evidence: {
        unit: {
          rule: 'P5-I5 unitIsFramed',
          lsn: await cut(1),
          found: { magic: expect.stringMatching(/^WF1/) as string },
        },
      },
    });
  });

  test.each([
    ['a gap', 10],
    ['an overlap', -10],
  ])('P5-I4: %s between chunks of a source', async (_name, shift) => {
    const chunks = chunked(await wal, 150).map((chunk, index): WalChunk =>
      chunk.kind === 'wal' && index === 2 ? { ...chunk, lsn: chunk.lsn + shift } : chunk,
    );
    const { replica } = await scriptedReplica(() => ({ chunks: () => chunks }));
    expect((await halted(replica)).context.halt).toMatchObject({
      code: 'WAL_DISORDERED',
      evidence: { chunk_gap: { expected_lsn: 300, found_lsn: 300 + shift } },
    });
  });

  test('P5-I4: a stream that begins elsewhere', async () => {
    const { replica } = await scriptedReplica(() => ({ startLsn: 96 }));
    expect((await halted(replica)).context.halt).toMatchObject({
      code: 'WAL_DISORDERED',
      rule: 'P5-I4 streamIsOurs',
      evidence: { expected: { start_lsn: 0 }, found: { start_lsn: 96 } },
    });
  });

  test('P5-I4: a stream of a foreign cluster, by its answer and by its segment header', async () => {
    const byAnswer = await scriptedReplica((n) => (n === 0 ? {} : { streamClusterId: OTHER_CLUSTER }));
    expect((await halted(byAnswer.replica)).context.halt).toMatchObject({
      code: 'CLUSTER_FOREIGN',
      evidence: { expected: { cluster_id: CLUSTER }, found: { cluster_id: OTHER_CLUSTER } },
    });
    const foreign = await recordedWal(1, { clusterId: OTHER_CLUSTER });
    const byHeader = await scriptedReplica(() => ({ chunks: () => chunked(foreign, 1000) }));
    expect((await halted(byHeader.replica)).context.halt).toMatchObject({
      code: 'CLUSTER_FOREIGN',
      evidence: { unit: { rule: 'P5-I4 clusterIsOurs', found: { cluster_id: OTHER_CLUSTER } } },
    });
    expect(await walBytes(byHeader.dataDir)).toEqual(Buffer.alloc(0));
  });

  test('F-V3: a position that the primary disowns', async () => {
    const refusal = {
      kind: 'refused' as const,
      code: 'HISTORY_DIVERGED' as const,
      message: 'the position belongs to another history',
      evidence: {},
    };
    const { replica, dataDir } = await scriptedReplica((n) => (n === 0 ? {} : { refusal }));
    expect((await halted(replica)).context.halt).toMatchObject({
      code: 'HISTORY_DIVERGED',
      rule: 'P5-I4 historyIsThePrimarys',
    });
    await replica.stop();
    // P5-I10: a restart stays halted.
    const again = await scriptedReplica(() => ({}), dataDir);
    expect((await halted(again.replica)).context.halt).toMatchObject({ code: 'HISTORY_DIVERGED' });
  });
});

describe('F-N1: a lost connection detaches, and attaching again is a command', () => {
  test('the stream goes on exactly where it ended, and a unit that was cut off is received whole', async () => {
    const wal = await recordedWal(6);
    const { replica, dataDir } = await scriptedReplica((attachment) => ({
      chunks: (from) => chunked(attachment === 1 ? wal.subarray(0, 250) : wal, 30, from.lsn),
      ends: attachment === 1,
    }));
    const { context } = await detached(replica);
    expect([context.detachment, context.halt]).toEqual(['the stream has ended', null]);
    const frame = (wal.length - 96) / 6;
    expect(context.receivedLsn).toBe(96 + Math.floor((250 - 96) / frame) * frame);
    replica.attach();
    await receivedLsn(replica, wal.length);
    expect(await walBytes(dataDir)).toEqual(wal);
  });

  test('a refusal that is no divergence detaches with its reason', async () => {
    const { replica } = await scriptedReplica((n) =>
      n === 0
        ? {}
        : {
            refusal: {
              kind: 'refused',
              code: 'WAL_PRUNED',
              message: 'the WAL before LSN 9 is no longer kept',
              evidence: {},
            },
          },
    );
    expect((await detached(replica)).context.detachment).toBe(
      'WAL_PRUNED: the WAL before LSN 9 is no longer kept',
    );
  });
});

describe('crashes of the receiver', () => {
  test('F-R1, F-R2: killed before every change, it resumes at the last durable unit and ends with the same bytes', async () => {
    const wal = await recordedWal(4, { segmentBytesMax: 4_194_400, bytes: 2_200_000 });
    const script = (): ScriptedSource => ({ chunks: (from) => chunked(wal, 500_000, from.lsn) });
    const run = async (dataDir: string, crash: number, store: ReturnType<typeof memoryVersionIndex>) => {
      const files = faultyFileSystem(crashAt(crash, (bytes) => Math.floor(bytes / 3)));
      const replica = await startReplica(
        { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
        { files, indexStore: () => store, walSource: scriptedSource(script) },
      ).catch(() => null);
      await (replica &&
        until(
          replica,
          ({ value, context }) =>
            context.receivedLsn === wal.length || (typeof value === 'object' && 'halted' in value),
        ));
      await replica?.stop();
      return files.operations();
    };
    const operations = await run(await temporaryDirectory(), Infinity, memoryVersionIndex());
    expect(operations).toBeGreaterThan(20);
    for (let crash = 1; crash <= operations; crash += 1) {
      const dataDir = await temporaryDirectory();
      const store = memoryVersionIndex();
      await run(dataDir, crash, store);
      const replica = await startReplica(
        { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
        { indexStore: () => store, walSource: scriptedSource(script) },
      );
      await receivedLsn(replica, wal.length);
      expect((await walBytes(dataDir)).equals(wal), `crash before change ${crash}`).toBe(true);
      await replica.stop();
    }
  }, 120_000);

  test.each(['EIO', 'ENOSPC'] as const)(
    'F-D1: %s while persisting halts with the cause, durably',
    async (code) => {
      const wal = await recordedWal(3);
      const dataDir = await temporaryDirectory();
      const files = faultyFileSystem((operation, path) =>
        operation === 'append' && path.endsWith('.wal') ? { error: systemError(code) } : null,
      );
      const replica = await startReplica(
        { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
        { files, walSource: scriptedSource(() => ({ chunks: () => chunked(wal, 100) })) },
      );
      const { context } = await halted(replica);
      expect(context.halt).toMatchObject({
        code: 'STORAGE_FAILED',
        invariant: 'P5-I10',
        evidence: { effect: 'persist', error: { code } },
      });
      expect(
        JSON.parse((await readFile(join(dataDir, 'halt'), 'utf8')).split('\n')[0] as string),
      ).toMatchObject({
        code: 'STORAGE_FAILED',
      });
    },
  );
});

describe('position notices', () => {
  test('a notice says where the primary stands, and is not WAL', async () => {
    const wal = await recordedWal(2);
    const position = { commitId: 9, lsn: 9_999, historyHash: 'cd'.repeat(32) };
    const { replica, dataDir } = await scriptedReplica(() => ({
      chunks: () => [...chunked(wal, 10_000), { kind: 'notice', position }],
    }));
    const { context } = await until(
      replica,
      (snapshot) =>
        snapshot.context.primaryDurable?.commitId === 9 && snapshot.context.receivedLsn === wal.length,
    );
    expect([context.primaryDurable, context.halt]).toEqual([position, null]);
    expect(await walBytes(dataDir)).toEqual(wal);
  });

  test('are taken out of the stream wherever chunks are cut, and change nothing of the WAL', async () => {
    const wal = await recordedWal(3);
    const position = { commitId: 7, lsn: 1234, historyHash: 'ab'.repeat(32) };
    const notice = encodeNotice(position);
    const frame = (wal.length - 96) / 3;
    const stream = Buffer.concat([
      notice,
      wal.subarray(0, 96 + frame),
      notice,
      notice,
      wal.subarray(96 + frame),
      notice,
    ]);
    for (let size = 1; size < 130; size += 1) {
      const splitter = new NoticeSplitter();
      const bytes: Buffer[] = [];
      let notices = 0;
      for (let at = 0; at < stream.length; at += size)
        for (const piece of splitter.split(stream.subarray(at, at + size))) {
          if (piece.kind === 'wal') bytes.push(piece.bytes);
          else {
            notices += 1;
            expect(piece.position).toEqual(position);
          }
        }
      expect([notices, Buffer.concat(bytes).equals(wal)], `chunks of ${size}`).toEqual([4, true]);
    }
  });
});
