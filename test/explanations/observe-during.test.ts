/**
 * F-O1: a node is asked everything while it is in trouble of every kind. It answers at once, in the same words twice; it
 * says what it does not know, and is not moved by being asked.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeMachine } from '../../machines/node.ts';
import type { HostPorts } from '../../src/index.ts';
import { ENDPOINTS } from '../../src/http/contract/endpoints.ts';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { afterTest, rejection, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { placesIn } from '../support/expected-explanations.ts';
import { ask, dataOf, served } from '../support/observed.ts';
import { freePort } from '../support/ports.ts';
import { alteredSource } from '../support/relayed-source.ts';
import { halted, inState, until } from '../support/replicas.ts';
import { servedPrimary, servedReplica } from '../support/served-nodes.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { interceptedIndex, recordingIndex } from '../support/state.ts';
import { flipped } from '../support/wal-forge.ts';
import { fedReplica, following } from './proof.ts';
import { commit } from './rows/primary.ts';
import { slowHaltRecord } from './rows/reads.ts';

const wal = await recordedWal(4);
const at = placesIn(wal);
const POSITION = `position=2:${at(2).lsn}:${at(2).historyHash}`;

/** Everything that can be asked of a replica at once; what is a read waits for an application in flight as reads do. */
const READS = [
  '/v1/mvcc?digest_at=1',
  '/v1/mvcc/versions',
  '/v1/explain/read?collection=c&id=k1',
  `/v1/explain/read?collection=c&id=k1&${POSITION}`,
];
const QUESTIONS = [
  '/livez',
  '/readyz',
  '/openapi.json',
  '/v1/status',
  '/v1/replication',
  '/v1/wal',
  '/v1/mvcc',
  '/v1/snapshots',
  '/v1/checkpoints',
  '/v1/machine',
  '/v1/explain/replication',
  '/v1/explain/replication?at=99',
  `/v1/explain/replication?${POSITION}`,
  '/v1/explain/recovery',
];
/** No JSON: asked as well, and not compared. */
const TEXTS = ['/readyz?verbose=1', '/metrics', '/'];

/** Asks everything, twice. What is answered with 503 names its reason; nothing else goes wrong. */
async function askAll(url: string, questions: readonly string[]): Promise<void> {
  for (const path of questions) {
    const first = await ask(url, path);
    expect([path, [200, 503]]).toEqual([path, expect.arrayContaining([first.status])]);
    expect([path, await ask(url, path)]).toEqual([path, first]);
    if (first.status === 503 && !path.startsWith('/readyz'))
      expect([path, (first.body['error'] as { code: string }).code]).toEqual([
        path,
        expect.stringMatching(/^(READS_BLOCKED|NODE_STARTING)$/),
      ]);
  }
  for (const path of TEXTS) {
    const response = await fetch(`${url}${path}`);
    expect([path, [200, 503]]).toEqual([path, expect.arrayContaining([response.status])]);
    expect((await response.text()).length).toBeGreaterThan(0);
  }
}

interface Trouble {
  readonly node: ReplicaNode;
  /** The state of the chart, or the beginning of it. */
  readonly state: string;
  readonly replicaState: string;
  readonly status: 'active' | 'error';
  /** One mark a rule of the gate: `+` holds, `-` violated, `?` undetermined. */
  readonly rules: string;
  /** The same of a view that is asked for by its position. */
  readonly rulesOfPosition: string;
  /** What of `/v1/wal` is known. */
  readonly known: Readonly<Record<string, number | null>>;
  /** Whether reads wait for an application that is in flight. */
  readonly waits?: boolean;
  readonly end: () => void;
}

const MARKS = { holds: '+', violated: '-', undetermined: '?' } as const;
const marksOf = ({ rules_applied: rules }: Explanation) =>
  rules.map(({ evaluation }) => MARKS[evaluation]).join('');

async function expectTold(trouble: Trouble): Promise<void> {
  const { node, state, replicaState, status, rules, rulesOfPosition, known, waits = false, end } = trouble;
  // A node whose write is held cannot be stopped.
  afterTest(async () => end());
  const { url } = await served(node);
  const sequence = node.transitions.newest();
  await askAll(url, waits ? QUESTIONS : [...QUESTIONS, ...READS]);
  const machine = await dataOf(url, '/v1/machine?chart=0');
  expect([machine['replica_state'], machine['status']]).toEqual([replicaState, status]);
  expect(machine['machine_state']).toMatch(state);
  expect((await dataOf(url, '/v1/replication'))['replica_state']).toBe(replicaState);
  const gate = await dataOf<Explanation>(url, '/v1/explain/replication');
  expect([marksOf(gate), gate.conclusion.result]).toEqual([
    rules,
    rules.includes('-') ? 'unsafe' : rules.includes('?') ? 'undetermined' : 'safe',
  ]);
  expect(marksOf(await dataOf<Explanation>(url, `/v1/explain/replication?${POSITION}`))).toBe(
    rulesOfPosition,
  );
  expect(await dataOf(url, '/v1/wal')).toMatchObject(known);
  expect(node.transitions.newest()).toBe(sequence);
  const waiting = waits ? READS.map((path) => ask(url, path)) : [];
  end();
  for (const answered of await Promise.all(waiting)) expect(answered.status).toBe(200);
}

const known = (received: number | null, validated: number | null, applied: number | null) => ({
  wal_received_lsn: received,
  wal_validated_lsn: validated,
  wal_applied_lsn: applied,
});

/** An index whose writes a test holds from a moment on. */
function heldIndex(inner?: Parameters<typeof interceptedIndex>[1]) {
  let hold = false;
  const waiting: (() => void)[] = [];
  const store = interceptedIndex(async (through) => {
    if (hold) await new Promise<void>((resolve) => waiting.push(resolve));
    await through();
  }, inner);
  return {
    ports: { indexStore: () => store } satisfies HostPorts,
    hold: () => void (hold = true),
    release: () => {
      hold = false;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

describe('F-O1: every question is answered while a replica', () => {
  test('F-O1: is bootstrapping: no position is known, and none is said', async () => {
    const primary = await servedPrimary({ replication: 'enabled' });
    await commit(primary, 1);
    await primary.createSnapshot();
    const { url } = await served(primary, 'primary');
    let end: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (end = resolve));
    const walSource = alteredSource(url, (source) => ({
      snapshotBlock: async (id, index) => held.then(() => source.snapshotBlock(id, index)),
    }));
    const node = await servedReplica(() => ({}), { bootstrap: 'snapshot' }, { walSource });
    await until(node, inState('bootstrapping.fetching'));
    await expectTold({
      node,
      state: 'bootstrapping.fetching',
      replicaState: 'Bootstrapping',
      status: 'active',
      rules: '-+??++',
      rulesOfPosition: '-+???+',
      known: known(null, null, null),
      end,
    });
  });

  test('F-O1: is recovering on a slow disk: what is applied is known, what is in flight is shown', async () => {
    const dataDir = await temporaryDirectory();
    const recorded = recordingIndex();
    const first = await servedReplica(following(wal), { dataDir }, { indexStore: () => recorded.store });
    await until(first, ({ context }) => context.applied?.lsn === wal.length);
    await first.stop();
    const held = heldIndex(await recorded.upTo(wal.length - 1));
    held.hold();
    const node = await servedReplica(following(wal), { dataDir }, held.ports);
    const { context } = await until(node, inState('recovering.replaying.replaying'));
    const applied = context.applied?.lsn ?? null;
    const view = (applied ?? 0) < at(2).lsn ? '-' : '+';
    await expectTold({
      node,
      state: 'recovering.replaying.replaying',
      replicaState: 'Recovering',
      status: 'active',
      rules: '-++++-',
      rulesOfPosition: `-++${view}${view === '-' ? '?' : '+'}-`,
      known: known(wal.length, wal.length, applied),
      end: held.release,
    });
  });

  test('F-O1, F-RS2: is applying: only reads wait, and are answered at the boundary', async () => {
    const { node, held } = await applying();
    await expectTold({
      node,
      state: 'replicating.applying.replaying',
      replicaState: 'ApplyingWAL',
      status: 'active',
      rules: '+++++-',
      rulesOfPosition: '+++++-',
      known: known(wal.length, wal.length, at(2).lsn),
      waits: true,
      end: held.release,
    });
  });

  test('F-O1, P5-I13: is halting, and a write is still under way', async () => {
    const bad = flipped(wal, (wal.length - 1) * 8);
    const held = heldIndex();
    let next: () => void = () => undefined;
    const more = new Promise<void>((resolve) => (next = resolve));
    const chunks = async function* () {
      yield* chunked(wal.subarray(0, at(3).lsn), wal.length);
      await more;
      yield* chunked(bad, wal.length, at(3).lsn);
    };
    held.hold();
    const starting = servedReplica(() => ({ chunks }), {}, held.ports);
    // The first write is the checkpoint before everything; the next one is the batch.
    held.release();
    const node = await starting;
    held.hold();
    await until(node, inState('replicating.applying.replaying'));
    next();
    await until(node, inState('halted.draining'));
    await expectTold({
      node,
      state: 'halted.draining',
      replicaState: 'ReplicationHalted',
      status: 'active',
      rules: '--+++-',
      rulesOfPosition: '--+-?-',
      known: known(wal.length, at(3).lsn, 0),
      end: held.release,
    });
    await halted(node);
  });

  test('F-O1: writes its halt record', async () => {
    const bad = flipped(wal, (wal.length - 1) * 8);
    const { ports, release } = slowHaltRecord();
    const fed = await fedReplica(wal.subarray(0, at(3).lsn), 3, chunked(bad, wal.length, at(3).lsn), ports);
    fed.feed();
    await until(fed.node, inState('halted.recording'));
    await expectTold({
      node: fed.node,
      state: 'halted.recording',
      replicaState: 'ReplicationHalted',
      status: 'active',
      rules: '--++++',
      rulesOfPosition: '--++++',
      known: known(wal.length, at(3).lsn, at(3).lsn),
      end: release,
    });
    await halted(fed.node);
  });

  test('F-O1: stops, and a write is still under way; then it has stopped, and its files are closed', async () => {
    const { node, held } = await applying();
    const stopping = node.stop();
    await until(node, inState('stopped.draining'));
    const stopped = {
      node,
      replicaState: 'Stopped',
      known: known(wal.length, wal.length, at(2).lsn),
    } as const;
    await expectTold({
      ...stopped,
      state: 'stopped.draining',
      status: 'active',
      rules: '-++++-',
      rulesOfPosition: '-++++-',
      end: held.release,
    });
    await stopping;
    await expectTold({
      ...stopped,
      state: 'stopped.closed',
      status: 'active',
      rules: '-++++-',
      // The files that would say whose position it is are closed: it is not known, and not guessed.
      rulesOfPosition: '-+++?-',
      end: () => undefined,
    });
  });

  test('F-O1, P5-I10: has a chart that failed', async () => {
    const guards = nodeMachine.implementations.guards as Record<string, (...args: unknown[]) => boolean>;
    const original = guards['route unitsWereReceived'] as (...args: unknown[]) => boolean;
    onTestFinished(() => void (guards['route unitsWereReceived'] = original));
    let broken = false;
    guards['route unitsWereReceived'] = (...args) => {
      if (broken) throw new Error('a bug');
      return original(...args);
    };
    const fed = await fedReplica(wal.subarray(0, at(2).lsn), 2, chunked(wal, wal.length, at(2).lsn));
    broken = true;
    fed.feed();
    await until(fed.node, ({ status }) => status === 'error');
    const { url } = await served(fed.node);
    expect((await dataOf(url, '/v1/status'))['machine_state']).toMatch(/^failed in replicating/);
    await expectTold({
      node: fed.node,
      state: 'replicating',
      replicaState: 'Ready',
      status: 'error',
      rules: '-+++++',
      rulesOfPosition: '-+++++',
      known: known(at(2).lsn, at(2).lsn, at(2).lsn),
      end: () => undefined,
    });
  });
});

/** A replica at the second of four commits, with the rest on its way into the index. */
async function applying() {
  const held = heldIndex();
  const lsn = at(2).lsn;
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(wal, wal.length, lsn), held.ports);
  held.hold();
  fed.feed();
  await until(fed.node, inState('replicating.applying.replaying'));
  return { ...fed, held };
}

describe('F-O1: a node that is not there yet', () => {
  const STARTING = { code: 'NODE_STARTING', invariant: null, message: 'the node is starting', evidence: {} };

  async function expectStarting(url: string): Promise<void> {
    await askAll(url, [...QUESTIONS, ...READS]);
    for (const path of [...QUESTIONS.filter((one) => one.startsWith('/v1/')), ...READS])
      expect([path, (await ask(url, path)).body['error']]).toEqual([path, STARTING]);
    expect(await ask(url, '/readyz')).toEqual({
      status: 503,
      body: { ready: false, reasons: ['NODE_STARTING'] },
    });
    expect((await ask(url, '/livez')).status).toBe(200);
  }

  test('F-O1: is starting, and says only that', async () => {
    await expectStarting((await served(null)).url);
  });

  test('F-O1, F-N1: waits for a primary that does not answer, says only that; and then why it did not start', async () => {
    const port = await freePort();
    const source = scriptedSource(() => ({}))();
    let fail: () => void = () => undefined;
    const silence = new Promise<void>((resolve) => (fail = resolve));
    let asked: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => (asked = resolve));
    const identify = async () => {
      asked();
      await silence;
      return { kind: 'unreachable', message: 'nobody answers' } as const;
    };
    const start = rejection(
      startReplica(
        {
          dataDir: await temporaryDirectory(),
          primaryUrl: 'http://127.0.0.1:1',
          replication: 'enabled',
          listen: `127.0.0.1:${port}`,
        },
        { walSource: () => ({ ...source, identify }) },
      ),
    );
    await meeting;
    await expectStarting(`http://127.0.0.1:${port}`);
    fail();
    expect(await start).toMatchObject({
      code: 'PRIMARY_UNREACHABLE',
      invariant: 'P5-I10',
      evidence: { answer: 'unreachable', message: 'nobody answers' },
    });
  });

  test('P5-I14: nothing that can be asked was left out', () => {
    const paths = [...QUESTIONS, ...READS, ...TEXTS].map((path) => path.split('?')[0]);
    const all = Object.values(ENDPOINTS)
      .filter(({ plane, path }) => plane === 'dx' || path === '/livez' || path === '/readyz')
      .map(({ path }) => path);
    // Events never end, and drawings hold nothing of a node: both have tests of their own.
    const apart = ['/v1/events', '/page/charts/:name'];
    expect(new Set(paths)).toEqual(new Set(all.filter((path) => !apart.includes(path))));
  });
});
