import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { fromPromise, type AnyActorLogic } from 'xstate';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import type { Position } from '../../src/core/position.ts';
import type { WalChunk } from '../../src/io/wal-source.ts';
import { afterTest, CLUSTER, put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { until } from '../support/replicas.ts';
import { scriptedSource, walBytes } from '../support/sources.ts';
import { FaultProxy } from './fault-proxy.ts';
import { replicaOver } from './networked.ts';
import { recordFaults } from './report.ts';

const MIB = 1024 * 1024;
const outside = () => {
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
};

/** A primary that holds so many commits of a megabyte each. */
async function holding(commits: number) {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  for (let n = 0; n < commits; n += 1) await primary.commit([put(`k${n}`, 'x'.repeat(MIB))]);
  return { primary, url: primary.url as string };
}

const recordBound = (faultClass: string, injectedBy: string) =>
  recordFaults({ faultClass, injectedBy, cases: 1, outcomes: { bounded: 1 } });

describe('who is slow costs the other one no memory', () => {
  test('a replica that persists nothing takes two frames of the WAL and what sockets hold, of 48 MiB', async () => {
    const { primary, url } = await holding(48);
    const proxy = await FaultProxy.before(url);
    afterTest(() => proxy.close());
    const stuck = (name: string, effect: AnyActorLogic): AnyActorLogic =>
      name === 'persist' ? fromPromise(() => new Promise(() => undefined)) : effect;
    const replica = await replicaOver(proxy.url, new SimulatedDisk(), { wrapEffect: stuck });
    let before = -1;
    // It takes until it does not take any more; that it never takes on is what the bound says.
    while (proxy.taken !== before || proxy.taken < MIB) {
      before = proxy.taken;
      for (let turn = 0; turn < 300; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(replica.snapshot().context.receivedLsn).toBe(0);
    expect(proxy.taken).toBeLessThan(16 * MIB);
    expect(primary.position()?.lsn).toBeGreaterThan(48 * MIB);
    recordBound('a slow replica: bytes that it takes', 'persisting never ends');
  });

  test('eight followers that read nothing cost a primary with 48 MiB of WAL less than 2 MiB each', async () => {
    const { primary, url } = await holding(48);
    const { hostname, port } = new URL(url);
    const sockets: Socket[] = [];
    const before = outside();
    for (let n = 0; n < 8; n += 1) {
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      socket.write('GET /replication/v1/wal?from_lsn=0 HTTP/1.1\r\nhost: primary\r\n\r\n');
      await once(socket, 'readable');
    }
    await primary.commit([put('after', 'x'.repeat(MIB))]);
    const grown = outside() - before;
    for (const socket of sockets) socket.destroy();
    expect(grown).toBeLessThan(16 * MIB);
    recordBound('a slow replica: memory of the primary', 'eight followers that never read');
  });

  test('a frame of three megabytes that comes byte by byte costs a replica memory for its bytes, not for each of them', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
    await primary.commit([put('big', 'y'.repeat(3 * MIB))]);
    const wal = await walBytes(dataDir);
    let heldAtEnd = 0;
    const before = process.memoryUsage().heapUsed;
    async function* dripping(from: Position): AsyncGenerator<WalChunk> {
      for (let lsn = from.lsn; lsn < wal.length; lsn += 1) {
        if (lsn === wal.length - 1) heldAtEnd = process.memoryUsage().heapUsed - before;
        yield { kind: 'wal', lsn, bytes: wal.subarray(lsn, lsn + 1) };
      }
    }
    const replica = await replicaOver('http://127.0.0.1:1', new SimulatedDisk(), {
      walSource: scriptedSource(() => ({ chunks: dripping })),
    });
    await until(replica, ({ context }) => context.applied?.commitId === 1, 'the big commit');
    expect(heldAtEnd).toBeLessThan(100 * MIB);
    recordBound('a primary that drips', 'chunks of one byte');
  });
});
