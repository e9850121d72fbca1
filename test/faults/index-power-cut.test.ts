import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pino, type Logger } from 'pino';
import { describe, expect, test } from 'vitest';
import { configOf, portsOf } from '../../src/api/node-host.ts';
import { openPrimary, type PrimaryNode } from '../../src/primary/primary.ts';
import { openReplica, type ReplicaNode } from '../../src/replica/replica.ts';
import { CLUSTER, NODE, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { inState, until } from '../support/replicas.ts';
import { depth } from './depth.ts';
import { recordFaults, Tally } from './report.ts';
import { expectHistory, expectReadsBlocked, operationsOf } from './simulated-nodes.ts';

const logger = pino({ level: 'silent' });
const COMMITS = 8;
const REFUSALS = ['INDEX_DAMAGED', 'CHECKPOINT_DAMAGED', 'CHECKPOINT_MISSING'];

/** The directories of a primary and of a replica that has all of it; both have stopped. */
async function grown(): Promise<Readonly<Record<'primary' | 'replica', string>>> {
  const primaryDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir: primaryDir,
    clusterId: CLUSTER,
    nodeId: NODE,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  const replicaDir = await temporaryDirectory();
  const replica = await replicaAt(replicaDir, primary.url as string);
  for (let commitId = 1; commitId <= COMMITS; commitId += 1) {
    await primary.commit(operationsOf(commitId));
    // One batch of the index for each commit, so that there are as many places between them.
    await until(replica, ({ context }) => context.applied?.commitId === commitId, `commit ${commitId}`);
  }
  await replica.stop();
  await primary.stop();
  return { primary: primaryDir, replica: replicaDir };
}

function replicaAt(dataDir: string, primaryUrl: string): Promise<ReplicaNode> {
  const config = configOf('replica', { dataDir, clusterId: CLUSTER, primaryUrl, replication: 'enabled' });
  return openReplica(config, portsOf(config, { logger }));
}

function primaryAt(dataDir: string, log: Logger = logger): Promise<PrimaryNode> {
  const config = configOf('primary', { dataDir, clusterId: CLUSTER, nodeId: NODE });
  return openPrimary(config, portsOf(config, { logger: log }));
}

/** A node on what a power cut left: all of history, or a refusal with the reason. */
async function comesBack(role: 'primary' | 'replica', dataDir: string): Promise<string> {
  try {
    if (role === 'primary') {
      const node = await primaryAt(dataDir);
      expect(node.applied()?.commitId).toBe(COMMITS);
      await expectHistory(node, COMMITS);
      await node.stop();
      return 'replayed';
    }
    // Nobody answers there: what it shows it has of its own WAL.
    const node = await replicaAt(dataDir, 'http://127.0.0.1:9');
    const { context } = await until(
      node,
      (snapshot) =>
        inState('halted.resting')(snapshot) ||
        (inState('replicating.ingesting.detached')(snapshot) &&
          snapshot.context.applied?.commitId === COMMITS),
      'all of history, or a halt',
    );
    if (context.halt === null) await expectHistory(node, COMMITS);
    else await expectReadsBlocked(node);
    await node.stop();
    if (context.halt === null) return 'replayed';
    expect(REFUSALS).toContain(context.halt.code);
    return `halted ${context.halt.code}`;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !REFUSALS.includes(code)) throw error;
    return `refused ${code}`;
  }
}

const newestLog = async (dataDir: string) => {
  const logs = (await readdir(join(dataDir, 'index'))).filter((name) => name.endsWith('.log')).sort();
  return join(dataDir, 'index', logs.at(-1) as string);
};

/** The whole log with its end as the disk may have left it: not there, or there with zeros or with noise in it. */
const TAILS: Readonly<Record<string, (log: Buffer, from: number) => Buffer>> = {
  'is missing': (log, from) => log.subarray(0, from),
  'is zeros': (log, from) => Buffer.concat([log.subarray(0, from), Buffer.alloc(log.length - from)]),
  'is noise': (log, from) =>
    Buffer.concat([
      log.subarray(0, from),
      Buffer.from(log.subarray(from).map((byte, at) => byte ^ (at * 31 + 1))),
    ]),
};

describe('a power cut that takes the end of the newest log of the index', () => {
  test.each(['primary', 'replica'] as const)(
    'P5-I11, F-A1, F-A2, F-RC2: a %s replays its WAL, or refuses',
    async (role) => {
      const directory = (await grown())[role];
      const { length } = await readFile(await newestLog(directory));
      const places = depth === 'all' ? 200 : 12;
      for (const [what, tail] of Object.entries(TAILS)) {
        const tally = new Tally();
        for (let place = 0; place < places; place += 1) {
          const copy = join(await temporaryDirectory(), 'copy');
          await cp(directory, copy, { recursive: true });
          const file = await newestLog(copy);
          const log = await readFile(file);
          await writeFile(file, tail(log, Math.floor((place * length) / places)));
          tally.add(await comesBack(role, copy));
        }
        expect(tally.outcomes['replayed'] ?? 0, what).toBeGreaterThan(places / 2);
        recordFaults({
          faultClass: `power cut of the index of a ${role}: the end of its log ${what}`,
          injectedBy: 'altered copy of the directory',
          cases: tally.cases,
          outcomes: tally.outcomes,
        });
      }
    },
    600_000,
  );
});

describe('rot in a log of the index', () => {
  /** A primary whose index log has several blocks; and each of them rotten in turn. */
  const long = async (commits: number) => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE });
    for (let commitId = 1; commitId <= commits; commitId += 1) await primary.commit(operationsOf(commitId));
    await primary.stop();
    return dataDir;
  };
  const BLOCK = 32 * 1024;
  const FIRST_BATCH_BYTES = 100;

  test('P5-I10, P5-I11, P5-I12: a batch that LevelDB would pass over is applied again from the WAL', async () => {
    const directory = await long(500);
    const { length } = await readFile(await newestLog(directory));
    expect(length).toBeGreaterThan(2 * BLOCK);
    const tally = new Tally();
    for (let at = 50; at < length; at += depth === 'all' ? 997 : 9_973) {
      const copy = join(await temporaryDirectory(), 'copy');
      await cp(directory, copy, { recursive: true });
      const file = await newestLog(copy);
      const log = await readFile(file);
      await writeFile(file, log.fill(0x5a, at, at + 8));
      const refused = await primaryAt(copy).then(
        async (node) => {
          expect(node.applied()?.commitId).toBe(500);
          await expectHistory(node, 500, 480);
          await node.stop();
          return null;
        },
        (error: unknown) => (error as { code: string }).code,
      );
      // With the very first batch the checkpoint is gone that everything is applied from.
      expect(refused, `byte ${at} of ${length}`).toBe(at < FIRST_BATCH_BYTES ? 'CHECKPOINT_DAMAGED' : null);
      tally.add(refused === null ? 'replayed' : `refused ${refused}`);
    }
    recordFaults({
      faultClass: 'rot in the log of the index',
      injectedBy: 'altered copy of the directory',
      cases: tally.cases,
      outcomes: tally.outcomes,
    });
  });

  test('P5-I11: an empty newer log beside a torn one is an interrupted recovery, and is recovered', async () => {
    const directory = await long(20);
    const file = await newestLog(directory);
    const log = await readFile(file);
    await writeFile(file, log.subarray(0, log.length - 30));
    await writeFile(join(directory, 'index', '000099.log'), '');
    const warned: object[] = [];
    const heard = pino({ level: 'warn' }, { write: (line) => warned.push(JSON.parse(line) as object) });
    expect(await comesBackWith(directory, 20, heard)).toBe('replayed');
    expect(warned).toMatchObject([
      { index: { file: basename(file) }, msg: expect.stringContaining('not whole') as unknown },
    ]);
    warned.splice(0);
    expect(await comesBackWith(directory, 20, heard)).toBe('replayed');
    expect(warned).toEqual([]);
  });
});

async function comesBackWith(dataDir: string, commits: number, log: Logger): Promise<string> {
  const node = await primaryAt(dataDir, log);
  expect(node.applied()?.commitId).toBe(commits);
  await expectHistory(node, commits);
  await node.stop();
  return 'replayed';
}
