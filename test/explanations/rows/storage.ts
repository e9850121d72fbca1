/** F-A1, F-A2, F-RC1, F-RC2: a replica dies while it applies or recovers, or finds its own records damaged. */
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ERRORS } from '../../../src/core/errors.ts';
import { decodeCheckpoint } from '../../../src/core/storage/checkpoint.ts';
import { CHECKPOINT_KEY } from '../../../src/core/storage/index-entry.ts';
import { levelVersionIndex } from '../../../src/io/level/level-version-index.ts';
import { memoryVersionIndex } from '../../../src/io/memory-version-index.ts';
import { nodeFileSystem } from '../../../src/io/node-file-system.ts';
import type { VersionIndexStore } from '../../../src/io/version-index.ts';
import { cliJson } from '../../support/cli.ts';
import {
  FIRST_SEGMENT,
  gateExplanation,
  placesIn,
  recoveryExplanation,
  unreadExplanation,
  type GateSaid,
} from '../../support/expected-explanations.ts';
import { crashAt, faultyFileSystem } from '../../support/faulty-file-system.ts';
import { fingerprint } from '../../support/files.ts';
import { rejection, temporaryDirectory } from '../../support/nodes.ts';
import { dataOf, expectHaltingStep, expectSaid, HALTED_EVENTS, served } from '../../support/observed.ts';
import { appliedLsn, halted, inState, until } from '../../support/replicas.ts';
import { servedReplica } from '../../support/served-nodes.ts';
import { chunked, recordedWal } from '../../support/sources.ts';
import { interceptedIndex, recordingIndex } from '../../support/state.ts';
import {
  atRest,
  fedReplica,
  following,
  readOfK1,
  REPLICATING_EVENTS,
  RESTING,
  type Proof,
} from '../proof.ts';
import { replayed } from './ingress.ts';

/** What a replica says that has applied the whole WAL and waits for more. */
const caughtUp = (wal: Buffer, commits: number): GateSaid => ({
  state: RESTING,
  applied: placesIn(wal)(commits),
  validated: placesIn(wal)(commits),
  receivedLsn: wal.length,
  rules: '++++++',
  conclusion: ['safe', null],
});

/** Starts on what an earlier run left, and waits until the replica follows. */
async function started(dataDir: string, wal: Buffer, store: VersionIndexStore) {
  const node = await servedReplica(() => ({}), { dataDir }, { indexStore: () => store });
  await appliedLsn(node, wal.length);
  await until(node, inState('replicating.ingesting.receiving'));
  await atRest(node);
  return node;
}

/**
 * The process dies while a batch of two commits is on its way into the index. Until it ends it says so: an application is
 * in flight, and it is halted. What must be said by the recovery after it: checkpoint at the second commit, WAL behind it,
 * replayed; and a read that sees all of the batch.
 */
export const diedWhileApplying: Proof = async () => {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  const store = memoryVersionIndex();
  let armed = false;
  const crashed = () => (armed ? { error: new Error('crashed') } : null);
  const crashing = interceptedIndex(async (through) => {
    if (armed) throw new Error('crashed');
    await through();
  }, store);
  const files = faultyFileSystem((_operation, path) => (path.endsWith('.wal') ? null : crashed()));
  const ports = { files, indexStore: () => crashing };
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(wal, wal.length, lsn), ports);
  armed = true;
  fed.feed();
  await halted(fed.node);
  const { invariant, meaning, action } = ERRORS.STORAGE_FAILED;
  const halt = {
    code: 'STORAGE_FAILED',
    invariant: invariant ?? 'P5-I10',
    rule: null,
    message: `${meaning} (crashed)`,
    evidence: { effect: 'apply', error: { name: 'Error', message: 'crashed' } },
    action,
  };
  const dying: GateSaid = {
    ...caughtUp(wal, 2),
    state: 'halted.resting',
    applied: at(2),
    validated: at(4),
    inFlight: { from: at(2), to: at(4) },
    halt,
    rules: '--+++-',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  };
  await expectSaid((await served(fed.node)).url, {
    gate: gateExplanation(dying),
    read: unreadExplanation(dying),
    replicaState: 'ReplicationHalted',
    allowed: HALTED_EVENTS,
  });
  expectHaltingStep(fed.node, 'replicating.applying.replaying', halt);
  await fed.node.stop();
  const again = await started(fed.dataDir, wal, store);
  await expectSaid((await served(again)).url, {
    gate: gateExplanation(caughtUp(wal, 4)),
    read: readOfK1(caughtUp(wal, 4), wal),
    recovery: replayed(at(2), at(4)),
    replicaState: 'Ready',
    allowed: REPLICATING_EVENTS,
  });
  expect(await again.gate.read((view) => view.get('c', 'k4'), { at: 3 })).toBeNull();
  expect(await again.gate.read((view) => view.get('c', 'k4'))).toMatchObject({ commitId: 4 });
};

/**
 * The process dies after any write of the index. There is no write that changes versions and not the checkpoint, so there
 * is no such state to find. What must be said by the recovery after each of them: the checkpoint of that very write, and
 * from there on the WAL is replayed to the same end.
 */
export const diedBetweenStorageAndCheckpoint: Proof = async () => {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const recorded = recordingIndex();
  const dataDir = await temporaryDirectory();
  const pieces = [1, 2, 3, 4].map((n) => ({
    kind: 'wal' as const,
    lsn: at(n - 1).lsn,
    bytes: wal.subarray(at(n - 1).lsn, at(n).lsn),
  }));
  const first = await servedReplica(
    () => ({ chunks: () => pieces }),
    { dataDir },
    { indexStore: () => recorded.store },
  );
  await appliedLsn(first, wal.length);
  await first.stop();
  expect(recorded.batches.length).toBeGreaterThan(1);
  for (const [index, batch] of recorded.batches.entries()) {
    const entry = batch.find(({ key }) => key.equals(CHECKPOINT_KEY));
    const checkpoint = decodeCheckpoint(entry?.value ?? Buffer.alloc(0));
    expect(checkpoint, `write ${index + 1} carries its checkpoint`).not.toBeNull();
    const { commitId } = checkpoint as { readonly commitId: number };
    const again = await started(dataDir, wal, await recorded.after(index + 1));
    await expectSaid((await served(again)).url, {
      gate: gateExplanation(caughtUp(wal, 4)),
      read: readOfK1(caughtUp(wal, 4), wal),
      recovery: commitId === 4 ? nothingToDo(wal, 4) : replayed(at(commitId), at(4)),
      replicaState: 'Ready',
      allowed: REPLICATING_EVENTS,
    });
    await again.stop();
  }
};

/** The recovery that found everything as it has to be. */
const nothingToDo = (wal: Buffer, commits: number) =>
  recoveryExplanation({
    found: {
      checkpoint: placesIn(wal)(commits),
      endLsn: wal.length,
      provenTo: placesIn(wal)(commits),
    },
    repair: { discarded_partials: [], discarded_tail: null },
    rules: '++++',
    conclusion: {
      result: 'replicate',
      reason: null,
      steps: [],
      discarded_partials: [],
      discarded_tail: null,
    },
  });

/**
 * Bytes that are no unit stand behind the checkpoint, and the recovery that discards them dies before each of its changes.
 * What must be said by the start after it: the very same as by a recovery that did not die, or, where that one had already
 * discarded them, that nothing was left to do; and of the gate the same bytes every time.
 */
export const diedWhileRecovering: Proof = async () => {
  const wal = await recordedWal(3);
  const at = placesIn(wal);
  const lsn = wal.length;
  const recorded = recordingIndex();
  const dataDir = await temporaryDirectory();
  const ports = { indexStore: () => recorded.store };
  const first = await servedReplica(following(wal), { dataDir }, ports);
  await appliedLsn(first, lsn);
  await first.stop();
  const garbage = Buffer.alloc(80, 'x');
  await appendFile(join(dataDir, 'wal', FIRST_SEGMENT), garbage);
  const number = garbage.readUInt32LE(0);
  const stop = {
    kind: 'invalid',
    rule: 'P5-I5 unitIsFramed',
    lsn,
    file: FIRST_SEGMENT,
    byte: lsn,
    evidence: {
      file: FIRST_SEGMENT,
      byte: lsn,
      lsn,
      unit: 'frame',
      expected: {
        magic: 'RWF1',
        frame_bytes_min: 72,
        frame_bytes_max: 4 * 1024 * 1024,
        kind: [1, 2, 3],
        reserved: 0,
      },
      found: { magic: 'xxxx', frame_bytes: number, kind: number, commit_count: number, reserved: number },
    },
  };
  const tail = { from_lsn: lsn, bytes: 80, rule: stop.rule, kept_in: `evidence/discarded-at-${lsn}` };
  const undisturbed = recoveryExplanation({
    found: {
      answers: { end: 'invalid' },
      checkpoint: at(3),
      endLsn: lsn + 80,
      provenTo: at(3),
      stop,
    },
    repair: { discarded_partials: [], discarded_tail: tail },
    rules: '++++',
    conclusion: {
      result: 'replicate',
      reason: null,
      steps: ['discard tail'],
      discarded_partials: [],
      discarded_tail: tail,
    },
  });
  const run = async (crash: number) => {
    const copy = join(await temporaryDirectory(), 'copy');
    await cp(dataDir, copy, { recursive: true });
    const store = await recorded.after(recorded.batches.length);
    const files = faultyFileSystem(crashAt(crash, (bytes) => bytes >> 1));
    const dying = await servedReplica(
      () => ({}),
      { dataDir: copy },
      { files, indexStore: () => store },
    ).catch(() => null);
    await dying?.stop();
    const again = await started(copy, wal, store);
    const { url } = await served(again);
    const gate = await dataOf(url, '/v1/explain/replication');
    expect(gate).toEqual(gateExplanation(caughtUp(wal, 3)));
    const recovery = await dataOf(url, '/v1/explain/recovery');
    await again.stop();
    return { recovery, operations: files.operations() };
  };
  const whole = await run(Infinity);
  expect(whole.recovery).toEqual(nothingToDo(wal, 3));
  expect(whole.operations).toBeGreaterThan(4);
  const said: unknown[] = [];
  for (let crash = 1; crash <= whole.operations; crash += 1) said.push((await run(crash)).recovery);
  expect(said[0]).toEqual(undisturbed);
  for (const one of said) expect([undisturbed, nothingToDo(wal, 3)]).toContainEqual(one);
};

/**
 * The checkpoint of a replica has a flipped bit. Nothing can be built on it, and nothing is touched: the start is refused.
 * What must be said: the rule's evidence with the very bytes that were found, and what an operator has to do.
 */
export const damagedCheckpoint: Proof = async () => {
  const wal = await recordedWal(2);
  const dataDir = await temporaryDirectory();
  const first = await servedReplica(following(wal), { dataDir });
  await appliedLsn(first, wal.length);
  await first.stop();
  const index = await levelVersionIndex(nodeFileSystem, join(dataDir, 'index')).open();
  const bytes = Buffer.from((await index.get(CHECKPOINT_KEY)) as Buffer);
  bytes[20] = (bytes[20] as number) ^ 1;
  await index.write([{ key: CHECKPOINT_KEY, value: bytes }], { durable: true });
  await index.close();
  const before = await fingerprint(dataDir);
  const { meaning, action } = ERRORS.CHECKPOINT_DAMAGED;
  const refusal = {
    code: 'CHECKPOINT_DAMAGED',
    invariant: 'P5-I11',
    message: `${meaning} ${action}`,
    evidence: {
      checkpoint: { state: 'damaged', bytes: bytes.toString('hex') },
      wal_start_lsn: 0,
      wal_end_lsn: wal.length,
    },
  };
  expect(await rejection(servedReplica(following(wal), { dataDir }))).toMatchObject(refusal);
  const flags = ['--data', dataDir, '--primary', 'http://127.0.0.1:1', '--log-level', 'silent'];
  expect(await cliJson(['replica', ...flags])).toMatchObject({
    exit: 5,
    body: { error: { ...refusal, action } },
  });
  expect(await fingerprint(dataDir)).toEqual(before);
};
