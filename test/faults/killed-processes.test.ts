import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { configOf, portsOf } from '../../src/api/node-host.ts';
import { createPrimary, type Primary } from '../../src/index.ts';
import { openPrimary } from '../../src/primary/primary.ts';
import { openReplica } from '../../src/replica/replica.ts';
import { CLUSTER, NODE, temporaryDirectory } from '../support/nodes.ts';
import { inState, until } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';
import { digestAt } from '../support/state.ts';
import { depth } from './depth.ts';
import { killedEverywhere, type Died } from './killed.ts';
import { recordFaults } from './report.ts';
import { commitOf, expectHistory, operationsOf } from './simulated-nodes.ts';

const logger = pino({ level: 'silent' });
const COMMITS = 6;
const SNAPSHOT_AFTER = 4;

let primary: Primary;
let primaryDir: string;
let wal: Buffer;

beforeAll(async () => {
  primaryDir = await mkdtemp(join(tmpdir(), 'replichart-test-'));
  primary = await createPrimary(
    { dataDir: primaryDir, clusterId: CLUSTER, listen: '127.0.0.1:0', replication: 'enabled' },
    { logger },
  );
  for (let commitId = 1; commitId <= COMMITS; commitId += 1) {
    await primary.commit(operationsOf(commitId));
    if (commitId === SNAPSHOT_AFTER) await primary.createSnapshot();
  }
  wal = await walBytes(primaryDir);
});
afterAll(async () => {
  await primary.stop();
  await rm(primaryDir, { recursive: true, force: true });
});

const numbers = ({ said }: Died, field: 'acknowledged' | 'applied'): number =>
  Math.max(
    0,
    ...said.flatMap((line) => (field in line ? [(line as Record<string, number>)[field] as number] : [])),
  );

/** Every change, or every so many of them and the first ones. */
const taken = (step: number) => (k: number) => depth === 'all' || k % step === 1;

const primaryConfig = (dataDir: string) =>
  ({ role: 'primary', dataDir, clusterId: CLUSTER, nodeId: NODE }) as const;

describe('a process that is killed before a change of its disk, with the real index', () => {
  test('F-P1, F-P2, P5-I11: a primary that commits and makes a snapshot', async () => {
    let dataDir = '';
    const { changes, kills } = await killedEverywhere(
      async (killBefore) => {
        dataDir = await temporaryDirectory();
        return {
          config: primaryConfig(dataDir),
          killBefore,
          groups: [[1], [2], [3, 4], [5]].map((group) => group.map(operationsOf)),
          snapshotAfter: 3,
          until: 0,
        };
      },
      async (k, died) => {
        const { role: _, ...options } = primaryConfig(dataDir);
        const config = configOf('primary', options);
        const node = await openPrimary(config, portsOf(config, { logger }));
        const { commitId } = node.history().durable;
        expect(commitId, `killed before change ${k}`).toBeGreaterThanOrEqual(numbers(died, 'acknowledged'));
        await expectHistory(node, commitId);
        for (const said of died.said)
          if ('snapshot' in said) expect(await node.snapshots.list()).toContain(said.snapshot);
        for (const id of await node.snapshots.list()) await node.snapshots.manifest(id);
        expect((await node.commit(commitOf(commitId + 1))).commitId).toBe(commitId + 1);
        await expectHistory(node, commitId + 1);
        await node.stop();
      },
      taken(10),
    );
    expect(changes).toBeGreaterThan(40);
    expect(kills).toBeGreaterThan(changes / 11);
    record('a primary', changes, kills);
  }, 600_000);

  test.each(['wal', 'snapshot'] as const)(
    'F-R1, F-R2, F-A1, F-A2, F-S1, F-S2: a replica that begins from %s',
    async (bootstrap) => {
      let dataDir = '';
      const options = () => ({
        dataDir,
        clusterId: CLUSTER,
        nodeId: NODE,
        primaryUrl: primary.url as string,
        replication: 'enabled' as const,
        bootstrap,
      });
      const { changes, kills } = await killedEverywhere(
        async (killBefore) => {
          dataDir = await temporaryDirectory();
          return {
            config: { role: 'replica', ...options() },
            killBefore,
            groups: [],
            snapshotAfter: 0,
            until: COMMITS,
          };
        },
        async (k, died) => {
          const config = configOf('replica', options());
          const node = await openReplica(config, portsOf(config, { logger }));
          // Whatever is shown on the way there is history, and what was applied stays.
          const onTheWay: Promise<unknown>[] = [];
          const lies: unknown[] = [];
          const ignore = node.subscribe((snapshot) => {
            if (!inState('replicating.readGate.open')(snapshot)) return;
            const { commitId, snapshotCut } = snapshot.context.applied as {
              commitId: number;
              snapshotCut: number;
            };
            expect(commitId).toBeGreaterThanOrEqual(numbers(died, 'applied'));
            // A read may be refused on the way; it may not be wrong.
            onTheWay.push(
              expectHistory(node, commitId, snapshotCut).catch((error: unknown) => {
                if ((error as { code?: string }).code !== 'READS_BLOCKED') lies.push(error);
              }),
            );
          });
          await until(
            node,
            ({ context }) => context.applied?.commitId === COMMITS,
            `the end after kill ${k}`,
          );
          ignore();
          await Promise.all(onTheWay);
          expect(lies).toEqual([]);
          await expectHistory(node, COMMITS, node.snapshot().context.applied?.snapshotCut ?? 0);
          await node.stop();
          const own = await walBytes(dataDir);
          const from = Number(((await readdir(join(dataDir, 'wal'))).sort()[0] as string).replace(/\D/g, ''));
          expect(own.equals(wal.subarray(from)), `the primary’s bytes after kill ${k}`).toBe(true);
          const there = await primary.read((view) => view.stateDigest(), { at: COMMITS });
          expect(await digestAt(dataDir, COMMITS)).toEqual(there);
        },
        taken(8),
      );
      expect(changes).toBeGreaterThan(20);
      expect(kills).toBeGreaterThan(changes / 11);
      record(`a replica from ${bootstrap}`, changes, kills);
    },
    600_000,
  );
});

function record(what: string, changes: number, kills: number): void {
  recordFaults({
    faultClass: `process killed before a change: ${what} (${changes} changes)`,
    injectedBy: 'SIGKILL in a child process',
    cases: kills,
    outcomes: { recovered: kills },
  });
}
