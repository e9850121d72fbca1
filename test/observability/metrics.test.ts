import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import { Registry, register } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { replicaState } from '../../machines/replica-state.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { replicationJson, walJson } from '../../src/http/replication-json.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import type { WalChunk } from '../../src/io/wal-source.ts';
import { complaints } from '../support/metric-conventions.ts';
import { CLUSTER, put, rejection, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, detached, halted, inState, until } from '../support/replicas.ts';
import { servedPrimary, servedReplica } from '../support/served-nodes.ts';
import { chunked, recordedWal } from '../support/sources.ts';
import { interceptedIndex } from '../support/state.ts';
import { flipped } from '../support/wal-forge.ts';

interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a Prometheus would have after a scrape; a name without a sample is not there at all. */
async function scrape({ metrics }: Pick<ServedNode, 'metrics'>) {
  const families = parsePrometheusTextFormat(await metrics.text());
  const samples = new Map<string, readonly Sample[]>(
    families
      .filter((family) => family.metrics.length > 0)
      .map((family) => [
        family.name,
        family.metrics.map(({ value, labels }) => ({ value: Number(value), labels: labels ?? {} })),
      ]),
  );
  /** The value of a metric without labels, or of one set of them; `null` where there is none. */
  const value = (name: string, labels: Readonly<Record<string, string>> = {}) =>
    (samples.get(`replichart_${name}`) ?? []).find((sample) =>
      Object.entries(labels).every(([label, is]) => sample.labels[label] === is),
    )?.value ?? null;
  return { families, samples, value };
}

const commit = (n: number) => prepareCommit([put(`k${n}`, `v${n}`)]);

describe('P5-I14: the figures are those of the node', () => {
  test('a replica that is caught up', async () => {
    const wal = await recordedWal(6);
    const replica = await servedReplica(() => ({ chunks: () => chunked(wal, 100) }));
    await appliedCommit(replica, 6);
    await until(replica, inState('replicating.readGate.open'));
    const { value, samples } = await scrape(replica);
    const snapshot = walJson(replica);
    expect({
      wal_received_lsn: value('wal_received_position_bytes'),
      wal_validated_lsn: value('wal_validated_position_bytes'),
      wal_applied_lsn: value('wal_applied_position_bytes'),
      validated_commit_id: value('validated_commit_id'),
      applied_commit_id: value('applied_commit_id'),
      history_hash: snapshot.history_hash,
      primary_durable_lsn: value('primary_position_bytes'),
      primary_commit_id: value('primary_commit_id'),
    }).toEqual(snapshot);
    const { identity } = replica.snapshot().context;
    expect(samples.get('replichart_info')).toEqual([
      { value: 1, labels: { role: 'replica', node_id: identity?.nodeId, cluster_id: CLUSTER } },
    ]);
    expect(samples.get('replichart_state')?.filter((one) => one.value === 1)).toEqual([
      { value: 1, labels: { state: replicaState(replica.snapshot().value) } },
    ]);
    expect(samples.get('replichart_state')).toHaveLength(10);
    expect([value('wal_bytes'), value('wal_segments'), value('chart_failed')]).toEqual([wal.length, 1, 0]);
    expect([
      value('wal_received_bytes_total'),
      value('wal_validated_bytes_total'),
      value('wal_applied_bytes_total'),
      value('applied_commits_total'),
    ]).toEqual([wal.length, wal.length, wal.length, 6]);
    expect([value('commits_total'), value('frames_total')]).toEqual([null, null]);
  });

  test('what a start finds on disk is no progress; what it replays is', async () => {
    const wal = await recordedWal(3);
    const script = () => ({ chunks: (from: { readonly lsn: number }) => chunked(wal, 100, from.lsn) });
    const dataDir = await temporaryDirectory();
    const first = await servedReplica(script, { dataDir });
    await appliedCommit(first, 3);
    await first.stop();
    const second = await servedReplica(script, { dataDir });
    await until(second, inState('replicating.readGate.open'));
    const { value } = await scrape(second);
    expect([value('wal_applied_position_bytes'), value('applied_commit_id')]).toEqual([wal.length, 3]);
    expect([value('wal_received_bytes_total'), value('applied_commits_total')]).toEqual([0, 0]);
  });

  test('a primary: commits, the frames that they share, and the bytes it wrote', async () => {
    const primary = await servedPrimary();
    const empty = await scrape(primary);
    expect([empty.value('commits_total'), empty.value('frames_total')]).toEqual([0, 0]);
    await primary.commit(commit(0));
    await Promise.all([1, 2, 3, 4].map((n) => primary.commit(commit(n))));
    await primary.createSnapshot();
    const { value, samples } = await scrape(primary);
    expect([value('commits_total'), value('frames_total')]).toEqual([5, 2]);
    expect(value('wal_written_bytes_total')).toBe(
      (primary.applied()?.lsn ?? 0) - (empty.value('wal_applied_position_bytes') ?? 0),
    );
    expect([value('wal_bytes'), value('wal_segments')]).toEqual([primary.applied()?.lsn, 2]);
    expect(value('state', { state: 'Disabled' })).toBe(1);
    for (const name of ['wal_received_position_bytes', 'primary_commit_id', 'wal_received_bytes_total'])
      expect(samples.has(`replichart_${name}`)).toBe(false);
  });

  test('the states entered, the verdicts and the halt of a replica that halts', async () => {
    const wal = await recordedWal(4);
    const replica = await servedReplica(() => ({
      chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), wal.length),
    }));
    await halted(replica);
    const { value, samples } = await scrape(replica);
    expect(value('state', { state: 'ReplicationHalted' })).toBe(1);
    expect(samples.get('replichart_halts_total')).toEqual([
      { value: 1, labels: { code: 'WAL_CORRUPT', invariant: 'P5-I5' } },
    ]);
    expect(value('transitions_total', { state: 'halted.draining' })).toBe(1);
    const counted = new Map<string, number>();
    const verdicts = replica.transitions.read(0, Infinity).transitions.flatMap((one) => one.verdicts);
    for (const { rule_id: rule, invariant, evaluation } of verdicts) {
      const key = JSON.stringify({ rule, invariant, evaluation });
      counted.set(key, (counted.get(key) ?? 0) + 1);
    }
    const scraped = (samples.get('replichart_guard_verdicts_total') ?? []).map(
      ({ labels: { rule, invariant, evaluation }, value: count }) =>
        [JSON.stringify({ rule, invariant, evaluation }), count] as const,
    );
    expect(new Map(scraped)).toEqual(counted);
    expect(value('guard_verdicts_total', { rule: 'P5-I5 checksumMatches', evaluation: 'violated' })).toBe(1);
  });
});

describe('P5-I14: what is not known is absent, never 0', () => {
  test('the lag of a replica, until its primary has said where it stands', async () => {
    const wal = await recordedWal(5);
    const primary = { commitId: 9, lsn: wal.length + 1000, historyHash: 'f'.repeat(64) };
    let tell: () => void = () => undefined;
    const told = new Promise<void>((resolve) => (tell = resolve));
    const replica = await servedReplica(() => ({
      chunks: () =>
        (async function* (): AsyncGenerator<WalChunk> {
          yield* chunked(wal, wal.length);
          await told;
          yield { kind: 'notice', position: primary };
        })(),
    }));
    await appliedCommit(replica, 5);
    const before = await scrape(replica);
    const unknown = [
      'primary_commit_id',
      'primary_position_bytes',
      'replication_lag_commits',
      'replication_lag_bytes',
    ];
    expect(unknown.filter((name) => before.samples.has(`replichart_${name}`))).toEqual([]);
    tell();
    await until(replica, ({ context }) => context.primaryDurable !== null);
    const { value } = await scrape(replica);
    const { primary_commit_id: commitId, replica_commit_id: own } = replicationJson(replica, []);
    expect(unknown.map((name) => value(name))).toEqual([9, primary.lsn, 4, 1000]);
    expect(value('replication_lag_commits')).toBe((commitId ?? 0) - (own ?? 0));
  });

  test('the lag of a replica whose stream has ended, however well it is known what the primary said', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    await primary.commit([put('k', 'v')]);
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: primary.url as string,
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    await appliedCommit(replica, 1);
    const figures = async () =>
      (await (await fetch(`${replica.url}/metrics`)).text())
        .split('\n')
        .filter((line) => /^replichart_(attached|replication_lag_commits|primary_commit_id) /.test(line));
    expect(await figures()).toEqual([
      'replichart_attached 1',
      'replichart_primary_commit_id 1',
      'replichart_replication_lag_commits 0',
    ]);
    await primary.stop();
    await detached(replica);
    expect(await figures()).toEqual(['replichart_attached 0', 'replichart_primary_commit_id 1']);
  });

  test('a notice that is older than what was proved makes no negative lag', async () => {
    const wal = await recordedWal(5);
    const replica = await servedReplica(() => ({
      chunks: () => [
        { kind: 'notice', position: { commitId: 1, lsn: 200, historyHash: 'f'.repeat(64) } },
        ...chunked(wal, wal.length),
      ],
    }));
    await appliedCommit(replica, 5);
    const { value } = await scrape(replica);
    expect([value('replication_lag_commits'), value('replication_lag_bytes')]).toEqual([0, 0]);
  });

  test('every position of a replica that holds no state yet, and the files of one that is stopped', async () => {
    const replica = await servedReplica(() => ({}), { bootstrap: 'snapshot' });
    await until(replica, inState('bootstrapping.detached'));
    const { samples, value, families } = await scrape(replica);
    const positions = families
      .map(({ name }) => name)
      .filter((name) => /position|commit_id|lag/.test(name) && samples.has(name));
    expect(positions).toEqual([]);
    expect([value('state', { state: 'Bootstrapping' }), value('wal_bytes')]).toEqual([1, 0]);
    await replica.stop();
    const after = await scrape(replica);
    expect([after.value('state', { state: 'Stopped' }), after.value('wal_bytes')]).toEqual([1, null]);
  });
});

describe('P5-I12: reads are counted by what the gate said', () => {
  test('admitted, refused with the rule, failed', async () => {
    const wal = await recordedWal(3);
    const replica = await servedReplica(() => ({ chunks: () => chunked(wal, wal.length), ends: true }));
    await appliedCommit(replica, 3);
    await detached(replica);
    await until(replica, inState('replicating.readGate.open'));
    await replica.gate.read(async () => null);
    await rejection(replica.gate.read(async () => null, { at: 4 }));
    await rejection(replica.gate.read(() => Promise.reject(new Error('the reader')), { at: 2 }));
    await replica.stop();
    await rejection(replica.gate.read(async () => null));
    const { samples } = await scrape(replica);
    expect(samples.get('replichart_reads_total')).toEqual([
      { value: 2, labels: { outcome: 'admitted', reason: '' } },
      { value: 1, labels: { outcome: 'refused', reason: 'P5-I12 viewIsApplied' } },
      { value: 1, labels: { outcome: 'failed', reason: '' } },
      { value: 1, labels: { outcome: 'refused', reason: 'P5-I12 nodeIsActive' } },
    ]);
  });

  test('a read that waits for an application is deferred once, and admitted at its end', async () => {
    const wal = await recordedWal(3);
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const store = interceptedIndex(async (through, number) => {
      if (number > 1) await released;
      await through();
    });
    const replica = await servedReplica(
      () => ({ chunks: () => chunked(wal, wal.length) }),
      {},
      { indexStore: () => store },
    );
    await until(replica, ({ context }) => context.inFlight !== null, 'an application in flight');
    const reads = [replica.gate.read(async () => null), replica.gate.read(async () => null)];
    // Looking a request up gives way once, also where there is nothing to look up.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const waiting = await scrape(replica);
    expect(waiting.samples.get('replichart_reads_total')).toEqual([
      { value: 2, labels: { outcome: 'deferred', reason: '' } },
    ]);
    release();
    await Promise.all(reads);
    const { samples } = await scrape(replica);
    expect(samples.get('replichart_reads_total')).toEqual([
      { value: 2, labels: { outcome: 'deferred', reason: '' } },
      { value: 2, labels: { outcome: 'admitted', reason: '' } },
    ]);
  });
});

describe('the page', () => {
  test('two nodes of one process keep apart, and nothing is in the registry of the process', async () => {
    const [one, other] = [await servedPrimary(), await servedPrimary()];
    await one.commit(commit(1));
    await other.commit(commit(1));
    await other.commit(commit(2));
    const [first, second] = [await scrape(one), await scrape(other)];
    expect([first.value('commits_total'), second.value('commits_total')]).toEqual([1, 2]);
    expect(first.samples.get('replichart_info')?.[0]?.labels).toMatchObject({
      node_id: one.identity.nodeId,
      cluster_id: one.identity.clusterId,
    });
    await other.stop();
    expect((await scrape(one)).value('state', { state: 'Disabled' })).toBe(1);
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  test('follows the conventions of Prometheus, whatever the node has been through', async () => {
    const primary = await servedPrimary();
    await primary.commit(commit(0));
    const wal = await recordedWal(3);
    const replica = await servedReplica(() => ({
      chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), wal.length),
    }));
    const idle = await servedReplica(() => ({}));
    await halted(replica);
    await rejection(replica.gate.read(async () => null));
    expect(primary.metrics.contentType).toBe(Registry.PROMETHEUS_CONTENT_TYPE);
    for (const node of [primary, replica, idle]) {
      const { families } = await scrape(node);
      expect(families.length).toBeGreaterThan(12);
      expect(families.flatMap(complaints)).toEqual([]);
      expect(families.filter(({ name }) => !/^replichart_[a-z_]+$/.test(name))).toEqual([]);
    }
  });
});
