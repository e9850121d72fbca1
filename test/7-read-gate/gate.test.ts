import { describe, expect, test } from 'vitest';
import type { Position, Primary, ReadView, Replica } from '../../src/index.ts';
import {
  CLUSTER,
  del,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedCommit, appliedLsn, detached, halted, inState, until } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { interceptedIndex } from '../support/state.ts';
import { flipped } from '../support/wal-forge.ts';

async function pair(bootstrap: 'wal' | 'snapshot' = 'wal', commits = 40) {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    clusterId: CLUSTER,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  const positions: Position[] = [];
  for (let n = 1; n <= commits; n += 1) {
    positions.push(
      await primary.commit([put(`k${n % 11}`, `v${n}`), ...(n % 3 === 0 ? [del(`k${n % 4}`)] : [])]),
    );
    if (n === commits / 2) await primary.createSnapshot();
  }
  const replica = await startReplica({
    dataDir: await temporaryDirectory(),
    primaryUrl: primary.url as string,
    listen: '127.0.0.1:0',
    replication: 'enabled',
    bootstrap,
  });
  await appliedCommit(replica, commits);
  await until(replica, inState('replicating.readGate.open'));
  return { primary, replica, positions };
}

async function everything(view: ReadView): Promise<unknown> {
  const scanned = [];
  for await (const { id, commitId, document } of view.scan('c'))
    scanned.push([id.toString(), commitId, document.toString()]);
  const points = [];
  for (let n = 0; n < 12; n += 1) {
    const found = await view.get('c', `k${n}`);
    points.push(found && [found.commitId, found.document.toString()]);
  }
  return { scanned, points };
}

/** An index whose writes a test lets through one at a time. */
function heldIndex() {
  const gate = { hold: false, waiting: [] as (() => void)[] };
  const store = interceptedIndex(async (through) => {
    if (gate.hold) await new Promise<void>((resolve) => gate.waiting.push(resolve));
    await through();
  });
  return { gate, store };
}

describe('P5-I7: reads of a replica are reads of the primary', () => {
  test.each(['wal', 'snapshot'] as const)(
    'at every view, point and range, after a bootstrap by %s',
    async (bootstrap) => {
      const { primary, replica } = await pair(bootstrap);
      for (let at = bootstrap === 'wal' ? 0 : 20; at <= 40; at += 1)
        expect(await replica.read(everything, { at }), `view ${at}`).toEqual(
          await primary.read(everything, { at }),
        );
      const digest = (node: Primary | Replica) => node.read((view) => view.stateDigest());
      expect(await digest(replica)).toEqual(await digest(primary));
    },
  );

  test('a view is asked for with the full position of any commit', async () => {
    const { primary, replica, positions } = await pair();
    for (const position of positions)
      expect(await replica.read(everything, { position })).toEqual(
        await primary.read(everything, { at: position.commitId }),
      );
  });
});

describe('F-RS1: a read that is not provably safe is refused with its reason', () => {
  test('a view above what is applied, and nothing waits for it', async () => {
    const { replica, positions } = await pair();
    expect(await rejection(replica.read(everything, { at: 41 }))).toMatchObject({
      code: 'VIEW_ABOVE_APPLIED',
      invariant: 'P5-I12',
      evidence: { rule: 'P5-I12 viewIsApplied', view_commit_id: 41, applied_commit_id: 40 },
    });
    const last = positions.at(-1) as Position;
    expect(
      await rejection(replica.read(everything, { position: { ...last, commitId: 41, lsn: last.lsn + 500 } })),
    ).toMatchObject({
      code: 'VIEW_ABOVE_APPLIED',
      evidence: {
        view_commit_id: 41,
        applied_commit_id: 40,
        view_lsn: last.lsn + 500,
        applied_lsn: last.lsn,
      },
    });
  });

  test('P5-I4: a position of another history is divergent, whatever part of it is wrong', async () => {
    const { replica, positions } = await pair();
    const some = positions[9] as Position;
    for (const position of [
      { ...some, historyHash: '1'.repeat(64) },
      { ...some, lsn: some.lsn + 1 },
      { ...some, commitId: some.commitId + 1 },
      { ...(positions.at(-1) as Position), historyHash: '2'.repeat(64) },
    ])
      expect(await rejection(replica.read(everything, { position })), JSON.stringify(position)).toMatchObject(
        {
          code: 'HISTORY_DIVERGED',
          invariant: 'P5-I4',
        },
      );
  });

  test('a position before the snapshot that a replica began with cannot be proved, so it is not believed', async () => {
    const { replica, positions } = await pair('snapshot');
    expect(await rejection(replica.read(everything, { position: positions[4] as Position }))).toMatchObject({
      code: 'READS_BLOCKED',
      evidence: { rule: 'P5-I4 viewIsInHistory', found: 'before what is kept' },
    });
  });

  test('P5-I10: a halted replica refuses, with the cause', async () => {
    const wal = await recordedWal(4);
    const replica = await startReplica(
      { dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
      {
        walSource: scriptedSource(() => ({ chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 90) })),
      },
    );
    await halted(replica);
    const error = (await rejection(replica.read(everything))) as {
      code: string;
      evidence: { explanation: { rules_applied: unknown[] } };
    };
    expect(error.code).toBe('READS_BLOCKED');
    expect(error.evidence.explanation.rules_applied).toHaveLength(6);
    expect((await replica.explain()).conclusion).toEqual({ result: 'unsafe', reason: 'P5-I12 nodeIsActive' });
  });

  test('F-N1: a detached replica goes on reading what it can prove', async () => {
    const wal = await recordedWal(6);
    const replica = await startReplica(
      { dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
      { walSource: scriptedSource(() => ({ chunks: () => chunked(wal, 90), ends: true })) },
    );
    await appliedLsn(replica, wal.length);
    await detached(replica);
    expect(await replica.read((view) => view.get('c', 'k1'))).toMatchObject({ commitId: 6 });
    expect((await replica.explain()).conclusion.result).toBe('safe');
  });
});

describe('P5-I12: an application in flight', () => {
  async function heldReplica(frames: number) {
    const wal = await recordedWal(frames);
    const held = heldIndex();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const frame = (wal.length - 96) / frames;
    const first = 96 + frame;
    const replica = await startReplica(
      { dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
      {
        indexStore: () => held.store,
        walSource: scriptedSource(() => ({
          chunks: () =>
            (async function* () {
              yield* chunked(wal.subarray(0, first), 10_000);
              await gate;
              yield* chunked(wal, 10_000, first);
            })(),
        })),
      },
    );
    await appliedCommit(replica, 1);
    await until(replica, inState('replicating.readGate.open'));
    held.gate.hold = true;
    release();
    await until(replica, inState('replicating.applying.replaying'));
    return { replica, held, frames };
  }

  test('defers a read to the next application boundary, and then it sees the whole batch', async () => {
    const { replica, held, frames } = await heldReplica(5);
    expect((await replica.explain()).conclusion).toEqual({
      result: 'unsafe',
      reason: 'P5-I12 noApplicationIsInFlight',
    });
    let done = false;
    const read = replica.read(async (view) => view.commitId).finally(() => (done = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    held.gate.hold = false;
    for (const resolve of held.gate.waiting.splice(0)) resolve();
    expect(await read).toBe(frames);
  });

  test('defers nothing that is refused anyway', async () => {
    const { replica, held } = await heldReplica(5);
    expect(await rejection(replica.read(everything, { at: 99 }))).toMatchObject({
      code: 'VIEW_ABOVE_APPLIED',
    });
    held.gate.hold = false;
    for (const resolve of held.gate.waiting.splice(0)) resolve();
  });

  test('F-RS2: a read that waits is refused when the node halts meanwhile', async () => {
    const { replica, held } = await heldReplica(5);
    const read = rejection(replica.read(everything));
    const [write] = held.gate.waiting.splice(0);
    held.gate.hold = true;
    const stopping = replica.stop();
    write?.();
    expect(await read).toMatchObject({ code: 'READS_BLOCKED' });
    await stopping;
  });

  test('F-RS2: an admitted view is not changed by batches that are applied while it is read', async () => {
    const { replica, primary } = await livePair();
    for (let n = 1; n <= 20; n += 1) await primary.commit([put(`k${n}`, 'before')]);
    await appliedCommit(replica, 20);
    await replica.read(async (view) => {
      const before = await everything(view);
      for (let n = 1; n <= 20; n += 1) await primary.commit([put(`k${n}`, 'after'), del(`k${21 - n}`)]);
      await appliedCommit(replica, 40);
      expect(await everything(view)).toEqual(before);
    });
  });

  test('under a full stream of writes every read is admitted, at views that only grow', async () => {
    const { replica, primary } = await livePair();
    await primary.commit([put('k', '0')]);
    await appliedCommit(replica, 1);
    let writing = true;
    const writer = (async () => {
      for (let n = 0; n < 60; n += 1)
        await Promise.all(
          Array.from({ length: 50 }, (_, k) => primary.commit([put(`k${k}`, 'x'.repeat(500))])),
        );
      writing = false;
    })();
    const views: number[] = [];
    while (writing) {
      views.push(await replica.read(async (view) => view.commitId));
      // Reads answer without leaving the turn of the event loop: let sockets and disk have theirs.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writer;
    expect(views.length).toBeGreaterThan(20);
    expect(views).toEqual([...views].sort((a, b) => a - b));
  });
});

async function livePair() {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  const replica = await startReplica({
    dataDir: await temporaryDirectory(),
    primaryUrl: primary.url as string,
    replication: 'enabled',
  });
  return { primary, replica };
}

describe('the faces of the gate', () => {
  const json = async (url: string) => {
    const response = await fetch(url);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  test('GET /v1/explain/replication proves the answer, rule by rule', async () => {
    const { replica, primary } = await pair();
    const { commitId, lsn, historyHash } = primary.position() as Position;
    const { body } = await json(`${replica.url}/v1/explain/replication`);
    expect(body['data']).toEqual({
      explanation_type: 'replication.safety',
      observed_snapshot: { snapshot_id: expect.stringMatching(/^[0-9a-f]{64}$/) as string, commit_id: 40 },
      inputs: {
        role: 'replica',
        cluster_id: CLUSTER,
        machine_state:
          'replicating.ingesting.receiving | replicating.validating.idle | replicating.applying.idle | replicating.readGate.open',
        position: { commit_id: commitId, lsn, history_hash: historyHash },
        view_commit_id: 40,
        view_position: null,
        wal_received_lsn: lsn,
        wal_validated: { commit_id: commitId, lsn, history_hash: historyHash },
        in_flight: null,
        halt: null,
      },
      rules_applied: [
        {
          rule_id: 'P5-I12 nodeIsActive',
          description: expect.any(String) as string,
          evaluation: 'holds',
          evidence: { role: 'replica', state: expect.any(String) as string },
        },
        {
          rule_id: 'P5-I10 nothingIsHalted',
          description: expect.any(String) as string,
          evaluation: 'holds',
          evidence: { halt: null },
        },
        {
          rule_id: 'P5-I4 prefixHolds',
          description: expect.any(String) as string,
          evaluation: 'holds',
          evidence: {
            wal_received_lsn: lsn,
            wal_validated_lsn: lsn,
            applied: { commit_id: 40, lsn, history_hash: historyHash },
          },
        },
        {
          rule_id: 'P5-I12 viewIsApplied',
          description: expect.any(String) as string,
          evaluation: 'holds',
          evidence: { view_commit_id: 40, applied_commit_id: 40 },
        },
        {
          rule_id: 'P5-I4 viewIsInHistory',
          description: expect.any(String) as string,
          evaluation: 'holds',
          evidence: { position: null },
        },
        {
          rule_id: 'P5-I12 noApplicationIsInFlight',
          description: expect.any(String) as string,
          evaluation: 'holds',
          evidence: { in_flight: null },
        },
      ],
      conclusion: { result: 'safe', reason: null },
    });
    expect((await json(`${replica.url}/readyz`)).status).toBe(200);
    expect((await json(`${replica.url}/v1/replication`)).body['data']).toMatchObject({
      replica_state: 'Ready',
      read_safety: 'Safe',
      blocking_reason: null,
    });
  });

  test('reads by HTTP: answered like the primary’s, refused with the explanation', async () => {
    const { replica, primary, positions } = await pair();
    for (const path of ['/data/v1/c/k7?at=33', '/data/v1/c?at=21&limit=3', '/data/v1/c/k3'])
      expect(await json(`${replica.url}${path}`)).toEqual(await json(`${primary.url}${path}`));
    const above = await json(`${replica.url}/data/v1/c/k7?at=41`);
    expect(above).toMatchObject({
      status: 503,
      body: {
        error: {
          code: 'VIEW_ABOVE_APPLIED',
          invariant: 'P5-I12',
          evidence: { explanation: { conclusion: { result: 'unsafe' } } },
        },
      },
    });
    const { commitId, lsn, historyHash } = positions[6] as Position;
    expect(
      (await json(`${replica.url}/data/v1/c/k7?position=${commitId}:${lsn}:${historyHash}`)).status,
    ).toBe(200);
    const foreign = await json(`${replica.url}/data/v1/c/k7?position=${commitId}:${lsn}:${'0'.repeat(64)}`);
    expect([foreign.status, (foreign.body['error'] as { code: string }).code]).toEqual([
      409,
      'HISTORY_DIVERGED',
    ]);
    expect((await json(`${replica.url}/data/v1/c/k7?position=nonsense`)).status).toBe(400);
  });

  test('GET /v1/mvcc gives equal state digests at equal commit ids', async () => {
    const { replica, primary } = await pair('snapshot');
    for (const at of [20, 33, 40]) {
      const digests = await Promise.all(
        [primary, replica].map(
          async ({ url }) =>
            ((await json(`${url}/v1/mvcc?digest_at=${at}`)).body['data'] as { state_digest: unknown })
              .state_digest,
        ),
      );
      expect(digests[1]).toEqual(digests[0]);
    }
  });
});
