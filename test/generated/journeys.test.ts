/** Journeys written by hand, each with the literal state that it must end in; the generated walks know nothing of them. */
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DataDirectory } from '../../src/io/data-directory.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { fingerprint } from '../support/files.ts';
import type { Replica } from '../../src/index.ts';
import { stateLine } from '../../src/core/state-line.ts';
import { CLUSTER, OTHER_CLUSTER, put, rejection, startPrimary, startReplica } from '../support/nodes.ts';
import { detached, halted, inState, until } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';
import { digestAt } from '../support/state.ts';
import { flipped } from '../support/wal-forge.ts';
import {
  ATTACHED,
  checkpointIn,
  commits,
  DETACHED,
  journey,
  leftBehind,
  missingBytes,
  readOf,
  replicaOf,
  whereIs,
  type Journey,
} from './journey.ts';

/** A replica that has applied all that its primary has, and waits for more. */
const following = async (way: Journey, commitId: number, options: Parameters<typeof replicaOf>[1] = {}) => {
  const replica = await replicaOf(way, options);
  await caughtUp(way, replica);
  expect(replica.position()?.commitId).toBe(commitId);
  return replica;
};

const caughtUp = ({ primary }: Journey, replica: Replica) =>
  until(
    replica,
    (now) => now.context.applied?.lsn === primary.position()?.lsn && stateLine(now.value) === ATTACHED,
    'all that the primary has',
  );

const followed = (applied: number) => ({
  state: ATTACHED,
  commits: `validated ${applied}, applied ${applied}`,
  isAllProven: true,
  halt: null,
  read: String(applied),
});

const clear = (dataDir: string) => clearHalt(new DataDirectory(nodeFileSystem, dataDir));

test('F-N1: start, follow, cut, read on, attach, follow', async () => {
  const way = await journey();
  await commits(way.primary, 1, 2);
  const replica = await following(way, 2);
  expect(await whereIs(replica)).toEqual(followed(2));
  way.relay.cut();
  await detached(replica);
  await commits(way.primary, 3, 4);
  expect(await whereIs(replica)).toEqual({ ...followed(2), state: DETACHED });
  replica.attach();
  await caughtUp(way, replica);
  expect(await whereIs(replica)).toEqual(followed(4));
  expect(await missingBytes(way)).toBe(0);
});

test('F-V1, F-RS1: a flipped byte halts; restarts stay halted; an operator clears it; it follows on', async () => {
  const way = await journey();
  await commits(way.primary, 1, 1);
  const replica = await following(way, 1);
  way.relay.cut();
  await detached(replica);
  await commits(way.primary, 2, 3);
  way.relay.rule({
    of: /\/wal\?/,
    body: (piece, offset) => (offset === 0 ? flipped(piece, 8 * 100) : piece),
  });
  replica.attach();
  await halted(replica);
  const resting = {
    state: 'halted.resting',
    commits: 'validated 1, applied 1',
    isAllProven: false,
    halt: 'WAL_CORRUPT P5-I5 checksumMatches',
    read: 'refused: READS_BLOCKED',
  };
  expect(await whereIs(replica)).toEqual(resting);
  await replica.stop();
  const record = await readFile(join(way.dataDir, 'halt'));
  way.relay.rule(null);
  for (let restart = 1; restart <= 3; restart += 1) {
    const again = await replicaOf(way);
    expect(await whereIs(again)).toEqual({
      ...resting,
      commits: 'validated -, applied -',
      isAllProven: true,
    });
    await again.stop();
    expect(await readFile(join(way.dataDir, 'halt'))).toEqual(record);
  }
  expect(await clear(way.dataDir)).toBe('evidence/halt-1');
  const cleared = await following(way, 3);
  expect(await whereIs(cleared)).toEqual(followed(3));
  expect(await missingBytes(way)).toBe(0);
});

test('P5-I8, P5-I9: from a snapshot to the WAL behind it, and a restart in the midst of nothing', async () => {
  const way = await journey();
  await commits(way.primary, 1, 3);
  await way.primary.createSnapshot();
  await commits(way.primary, 4, 5);
  const replica = await following(way, 5, { bootstrap: 'snapshot' });
  expect(await whereIs(replica)).toEqual(followed(5));
  expect(
    (await nodeFileSystem.list(join(way.dataDir, 'base'))).concat(
      await nodeFileSystem.list(join(way.dataDir, 'incoming')),
    ),
  ).toEqual(['3.base']);
  await replica.stop();
  await commits(way.primary, 6, 6);
  expect(await whereIs(await following(way, 6, { bootstrap: 'snapshot' }))).toEqual(followed(6));
  const held = await walBytes(way.dataDir);
  const whole = await walBytes(way.primaryDir);
  expect(whole.subarray(whole.length - held.length)).toEqual(held);
});

describe('P5-I11: what a crash leaves leads to the state that no crash would have left', () => {
  test.each([
    ['F-R1: before the bytes are written', 'handle.append', /\.wal$/, 1],
    ['F-R2: after the bytes are written, before they are durable', 'handle.datasync', /\.wal$/, 1],
    ['F-R2: before they are proved', 'handle.read', /\.wal$/, 1],
    ['F-A1: proved, and not applied', 'index.write', /./, 1],
    ['F-A2: applied, and nothing else', 'index.written', /./, 2],
  ] as const)('%s', async (_, call, path, applied) => {
    const way = await journey();
    await commits(way.primary, 1, 1);
    const replica = await following(way, 1);
    let left: string | null = null;
    way.disk.beforeNext(call, path, async () => {
      left = await leftBehind(way.dataDir);
    });
    await commits(way.primary, 2, 2);
    await caughtUp(way, replica);
    await replica.stop();
    const crashed = { ...way, dataDir: left ?? 'it did not come to that' };
    // Of the second commit there is all, or nothing; entries and checkpoint are never apart.
    expect(await checkpointIn(crashed.dataDir)).toBe(applied);
    expect((await digestAt(crashed.dataDir, 2))?.sha256).toBe((await digestAt(way.dataDir, applied))?.sha256);
    const again = await following(crashed, 2);
    expect(await whereIs(again)).toEqual(followed(2));
    await again.stop();
    expect(await missingBytes(crashed)).toBe(0);
    expect(await digestAt(crashed.dataDir, 2)).toEqual(await digestAt(way.dataDir, 2));
  });

  test.each([
    ['F-S1: in the midst of a transfer', 'handle.append', /incoming/],
    ['F-S2: transferred, and not put in its place', 'rename', /base$/],
    ['F-S2: in its place, and without a checkpoint', 'index.write', /./],
  ] as const)('%s', async (_, call, path) => {
    const way = await journey();
    await commits(way.primary, 1, 2);
    await way.primary.createSnapshot();
    let left: string | null = null;
    way.disk.beforeNext(call, path, async () => {
      left = await leftBehind(way.dataDir);
    });
    const replica = await following(way, 2, { bootstrap: 'snapshot' });
    await replica.stop();
    const crashed = { ...way, dataDir: left ?? 'it did not come to that' };
    const again = await following(crashed, 2, { bootstrap: 'snapshot' });
    expect(await whereIs(again)).toEqual(followed(2));
    await again.stop();
    expect(await fingerprint(crashed.dataDir)).toEqual(await fingerprint(way.dataDir));
  });
});

test('F-V3: a primary of another history halts, and does not heal by being asked again', async () => {
  const [way, other] = [await journey(), await journey()];
  await commits(way.primary, 1, 2);
  await commits(other.primary, 11, 13);
  const replica = await following(way, 2);
  way.relay.leadTo(other.primary.url as string);
  way.relay.cut();
  await detached(replica);
  replica.attach();
  await halted(replica);
  expect(await whereIs(replica)).toEqual({
    state: 'halted.resting',
    commits: 'validated 2, applied 2',
    isAllProven: true,
    halt: 'HISTORY_DIVERGED P5-I4 historyIsThePrimarys',
    read: 'refused: READS_BLOCKED',
  });
  replica.attach();
  expect((await whereIs(replica)).state).toBe('halted.resting');
  expect(await missingBytes(way)).toBe(0);
});

test('F-D1: a full disk halts; with space again and cleared it follows on from what was durable', async () => {
  const way = await journey();
  await commits(way.primary, 1, 1);
  const replica = await following(way, 1);
  way.disk.failNext('handle.append', /\.wal$/, 'ENOSPC');
  await commits(way.primary, 2, 2);
  await halted(replica);
  expect(await whereIs(replica)).toEqual({
    state: 'halted.resting',
    commits: 'validated 1, applied 1',
    isAllProven: true,
    halt: 'STORAGE_FAILED P5-I10',
    read: 'refused: READS_BLOCKED',
  });
  await replica.stop();
  await clear(way.dataDir);
  expect(await whereIs(await following(way, 2))).toEqual(followed(2));
  expect(await missingBytes(way)).toBe(0);
});

test('P5-I13: a stop in the midst of an application ends it whole, and begins nothing', async () => {
  const way = await journey();
  await commits(way.primary, 1, 1);
  const replica = await following(way, 1);
  let stopped: Promise<void> = Promise.resolve();
  let held = '';
  way.disk.beforeNext('index.write', /./, async () => {
    stopped = replica.stop();
    await until(replica, inState('stopped.draining'), 'the stop');
    // However long the write takes, files and index stay open for it.
    for (let look = 0; look < 50; look += 1) await stat(way.dataDir);
    held = stateLine(replica.snapshot().value);
  });
  await commits(way.primary, 2, 3);
  await until(replica, inState('stopped.closed'), 'the end');
  await stopped;
  expect(held).toBe('stopped.draining');
  expect(await whereIs(replica)).toMatchObject({
    state: 'stopped.closed',
    halt: null,
    read: 'refused: READS_BLOCKED',
  });
  // The batch that was under way is whole; what came after it waits on disk, or with the primary.
  expect((await digestAt(way.dataDir, 2))?.commitId).toBe(2);
  expect(await whereIs(await following(way, 3))).toEqual(followed(3));
});

test('P5-I16: with replication switched off a replica rests, serves nothing, and changes nothing', async () => {
  const way = await journey();
  await commits(way.primary, 1, 2);
  await (await following(way, 2)).stop();
  const before = await fingerprint(way.dataDir, /^$/);
  const replica = await replicaOf(way, { replication: 'disabled' });
  expect(await whereIs(replica)).toEqual({
    state: 'disabled',
    commits: 'validated -, applied -',
    isAllProven: true,
    halt: null,
    read: 'refused: READS_BLOCKED',
  });
  await replica.stop();
  expect(await fingerprint(way.dataDir, /^$/)).toEqual(before);
  expect(await whereIs(await following(way, 2))).toEqual(followed(2));
});

test('P5-I1: a directory of another cluster refuses the start, and stays as it was', async () => {
  const way = await journey();
  await commits(way.primary, 1, 1);
  await (await following(way, 1)).stop();
  const before = await fingerprint(way.dataDir, /^$/);
  const refusal = await rejection(replicaOf(way, { clusterId: OTHER_CLUSTER }));
  expect(refusal).toMatchObject({ code: 'CLUSTER_CHANGED', invariant: 'P5-I1' });
  expect(await fingerprint(way.dataDir, /^$/)).toEqual(before);
});

test('P5-I6: a new replica that cannot ask who its primary is claims nothing, not even the directory', async () => {
  const way = await journey();
  way.relay.rule({ of: /./, drop: true });
  const options = { dataDir: way.dataDir, primaryUrl: way.relay.url, replication: 'enabled' } as const;
  expect(await rejection(startReplica(options))).toMatchObject({
    code: 'PRIMARY_UNREACHABLE',
    invariant: 'P5-I10',
  });
  await expect(stat(way.dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  way.relay.rule(null);
  await commits(way.primary, 1, 1);
  const replica = await following(way, 1);
  expect(replica.snapshot().context.identity?.clusterId).toBe(CLUSTER);
  expect(await readOf(replica)).toBe('1');
});

test('F-P1: a primary whose last frame is torn cuts it, and goes on with the commit id that was never given', async () => {
  const way = await journey();
  await commits(way.primary, 1, 2);
  await way.primary.stop();
  const segment = join(way.primaryDir, 'wal', '00000000000000000000.wal');
  const whole = await readFile(segment);
  await appendFile(segment, whole.subarray(96, 96 + 50));
  const again = await startPrimary({ dataDir: way.primaryDir });
  expect(await readFile(segment)).toEqual(whole);
  expect((await again.commit([put('a', '3')])).commitId).toBe(3);
  expect(await readOf(again)).toBe('3');
});
