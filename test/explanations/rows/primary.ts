/** F-P1, F-P2, F-D1: the disk or the process of a primary ends in the middle of a commit; F-D1 on a replica as well. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ERRORS } from '../../../src/core/errors.ts';
import type { FileSystem } from '../../../src/io/file-system.ts';
import { memoryVersionIndex } from '../../../src/io/memory-version-index.ts';
import { prepareCommit } from '../../../src/core/wal/operation.ts';
import type { PrimaryNode } from '../../../src/primary/primary.ts';
import { cliJson } from '../../support/cli.ts';
import {
  FIRST_SEGMENT,
  gateExplanation,
  json,
  placesIn,
  recoveryExplanation,
  tornStop,
  unreadExplanation,
  type GateSaid,
} from '../../support/expected-explanations.ts';
import { faultyFileSystem, systemError, type FileOperation } from '../../support/faulty-file-system.ts';
import { CLUSTER, put, rejection, temporaryDirectory } from '../../support/nodes.ts';
import { dataOf, expectHaltingStep, expectRecorded, expectSaid, served } from '../../support/observed.ts';
import { appliedCommit, halted } from '../../support/replicas.ts';
import { servedPrimary, servedReplica } from '../../support/served-nodes.ts';
import { chunked, recordedWal } from '../../support/sources.ts';
import { httpWalSource } from '../../../src/io/http-wal-source.ts';
import { interceptedIndex } from '../../support/state.ts';
import { fedReplica, readOfK1, restsHalted, type Proof } from '../proof.ts';
import { staysHalted } from './validation.ts';

export const commit = (node: PrimaryNode, n: number) =>
  node.commit(prepareCommit([put(`k${n}`, `{"n":${n}}`)]));
const walOf = (dataDir: string) => readFile(join(dataDir, 'wal', FIRST_SEGMENT));

/** A disk that a test breaks at a moment of its choice; from then on nothing else gets through either. */
export function breakingDisk(
  isFirst: (operation: FileOperation, path: string) => boolean,
  tear?: (bytes: number) => number,
): { readonly files: FileSystem; readonly arm: () => void } {
  let armed = false;
  let broken = false;
  const files = faultyFileSystem((operation, path) => {
    const first = armed && !broken && isFirst(operation, path);
    if (!first && !broken) return null;
    broken = true;
    return { error: new Error('crashed'), ...(first && tear !== undefined ? { tear } : {}) };
  });
  return { files, arm: () => void (armed = true) };
}

/** What a primary at work says: every rule holds. */
const working = (applied: GateSaid['applied']): GateSaid => ({
  role: 'primary',
  state: 'disabled',
  applied,
  rules: '++++++',
  conclusion: ['safe', null],
});

/**
 * The third commit is on disk but for its last bytes when the process dies: it was never synced, so its writer was never told that it
 * exists, and the replica that was attached got none of it. What must be said by the recovery after it: which bytes were
 * cut from where, that they end in the middle of a unit, and that nothing valid stands behind them.
 */
export const lostBeforeTheSync: Proof = async () => {
  const disk = breakingDisk(
    (operation, path) => operation === 'append' && path.endsWith('.wal'),
    (b) => b - 10,
  );
  const store = memoryVersionIndex();
  const dataDir = await temporaryDirectory();
  const options = { dataDir, clusterId: CLUSTER, replication: 'enabled' } as const;
  const first = await servedPrimary(options, { files: disk.files, indexStore: () => store });
  for (const n of [1, 2]) await commit(first, n);
  const replicaDir = await temporaryDirectory();
  const { url } = await served(first, 'primary');
  const follow = (from: string) =>
    servedReplica(() => ({}), { dataDir: replicaDir }, { walSource: () => httpWalSource({ url: from }) });
  const follower = await follow(url);
  const { lsn } = (await appliedCommit(follower, 2)).context.applied as { lsn: number };
  disk.arm();
  expect(await rejection(commit(first, 3))).toMatchObject({ code: 'STORAGE_FAILED' });
  expect(follower.snapshot().context.receivedLsn).toBe(lsn);
  await follower.stop();
  await first.stop();
  const torn = await walOf(dataDir);
  const at = placesIn(torn.subarray(0, lsn));
  const again = await servedPrimary(options, { indexStore: () => store });
  const gate = working(at(2));
  const server = await served(again, 'primary');
  const stop = tornStop(lsn, torn.readUInt32LE(lsn + 4), torn.length - lsn);
  await expectSaid(server.url, {
    gate: gateExplanation(gate),
    read: readOfK1(gate, torn.subarray(0, lsn)),
    recovery: recoveryExplanation({
      role: 'primary',
      found: {
        answers: { end: 'torn' },
        checkpoint: at(2),
        endLsn: torn.length,
        provenTo: at(2),
        stop,
      },
      repair: { discarded_partials: [], discarded_tail: null },
      rules: '+++++',
      conclusion: {
        result: 'recovered',
        reason: null,
        cut_tail: { from_lsn: lsn, bytes: torn.length - lsn, rule: 'P5-I11 unitIsWhole', kind: 'torn' },
      },
    }),
    replicaState: 'Disabled',
    allowed: ['node.stop', 'storage.failed'],
  });
  expect(await walOf(dataDir)).toEqual(torn.subarray(0, lsn));
  expect((await commit(again, 4)).commitId).toBe(3);
  const later = await follow(server.url);
  await appliedCommit(later, 3);
  expect(await later.gate.read((view) => view.get('c', 'k3'))).toBeNull();
};

/**
 * The third commit is synced, and the process dies before it applies it or ships it: the WAL is what counts. What must be
 * said by the recovery after it: the checkpoint stands at the second commit, the WAL is proven to the third, nothing is
 * cut. The replica gets it then, and the next commit has the next id.
 */
export const syncedBeforeShipping: Proof = async () => {
  const store = memoryVersionIndex();
  let armed = false;
  const crashing = interceptedIndex(async (through) => {
    if (armed) throw new Error('crashed');
    await through();
  }, store);
  const files = faultyFileSystem((_operation, path) =>
    armed && !path.endsWith('.wal') ? { error: new Error('crashed') } : null,
  );
  const dataDir = await temporaryDirectory();
  const options = { dataDir, clusterId: CLUSTER, replication: 'enabled' } as const;
  const first = await servedPrimary(options, { files, indexStore: () => crashing });
  for (const n of [1, 2]) await commit(first, n);
  armed = true;
  expect(await rejection(commit(first, 3))).toMatchObject({ code: 'STORAGE_FAILED' });
  await first.stop();
  const wal = await walOf(dataDir);
  const at = placesIn(wal);
  const again = await servedPrimary(options, { indexStore: () => store });
  const gate = working(at(3));
  const server = await served(again, 'primary');
  await expectSaid(server.url, {
    gate: gateExplanation(gate),
    read: readOfK1(gate, wal),
    recovery: recoveryExplanation({
      role: 'primary',
      found: {
        answers: { proven: 'something' },
        checkpoint: at(2),
        endLsn: wal.length,
        provenTo: at(3),
      },
      repair: { discarded_partials: [], discarded_tail: null },
      rules: '+++++',
      conclusion: { result: 'recovered', reason: null, cut_tail: null },
    }),
    replicaState: 'Disabled',
    allowed: ['node.stop', 'storage.failed'],
  });
  expect(await dataOf(server.url, '/v1/status')).toMatchObject({ position: json(at(3)) });
  const replica = await servedReplica(
    () => ({}),
    {},
    { walSource: () => httpWalSource({ url: server.url }) },
  );
  await appliedCommit(replica, 3);
  expect((await commit(again, 4)).commitId).toBe(4);
  await appliedCommit(replica, 4);
};

/** A halt by a fault: no rule decided, so none is named; the cause is what the system said. */
const haltByFault = (effect: string, code: 'EIO' | 'ENOSPC') => {
  const { meaning, action } = ERRORS.STORAGE_FAILED;
  const cause = systemError(code);
  return {
    code: 'STORAGE_FAILED',
    invariant: 'P5-I10',
    rule: null,
    message: `${meaning} (${cause.message})`,
    evidence: { effect, error: { name: 'Error', message: cause.message, code } },
    action,
  };
};

/**
 * The disk is full, or fails, while a replica persists what it received; or an fsync of the primary fails. The first
 * failure is the last write: no retry, no acknowledgement. What must be said: the effect that failed and the words of the
 * system; no rule, because none was asked. After an operator has cleared it, a start goes on from what is durable.
 */
export const failingDisk: Proof = async () => {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  for (const [code, failing] of [
    ['EIO', 'append'],
    ['ENOSPC', 'append'],
    ['EIO', 'datasync'],
  ] as const) {
    let armed = false;
    let failed = 0;
    const files = faultyFileSystem((operation, path) => {
      if (!armed || !path.endsWith('.wal') || operation !== failing) return null;
      failed += 1;
      return { error: systemError(code) };
    });
    const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(wal, wal.length, lsn), { files });
    armed = true;
    fed.feed();
    await halted(fed.node);
    const halt = haltByFault('persist', code);
    const gate: GateSaid = {
      state: 'halted.resting',
      applied: at(2),
      validated: at(2),
      receivedLsn: lsn,
      halt,
      rules: '--++++',
      conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
    };
    await expectSaid((await served(fed.node)).url, {
      gate: gateExplanation(gate),
      read: unreadExplanation(gate),
      replicaState: 'ReplicationHalted',
      allowed: ['node.stop'],
    });
    expectHaltingStep(fed.node, 'replicating.ingesting.persisting', halt);
    await expectRecorded(fed.dataDir, halt);
    expect(failed).toBe(1);
    await fed.node.stop();
    await staysHalted(fed.dataDir, wal, halt);
  }
  await failingSyncOfAPrimary();
};

async function failingSyncOfAPrimary(): Promise<void> {
  let armed = false;
  const files = faultyFileSystem((operation, path) =>
    armed && operation === 'datasync' && path.endsWith('.wal') ? { error: systemError('EIO') } : null,
  );
  const dataDir = await temporaryDirectory();
  const primary = await servedPrimary({ dataDir, clusterId: CLUSTER }, { files });
  await commit(primary, 1);
  const at = placesIn(await walOf(dataDir));
  armed = true;
  expect(await rejection(commit(primary, 2))).toMatchObject({ code: 'STORAGE_FAILED' });
  await restsHalted(primary);
  const halt = haltByFault('writePath', 'EIO');
  const gate: GateSaid = {
    role: 'primary',
    state: 'halted.resting',
    applied: at(1),
    halt,
    rules: '--++++',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  };
  await expectSaid((await served(primary, 'primary')).url, {
    gate: gateExplanation(gate),
    read: unreadExplanation(gate),
    replicaState: 'ReplicationHalted',
    allowed: ['node.stop'],
  });
  expectHaltingStep(primary, 'disabled', halt);
  await primary.stop();
  expect(await cliJson(['halt', 'clear', '--data', dataDir])).toMatchObject({
    exit: 0,
    body: { cleared: true },
  });
  const again = await servedPrimary({ dataDir, clusterId: CLUSTER });
  // Its fsync failed, its bytes are there all the same: only a start can tell, and this one proved them.
  expect(again.applied()?.commitId).toBe(2);
}
