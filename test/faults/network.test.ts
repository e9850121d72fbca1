import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import { REPLICATION_HEADERS } from '../../src/core/replication-protocol.ts';
import { Relay, type Rule } from '../generated/relay.ts';
import {
  afterTest,
  CLUSTER,
  OTHER_CLUSTER,
  put,
  startPrimary,
  temporaryDirectory,
} from '../support/nodes.ts';
import { halted, inState, until } from '../support/replicas.ts';
import { walBytes } from '../support/sources.ts';
import { depth } from './depth.ts';
import { FaultProxy, type AnswerFault } from './fault-proxy.ts';
import {
  expectNoLie,
  healed,
  impatient,
  isCaughtUp,
  outcomeOf,
  replicaOver,
  settled,
  sourceOf,
  type Source,
} from './networked.ts';
import { recordFaults, Tally } from './report.ts';
import { HOME, walOn } from './simulated-nodes.ts';

const WAL = /\/wal\?/;
const EVERY = /./;

async function proxied(commits: number) {
  const source = await sourceOf(commits, CLUSTER);
  const proxy = await FaultProxy.before(source.url);
  afterTest(() => proxy.close());
  return { source, proxy };
}
async function relayed(commits: number) {
  const source = await sourceOf(commits, CLUSTER);
  const relay = await Relay.before(source.url);
  afterTest(() => relay.close());
  return { source, relay };
}
const record = (faultClass: string, injectedBy: string, { cases, outcomes }: Tally) =>
  recordFaults({ faultClass, injectedBy, cases, outcomes });

/** How many bytes the answer to the request for WAL takes, its head and framing included. */
async function answerBytes(source: Source, proxy: FaultProxy): Promise<number> {
  const replica = await replicaOver(proxy.url, new SimulatedDisk());
  await until(replica, isCaughtUp(source), 'caught up');
  const { answered } = proxy;
  await replica.stop();
  return answered;
}

describe('a connection that fails', () => {
  test.each(['end', 'reset'] as const)(
    'F-N1: %s, anywhere in the answer: detached, and goes on',
    async (how) => {
      const { source, proxy } = await proxied(4);
      const bytes = await answerBytes(source, proxy);
      const tally = new Tally();
      for (let at = 0; at <= bytes; at += depth === 'all' ? 1 : 23) {
        const disk = new SimulatedDisk();
        proxy.fault = { of: WAL, after: at, then: how };
        const replica = await replicaOver(proxy.url, disk);
        const snapshot = await settled(replica);
        expect(snapshot.context.detachment, `after ${at} bytes`).toMatch(/\S/);
        expect(source.wal.subarray(0, walOn(disk).length).equals(walOn(disk))).toBe(true);
        await expectNoLie(replica, source);
        proxy.fault = null;
        await healed(replica, disk, source);
        tally.add(outcomeOf(snapshot));
      }
      expect(Object.keys(tally.outcomes)).toEqual(['detached']);
      record(`connection lost at a byte of the answer (${how})`, 'TCP proxy', tally);
    },
    600_000,
  );

  test('F-N1: silent anywhere in the answer, the connection open: detached, and goes on', async () => {
    const { source, proxy: measured } = await proxied(4);
    const bytes = await answerBytes(source, measured);
    const tally = new Tally();
    const places = depth === 'all' ? 40 : 6;
    const stall = async (at: number) => {
      const proxy = await FaultProxy.before(source.url);
      afterTest(() => proxy.close());
      const disk = new SimulatedDisk();
      proxy.fault = { of: WAL, after: at, then: 'stall' };
      const replica = await replicaOver(proxy.url, disk, impatient(proxy.url, 1_200));
      const snapshot = await settled(replica);
      expect(snapshot.context.detachment).toMatch(/timeout/i);
      await expectNoLie(replica, source);
      proxy.fault = null;
      await healed(replica, disk, source);
      tally.add(outcomeOf(snapshot));
    };
    await Promise.all(
      Array.from({ length: places }, (_, place) => stall(Math.floor((place * bytes) / (places - 1)))),
    );
    expect(tally.outcomes).toEqual({ detached: places });
    record('half-open stall', 'TCP proxy', tally);
  }, 120_000);

  test('one byte at a time, heads and all: the same bytes arrive', async () => {
    const { source, proxy } = await proxied(12);
    proxy.fault = { of: EVERY, piecesOf: 1 };
    const disk = new SimulatedDisk();
    const replica = await replicaOver(proxy.url, disk);
    await until(replica, isCaughtUp(source), 'caught up');
    await expectNoLie(replica, source);
    await replica.stop();
    expect(walOn(disk).equals(source.wal)).toBe(true);
    recordFaults({
      faultClass: 'one-byte pieces',
      injectedBy: 'TCP proxy',
      cases: 1,
      outcomes: { 'caught up': 1 },
    });
  });

  test('F-N1, F-V1: a byte altered anywhere in head, chunks or WAL: detached, halted, or without meaning', async () => {
    const { source, proxy } = await proxied(2);
    const bytes = await answerBytes(source, proxy);
    const tally = new Tally();
    for (let at = 0; at < bytes; at += depth === 'all' ? 1 : 9) {
      const disk = new SimulatedDisk();
      proxy.fault = garbled(at, bytes);
      const replica = await replicaOver(proxy.url, disk);
      const snapshot = await settled(replica);
      await expectNoLie(replica, source);
      proxy.fault = null;
      await healed(replica, disk, source);
      const reached = snapshot.context.applied?.lsn === source.wal.length ? ', all of it' : '';
      tally.add(`${outcomeOf(snapshot)}${reached}`);
    }
    record('a byte of the raw answer altered', 'TCP proxy', tally);
    expect(tally.outcomes['detached'] ?? 0).toBeGreaterThan(0);
    expect(tally.outcomes['halted WAL_CORRUPT P5-I5 checksumMatches'] ?? 0).toBeGreaterThan(0);
  }, 600_000);
});

const garbled = (at: number, bytes: number): AnswerFault => ({
  of: WAL,
  after: bytes,
  then: 'end',
  alter: (piece, offset) => {
    const copy = Buffer.from(piece);
    if (at >= offset && at - offset < copy.length) copy[at - offset] = (copy[at - offset] as number) ^ 0x04;
    return copy;
  },
});

describe('a primary that lies', () => {
  const header = (name: keyof typeof REPLICATION_HEADERS, value: string): Rule => ({
    of: WAL,
    headers: { [REPLICATION_HEADERS[name]]: value },
  });
  const LIES: readonly (readonly [string, Rule, string])[] = [
    ['another cluster', header('clusterId', OTHER_CLUSTER), 'halted CLUSTER_FOREIGN P5-I4 streamIsOurs'],
    ['no cluster', header('clusterId', ''), 'halted CLUSTER_FOREIGN P5-I4 streamIsOurs'],
    ['a later start', header('startLsn', '96'), 'halted WAL_DISORDERED P5-I4 streamIsOurs'],
    ['a start that is no number', header('startLsn', '0x0'), 'halted WAL_DISORDERED P5-I4 streamIsOurs'],
    [
      'that the position is another history’s',
      { of: WAL, refuse: 'HISTORY_DIVERGED' },
      'halted HISTORY_DIVERGED P5-I4 historyIsThePrimarys',
    ],
    ['that the token is wrong', { of: WAL, refuse: 'UNAUTHORIZED' }, 'detached'],
    ['nothing at all', { of: WAL, drop: true }, 'detached'],
  ];

  test.each(LIES)('F-N1, F-V2, F-V3: %s', async (_lie, rule, expected) => {
    const { source, relay } = await relayed(3);
    const disk = new SimulatedDisk();
    relay.rule(rule);
    const replica = await replicaOver(relay.url, disk);
    const outcome = outcomeOf(await settled(replica));
    expect(outcome).toBe(expected);
    await expectNoLie(replica, source);
    relay.rule(null);
    await healed(replica, disk, source);
    recordFaults({
      faultClass: 'a primary that lies',
      injectedBy: 'HTTP relay',
      cases: 1,
      outcomes: { [outcome]: 1 },
    });
  });

  test.each([
    ['a durable position far beyond', header('durableLsn', '9000000')],
    ['a durable commit of the future', header('durableCommitId', '9000000')],
    ['another hash of durable history', header('durableHash', 'ab'.repeat(32))],
    ['a durable position that is none', header('durableLsn', '-1')],
  ])('P5-I6: %s is a claim about lag; nothing is applied or shown by it', async (_lie, rule) => {
    const { source, relay } = await relayed(3);
    relay.rule(rule);
    const disk = new SimulatedDisk();
    const replica = await replicaOver(relay.url, disk);
    await until(replica, isCaughtUp(source), 'caught up');
    await expectNoLie(replica, source);
    await expect(replica.read((view) => view.get('c', 'b'), { at: 4 })).rejects.toMatchObject({
      code: 'VIEW_ABOVE_APPLIED',
    });
    await replica.stop();
    expect(walOn(disk).equals(source.wal)).toBe(true);
    recordFaults({
      faultClass: 'a primary that lies about durability',
      injectedBy: 'HTTP relay',
      cases: 1,
      outcomes: { 'caught up': 1 },
    });
  });

  test('P5-I1, P5-I10: a byte of the identity altered: refused at the start, halted for good, or without meaning', async () => {
    const { source, relay } = await relayed(1);
    const text = await (await fetch(`${source.url}/replication/v1/identity`)).text();
    const tally = new Tally();
    for (let at = 0; at < text.length; at += depth === 'all' ? 1 : 4) {
      const disk = new SimulatedDisk();
      relay.rule({
        of: /identity$/,
        body: (piece, offset) => {
          const copy = Buffer.from(piece);
          if (at >= offset && at - offset < copy.length)
            copy[at - offset] = (copy[at - offset] as number) ^ 1;
          return copy;
        },
      });
      const started = await replicaOver(relay.url, disk).catch((error: unknown) => error as { code: string });
      if (!('attach' in started)) {
        expect(disk.contents().size, 'nothing is written before the primary is met').toBe(0);
        tally.add(`refused ${started.code}`);
        continue;
      }
      const snapshot = await until(
        started,
        (one) => inState('halted.resting')(one) || isCaughtUp(source)(one),
        'an end',
      );
      await expectNoLie(started, source);
      tally.add(snapshot.context.halt === null ? 'caught up' : outcomeOf(snapshot));
      await started.stop();
    }
    record('a byte of the identity altered', 'HTTP relay', tally);
    expect(Object.keys(tally.outcomes).sort()).toEqual(
      expect.arrayContaining([
        'caught up',
        'halted CLUSTER_FOREIGN P5-I4 streamIsOurs',
        'refused PRIMARY_UNREACHABLE',
      ]),
    );
  }, 300_000);
});

describe('a primary that was restored from an old backup', () => {
  test.each([
    ['and made nothing', 0],
    ['and made less', 1],
    ['and made as much', 3],
    ['and made more', 6],
  ])('F-V3: %s: the replica that was ahead halts, and stays so', async (_what, others) => {
    const dataDir = await temporaryDirectory();
    const options = { clusterId: CLUSTER, listen: '127.0.0.1:0', replication: 'enabled' } as const;
    const first = await startPrimary({ ...options, dataDir });
    for (let n = 1; n <= 3; n += 1) await first.commit([put('k', `v${n}`)]);
    await first.stop();
    const backup = join(await temporaryDirectory(), 'backup');
    await cp(dataDir, backup, { recursive: true });
    const grown = await startPrimary({ ...options, dataDir });
    for (let n = 4; n <= 6; n += 1) await grown.commit([put('k', `v${n}`)]);
    const relay = await Relay.before(grown.url as string);
    afterTest(() => relay.close());
    const disk = new SimulatedDisk();
    const replica = await replicaOver(relay.url, disk);
    const source: Source = {
      primary: grown,
      url: grown.url as string,
      dataDir,
      wal: await walBytes(dataDir),
    };
    await until(replica, isCaughtUp(source), 'caught up');

    const restored = await startPrimary({ ...options, dataDir: backup });
    for (let n = 1; n <= others; n += 1) await restored.commit([put('k', `w${n}`)]);
    relay.leadTo(restored.url as string);
    relay.cut();
    await settled(replica);
    // What it had was the truth when it was given, and is still what it can prove.
    await expectNoLie(replica, source);
    replica.attach();
    const halt = await halted(replica);
    expect(outcomeOf(halt)).toBe('halted HISTORY_DIVERGED P5-I4 historyIsThePrimarys');
    await expectNoLie(replica, source);
    await replica.stop();
    const before = walOn(disk);

    let now = disk.after(EVERYTHING);
    for (const isCleared of [false, true]) {
      if (isCleared) await clearHalt(new DataDirectory(now.files, HOME));
      const again = await replicaOver(relay.url, now);
      expect(outcomeOf(await halted(again))).toBe('halted HISTORY_DIVERGED P5-I4 historyIsThePrimarys');
      await again.stop();
      expect(walOn(now).equals(before), 'nothing of it is changed').toBe(true);
      now = now.after(EVERYTHING);
    }
    recordFaults({
      faultClass: 'a primary restored from an old backup',
      injectedBy: 'copied data directory',
      cases: 1,
      outcomes: { [outcomeOf(halt)]: 1 },
    });
  });
});
