import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { Primary, Replica } from '../../src/index.ts';
import { put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';

const CLUSTERS = 10;
const REPLICAS_EACH = 10;

/** Handles of this process that keep it alive: sockets, servers, timers. */
const openNow = () =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|Timeout|Immediate|Pipe|FSReq/.test(name))
    .sort();

async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

describe('P5-I13: a hundred replicas of ten clusters in one process', () => {
  test(
    'do not disturb each other, and leave nothing behind in whatever order they are stopped',
    { timeout: 120_000 },
    async () => {
      const [before, filesBefore] = [openNow(), await openFiles()];
      const primaries: Primary[] = [];
      for (let cluster = 0; cluster < CLUSTERS; cluster += 1)
        primaries.push(
          await startPrimary({
            dataDir: await temporaryDirectory(),
            listen: '127.0.0.1:0',
            replication: 'enabled',
          }),
        );
      const replicas: (readonly [number, Replica])[] = [];
      for (const [cluster, primary] of primaries.entries())
        for (let n = 0; n < REPLICAS_EACH; n += 1)
          replicas.push([
            cluster,
            await startReplica({
              dataDir: await temporaryDirectory(),
              primaryUrl: primary.url as string,
              replication: 'enabled',
            }),
          ]);
      await Promise.all(
        primaries.map(async (primary, cluster) => {
          for (let n = 0; n < 3 + cluster; n += 1) await primary.commit([put('own', `"${cluster}/${n}"`)]);
        }),
      );
      await Promise.all(replicas.map(([cluster, replica]) => appliedCommit(replica, 3 + cluster)));
      const read = await Promise.all(
        replicas.map(([, replica]) =>
          replica.read(async (view) => (await view.get('c', 'own'))?.document.toString()),
        ),
      );
      expect(read).toEqual(replicas.map(([cluster]) => `"${cluster}/${2 + cluster}"`));
      const clusters = replicas.map(([, replica]) => replica.snapshot().context.identity?.clusterId);
      expect(new Set(clusters)).toEqual(new Set(primaries.map(({ identity }) => identity.clusterId)));
      // Some primaries before their replicas, some after them, and all that is left at once.
      await Promise.all(primaries.slice(0, 3).map((primary) => primary.stop()));
      await Promise.all(replicas.filter((_, index) => index % 2 === 0).map(([, replica]) => replica.stop()));
      await Promise.all([...primaries.map((one) => one.stop()), ...replicas.map(([, one]) => one.stop())]);
      await expect.poll(openNow, { timeout: 10_000 }).toEqual(before);
      expect(await openFiles()).toBeLessThanOrEqual(filesBefore + 2);
    },
  );
});
