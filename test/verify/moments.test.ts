import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { explainRecovery } from '../../src/node/explain-recovery.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { httpWalSource } from '../../src/io/http-wal-source.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import { stateLine } from '../../src/core/state-line.ts';
import type { EvidenceSource } from '../../src/verify/evidence.ts';
import { CLUSTER, put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn, halted, until } from '../support/replicas.ts';
import { servedPrimary, servedReplica } from '../support/served-nodes.ts';
import { chunked, walBytes } from '../support/sources.ts';
import { filesOfPrimary, ownFiles, segmentsOf, throughJson, verified } from '../support/verifying.ts';
import { flipped, unitsOf } from '../support/wal-forge.ts';

function explanationsOf(node: ServedNode): Explanation[] {
  return throughJson([explainReads(node.gate.facts()), explainRecovery(node.snapshot())]);
}

/** Every explanation that a node could have given, one after each transition. */
function collected(node: ReplicaNode): Map<string, Explanation> {
  const all = new Map<string, Explanation>();
  const keep = () => {
    for (const one of explanationsOf(node))
      all.set(`${one.observed_snapshot.snapshot_id} ${stateLine(node.snapshot().value)}`, one);
  };
  node.subscribe(keep);
  keep();
  return all;
}

/** How many got which verdict; one that differs is shown. */
async function verdicts(all: ReadonlyMap<string, Explanation>, source: EvidenceSource) {
  const counts = { verified: 0, undetermined: 0, differs: 0 };
  const reasons = new Set<string>();
  for (const [name, one] of all) {
    const { verdict, differences, undetermined } = await verified(one, source);
    counts[verdict] += 1;
    for (const reason of undetermined) reasons.add(reason.replace(/\d+/g, 'N'));
    expect(differences, `${source.kind}: ${name}`).toEqual([]);
  }
  return { ...counts, reasons: [...reasons].sort() };
}

/** A primary that stopped: some segments, commits of many sizes. */
async function primaryFiles(commits = 40) {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
  for (let n = 1; n <= commits; n += 1) {
    await primary.commit([put(`k${n % 7}`, `{"n":${n}}`.padEnd(n * 20))]);
    // A snapshot ends a segment.
    if (n % 10 === 0) await primary.createSnapshot();
  }
  await primary.stop();
  return { dataDir, wal: await walBytes(dataDir) };
}

describe('P5-I15: an explanation that was true at its moment is never called wrong afterwards', () => {
  test('P5-I4: at every transition of a replica that follows, stops, and follows again', async () => {
    const { dataDir: primaryDir, wal } = await primaryFiles();
    const half = unitsOf(wal)[Math.floor(unitsOf(wal).length / 2)]?.lsn as number;
    const dataDir = await temporaryDirectory();
    const first = await servedReplica(
      () => ({ chunks: (from) => chunked(wal.subarray(0, half), 700, from.lsn) }),
      { dataDir },
    );
    const all = collected(first);
    await appliedLsn(first, half);
    await first.stop();
    const again = await servedReplica(() => ({ chunks: (from) => chunked(wal, 700, from.lsn) }), { dataDir });
    const more = collected(again);
    await appliedLsn(again, wal.length);
    await again.stop();
    expect(all.size + more.size).toBeGreaterThan(50);
    for (const source of [await ownFiles(dataDir), await filesOfPrimary(primaryDir), segmentsOf(primaryDir)])
      for (const some of [all, more])
        expect(await verdicts(some, source)).toEqual({
          verified: some.size,
          undetermined: 0,
          differs: 0,
          reasons: [],
        });
  });

  test('P5-I10: at every transition of a replica that halts on a flipped bit, is cleared, and follows again', async () => {
    const { dataDir: primaryDir, wal } = await primaryFiles(12);
    const at = unitsOf(wal).filter(({ kind }) => kind === 'commits')[6]?.lsn as number;
    const bad = flipped(wal, (at + 90) * 8);
    const dataDir = await temporaryDirectory();
    const first = await servedReplica(() => ({ chunks: (from) => chunked(bad, 700, from.lsn) }), { dataDir });
    const all = collected(first);
    await halted(first);
    await first.stop();
    const afterHalt = await verdicts(all, await ownFiles(dataDir));
    expect(afterHalt.verified).toBeGreaterThan(0);
    expect(afterHalt.reasons).toEqual([
      'inputs.halt: a halt is recorded now, WAL_CORRUPT; whether it came later does not show',
      'inputs.recorded_halt: one is recorded now, WAL_CORRUPT; whether it came later does not show',
    ]);
    const resting = await servedReplica(() => ({}), { dataDir });
    const rested = collected(resting);
    await halted(resting);
    await resting.stop();
    expect((await verdicts(rested, await ownFiles(dataDir))).verified).toBeGreaterThan(0);
    expect(await runCli(['halt', 'clear', '--data', dataDir, '--json'])).toBe(0);
    const again = await servedReplica(() => ({ chunks: (from) => chunked(wal, 700, from.lsn) }), { dataDir });
    const more = collected(again);
    await appliedLsn(again, wal.length);
    await again.stop();
    for (const some of [all, rested, more]) {
      expect((await verdicts(some, await ownFiles(dataDir))).reasons).toEqual([]);
      await verdicts(some, await filesOfPrimary(primaryDir));
      await verdicts(some, segmentsOf(primaryDir));
    }
  });

  test('at every transition of a replica that begins with a snapshot', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({
      dataDir,
      clusterId: CLUSTER,
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    for (let n = 1; n <= 6; n += 1) await primary.commit([put(`k${n % 3}`, `{"n":${n}}`)]);
    await primary.createSnapshot();
    for (let n = 7; n <= 9; n += 1) await primary.commit([put(`k${n % 3}`, `{"n":${n}}`)]);
    const replicaDir = await temporaryDirectory();
    const url = primary.url as string;
    const replica = await servedReplica(
      () => ({}),
      { dataDir: replicaDir, bootstrap: 'snapshot' },
      { walSource: () => httpWalSource({ url }) },
    );
    const all = collected(replica);
    await until(replica, ({ context }) => context.applied?.commitId === 9);
    await replica.stop();
    await primary.stop();
    for (const source of [
      await ownFiles(replicaDir),
      await filesOfPrimary(dataDir),
      segmentsOf(dataDir),
      segmentsOf(replicaDir),
    ])
      expect((await verdicts(all, source)).reasons).toEqual([]);
  });

  test('after every commit of a primary, and of its restart', async () => {
    const dataDir = await temporaryDirectory();
    const all = new Map<string, Explanation>();
    for (let start = 1; start <= 2; start += 1) {
      const primary = await servedPrimary({ dataDir });
      for (let n = 1; n <= 4; n += 1) {
        for (const one of explanationsOf(primary)) all.set(one.observed_snapshot.snapshot_id, one);
        await primary.commit(prepareCommit([put(`k${n}`, `${n}`)]));
        if (n === 2) await primary.createSnapshot();
      }
      await primary.stop();
    }
    for (const source of [await ownFiles(dataDir), await filesOfPrimary(dataDir), segmentsOf(dataDir)])
      expect(await verdicts(all, source)).toEqual({ verified: 10, undetermined: 0, differs: 0, reasons: [] });
  });
});
