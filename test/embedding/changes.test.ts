import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommittedChanges, Position, Primary, Replica } from '../../src/index.ts';
import { FRAME_BYTES_MAX, SEGMENT_HEADER_BYTES } from '../../src/core/limits.ts';
import { segmentFileName } from '../../src/core/wal/segment-header.ts';
import { del, put, rejection, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, scriptedReplica } from '../support/replicas.ts';
import { chunked, recordedWal } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

const COMMITS = 60;
const SEGMENT_BYTES = FRAME_BYTES_MAX + SEGMENT_HEADER_BYTES;

async function servedPrimary(): Promise<Primary> {
  return startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    replication: 'enabled',
    segmentBytesMax: SEGMENT_BYTES,
  });
}

async function replicaOf(primary: Primary, bootstrap: 'wal' | 'snapshot' = 'wal'): Promise<Replica> {
  return startReplica({
    dataDir: await temporaryDirectory(),
    primaryUrl: primary.url as string,
    replication: 'enabled',
    bootstrap,
  });
}

const operationsOf = (n: number) => [
  put(`id-${n % 7}`, JSON.stringify({ n, filler: 'x'.repeat(100_000 + n) })),
  ...(n % 3 === 0 ? [del(`id-${(n + 1) % 7}`)] : []),
];

/** Commits made together share a frame, and its LSN. */
async function history(primary: Primary, from = 1): Promise<readonly Position[]> {
  const positions: Position[] = [];
  for (let n = from; n < from + COMMITS; n += 3)
    positions.push(...(await Promise.all([n, n + 1, n + 2].map((one) => primary.commit(operationsOf(one))))));
  return positions;
}

async function take(feed: AsyncGenerator<CommittedChanges>, count: number): Promise<CommittedChanges[]> {
  const taken: CommittedChanges[] = [];
  if (count === 0) return taken;
  for await (const one of feed) if (taken.push(one) === count) break;
  return taken;
}

const shown = ({ changes }: CommittedChanges) =>
  changes.map(({ op, collection, id, ...rest }) => ({
    op,
    collection: collection.toString(),
    id: id.toString(),
    ...('document' in rest ? { document: rest.document.toString() } : {}),
  }));

describe('P5-I7, P5-I12: the changes of a node', () => {
  test('are its commits in their order, each exactly once, wherever the feed begins', async () => {
    const primary = await servedPrimary();
    const positions = await history(primary);
    expect(new Set(positions.map(({ lsn }) => lsn)).size).toBeLessThan(COMMITS);
    const replica = await replicaOf(primary);
    await appliedCommit(replica, COMMITS);
    for (const node of [primary, replica]) {
      const all = await take(node.changes(), COMMITS);
      expect(all.map(({ position }) => position)).toEqual(positions);
      expect(all.map(shown)).toEqual(positions.map(({ commitId }) => operationsOf(commitId)));
      for (const [index, from] of positions.entries()) {
        const left = COMMITS - index - 1;
        const rest = await take(node.changes({ from }), Math.min(left, 4));
        expect(rest.map(({ position }) => position)).toEqual(positions.slice(index + 1, index + 5));
      }
    }
  });

  test('go on as commits are made, also across segments, and wait without asking', async () => {
    const primary = await servedPrimary();
    const replica = await replicaOf(primary);
    const [onPrimary, onReplica] = [primary, replica].map((node) => take(node.changes(), 2 * COMMITS));
    const positions = [...(await history(primary)), ...(await history(primary, COMMITS + 1))];
    expect((await onPrimary)?.map(({ position }) => position)).toEqual(positions);
    expect((await onReplica)?.map(({ position }) => position)).toEqual(positions);
  });

  test('of a replica from a snapshot begin at its cut; what lies before is told to be gone', async () => {
    const primary = await servedPrimary();
    const before = await history(primary);
    const { cut } = await primary.createSnapshot();
    const replica = await replicaOf(primary, 'snapshot');
    await appliedCommit(replica, COMMITS);
    const waiting = take(replica.changes({ from: cut }), COMMITS);
    const after = await history(primary, COMMITS + 1);
    expect((await waiting).map(({ position }) => position)).toEqual(after);
    for (const from of [undefined, before[0], before.at(-1)])
      expect(await rejection(take(replica.changes(from && { from }), 1))).toMatchObject({
        code: 'WAL_PRUNED',
        evidence: { read_commit_id: from?.commitId ?? 0, oldest_lsn: cut.lsn },
      });
  });

  test('P5-I4: of a position of another history, or one that lies ahead, there are none', async () => {
    const primary = await servedPrimary();
    const [first] = await history(primary);
    const last = primary.position() as Position;
    const foreign = { ...(first as Position), historyHash: 'ab'.repeat(32) };
    expect(await rejection(take(primary.changes({ from: foreign }), 1))).toMatchObject({
      code: 'HISTORY_DIVERGED',
    });
    const ofNothing = { ...(first as Position), lsn: 0 };
    expect(await rejection(take(primary.changes({ from: ofNothing }), 1))).toMatchObject({
      code: 'HISTORY_DIVERGED',
    });
    const ahead = { ...last, commitId: last.commitId + 1, lsn: last.lsn + 500 };
    expect(await rejection(take(primary.changes({ from: ahead }), 1))).toMatchObject({
      code: 'VIEW_ABOVE_APPLIED',
    });
  });

  test('P5-I10: that rotted are told with the rule and the place, and nothing behind them is given', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    const positions = await history(primary);
    const rotten = positions[30] as Position;
    const file = await open(join(dataDir, 'wal', segmentFileName(0)), 'r+');
    await file.write(Buffer.from([0xff]), 0, 1, rotten.lsn - 3);
    await file.close();
    const given: number[] = [];
    const failed = await rejection(
      (async () => {
        for await (const { position } of primary.changes()) given.push(position.commitId);
      })(),
    );
    expect(failed).toMatchObject({
      code: 'WAL_CORRUPT',
      evidence: { rule: 'P5-I5 checksumMatches', file: segmentFileName(0) },
    });
    expect(given).toEqual(positions.filter(({ lsn }) => lsn < rotten.lsn).map(({ commitId }) => commitId));
  });

  test('P5-I10: end with the reason when the node halts, and when it stops', async () => {
    const wal = await recordedWal(3);
    const { replica } = await scriptedReplica(() => ({
      chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 500),
    }));
    expect(await rejection(take(replica.changes(), 3))).toMatchObject({ code: 'READS_BLOCKED' });
    expect(replica.status()).toMatchObject({ name: 'ReplicationHalted', halt: { code: 'WAL_CORRUPT' } });
    const primary = await servedPrimary();
    await history(primary);
    const waiting = rejection(take(primary.changes(), COMMITS + 1));
    await primary.stop();
    expect(await waiting).toMatchObject({ code: 'READS_BLOCKED' });
  });

  test('end when their reader says so, and leave no listener behind', async () => {
    const primary = await servedPrimary();
    await history(primary);
    const asked = new AbortController();
    const waiting = rejection(take(primary.changes({ signal: asked.signal }), COMMITS + 1));
    await take(primary.changes({ signal: asked.signal }), COMMITS);
    asked.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
    expect(await rejection(take(primary.changes({ signal: asked.signal }), 1))).toMatchObject({
      message: 'enough',
    });
  });
});
