import { describe, expect, test } from 'vitest';
import type { ReplicaStatus } from '../../src/index.ts';
import { put, rejection, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, detached, halted, inState, scriptedReplica, until } from '../support/replicas.ts';
import { chunked, recordedWal } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

/** What a host writes: every name leads to what there is of it, and nothing is parsed. */
function line(status: ReplicaStatus): string {
  switch (status.name) {
    case 'ReplicationHalted':
      return `halted: ${status.halt.code}${status.recorded ? '' : ', not recorded'}`;
    case 'Stopped':
      return status.halt === null ? 'stopped' : `stopped, after ${status.halt.code}`;
    case 'ReceivingWAL':
    case 'ValidatingWAL':
    case 'ApplyingWAL':
    case 'Ready':
      return `${status.name} ${status.stream.state} at ${status.progress.applied?.commitId}`;
    case 'Bootstrapping':
      return `${status.name} ${status.stream.state}`;
    case 'Disabled':
    case 'Failed':
    case 'Initializing':
    case 'Recovering':
      return status.name;
  }
}

describe('P5-I3: what a node is doing, as a host reads it', () => {
  test('a replica: disabled, following, detached, stopped', async () => {
    const off = await startReplica({ dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1' });
    expect(line(off.status())).toBe('Disabled');
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    await primary.commit([put('a', '1')]);
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: primary.url as string,
      replication: 'enabled',
    });
    const seen = new Set<string>();
    replica.subscribe(() => seen.add(line(replica.status())));
    await appliedCommit(replica, 1);
    await replica.ready();
    await primary.commit([put('a', '2')]);
    await appliedCommit(replica, 2);
    expect([...seen]).toEqual(expect.arrayContaining(['Ready attached at 1', 'ApplyingWAL attached at 1']));
    expect(replica.status()).toMatchObject({
      progress: { primary: { commitId: 2 }, receivedLsn: primary.position()?.lsn },
    });
    await primary.stop();
    await detached(replica);
    expect(line(replica.status())).toBe('Ready detached at 2');
    expect(replica.status()).toMatchObject({ stream: { cause: expect.any(String) as string } });
    expect(replica.health()).toEqual({ live: true, ready: true, reasons: [] });
    await replica.stop();
    expect(line(replica.status())).toBe('stopped');
    expect(replica.health()).toMatchObject({ live: true, ready: false });
    expect(await rejection(replica.ready())).toMatchObject({ code: 'READS_BLOCKED' });
  });

  test('P5-I10: a replica that halts', async () => {
    const wal = await recordedWal(3);
    const { replica } = await scriptedReplica(() => ({
      chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 500),
    }));
    await halted(replica);
    expect(line(replica.status())).toBe('halted: WAL_CORRUPT');
    expect(replica.health()).toEqual({ live: true, ready: false, reasons: ['WAL_CORRUPT'] });
    expect(await rejection(replica.ready())).toMatchObject({ code: 'READS_BLOCKED' });
    await replica.stop();
    expect(line(replica.status())).toBe('stopped, after WAL_CORRUPT');
  });

  test('a primary: working, stopped', async () => {
    const primary = await startPrimary({ dataDir: await temporaryDirectory() });
    expect(primary.status()).toEqual({ name: 'Working' });
    await primary.ready();
    expect(primary.health()).toEqual({ live: true, ready: true, reasons: [] });
    expect(await primary.metrics.text()).toContain('replichart_commits_total');
    await primary.stop();
    expect(primary.status()).toEqual({ name: 'Stopped', halt: null });
  });
});

describe('a signal', () => {
  test('stops the node', async () => {
    const asked = new AbortController();
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir }, { signal: asked.signal });
    await primary.commit([put('a', '1')]);
    asked.abort();
    await until(primary, inState('stopped.closed'), 'a stop that nobody else asks for');
    const again = await startPrimary({ dataDir });
    expect(again.position()?.commitId).toBe(1);
  });

  test('gives up a start, before it and on the way, and leaves nothing open', async () => {
    const dataDir = await temporaryDirectory();
    const before = AbortSignal.abort(new Error('not now'));
    expect(await rejection(startPrimary({ dataDir }, { signal: before }))).toMatchObject({
      message: 'not now',
    });
    const asked = new AbortController();
    const starting = rejection(startPrimary({ dataDir, listen: '127.0.0.1:0' }, { signal: asked.signal }));
    asked.abort(new Error('enough'));
    expect(await starting).toMatchObject({ message: 'enough' });
    await startPrimary({ dataDir });
  });

  test('ends the waiting for a node to be ready', async () => {
    const { replica } = await scriptedReplica(() => ({ chunks: () => chunked(Buffer.alloc(0), 1) }));
    const asked = new AbortController();
    await replica.stop();
    const { replica: empty } = await scriptedReplica(() => ({ chunks: () => chunked(Buffer.alloc(0), 1) }));
    asked.abort(new Error('too long'));
    expect(await rejection(empty.ready(asked.signal))).toMatchObject({ message: 'too long' });
  });
});
