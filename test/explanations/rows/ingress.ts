/** F-R1, F-R2, F-N1: the receiver dies, or its connection does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { memoryVersionIndex } from '../../../src/io/memory-version-index.ts';
import type { SourceFailure } from '../../../src/core/ingress.ts';
import {
  FIRST_SEGMENT,
  gateExplanation,
  json,
  placesIn,
  recoveryExplanation,
  tornStop,
  type GateSaid,
} from '../../support/expected-explanations.ts';
import { dataOf, expectSaid, served } from '../../support/observed.ts';
import { appliedLsn, detached, halted, inState, until } from '../../support/replicas.ts';
import { servedReplica } from '../../support/served-nodes.ts';
import { chunked, recordedWal } from '../../support/sources.ts';
import { interceptedIndex } from '../../support/state.ts';
import { faultyFileSystem } from '../../support/faulty-file-system.ts';
import {
  atRest,
  DETACHED,
  fedReplica,
  following,
  readOfK1,
  REPLICATING_EVENTS,
  RESTING,
  type Proof,
} from '../proof.ts';
import { breakingDisk } from './primary.ts';

const walOf = (dataDir: string) => readFile(join(dataDir, 'wal', FIRST_SEGMENT));

/**
 * The third commit has come, and the process dies in the middle of writing it. What stands in the file is no unit. What
 * must be said by the recovery after it: the bytes from where on are discarded, because they end in the middle of a unit;
 * nothing of them was validated. The stream is resumed exactly behind the second commit.
 */
export const diedBeforePersisting: Proof = async () => {
  const wal = await recordedWal(3);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  const disk = breakingDisk(
    (operation, path) => operation === 'append' && path.endsWith('.wal'),
    () => 50,
  );
  const store = memoryVersionIndex();
  const ports = { files: disk.files, indexStore: () => store };
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(wal, wal.length, lsn), ports);
  disk.arm();
  fed.feed();
  await halted(fed.node);
  await fed.node.stop();
  expect(await walOf(fed.dataDir)).toEqual(wal.subarray(0, lsn + 50));
  const again = await servedReplica(() => ({}), { dataDir: fed.dataDir }, { indexStore: () => store });
  await until(again, inState('replicating.ingesting.receiving'));
  await atRest(again);
  const tail = { from_lsn: lsn, bytes: 50, rule: 'P5-I11 unitIsWhole', kept_in: null };
  const gate: GateSaid = {
    state: RESTING,
    applied: at(2),
    validated: at(2),
    receivedLsn: lsn,
    rules: '++++++',
    conclusion: ['safe', null],
  };
  await expectSaid((await served(again)).url, {
    gate: gateExplanation(gate),
    read: readOfK1(gate, wal),
    recovery: recoveryExplanation({
      found: {
        answers: { end: 'torn' },
        checkpoint: at(2),
        endLsn: lsn + 50,
        provenTo: at(2),
        stop: tornStop(lsn, null, 50),
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
    }),
    replicaState: 'Ready',
    allowed: REPLICATING_EVENTS,
  });
  expect(again.snapshot().context.attachment?.requested).toEqual(at(2));
};

/**
 * The rest of the WAL is durable, and the process dies before anything of it is made: proof lives in memory, so it is
 * lost with the process. What must be said by the recovery after it: WAL behind the checkpoint, to be replayed; and on
 * the way, that it is received and not validated.
 */
export const diedBeforeValidation: Proof = async () => {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  const store = memoryVersionIndex();
  let armed = false;
  const crashing = interceptedIndex(async (through) => {
    if (armed) throw new Error('crashed');
    await through();
  }, store);
  const files = faultyFileSystem((_operation, path) =>
    armed && !path.endsWith('.wal') ? { error: new Error('crashed') } : null,
  );
  const ports = { files, indexStore: () => crashing };
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(wal, wal.length, lsn), ports);
  armed = true;
  fed.feed();
  await halted(fed.node);
  await fed.node.stop();
  expect(await walOf(fed.dataDir)).toEqual(wal);
  const again = await servedReplica(() => ({}), { dataDir: fed.dataDir }, { indexStore: () => store });
  await appliedLsn(again, wal.length);
  await until(again, inState('replicating.ingesting.receiving'));
  await atRest(again);
  const { transitions } = again.transitions.read(0, Infinity);
  const replaying = transitions.find(({ to }) => to === 'recovering.replaying.checking');
  expect(replaying?.positions).toEqual({
    received_lsn: wal.length,
    validated: json(at(2)),
    applied: json(at(2)),
    primary_durable: null,
  });
  const gate: GateSaid = {
    state: RESTING,
    applied: at(4),
    validated: at(4),
    receivedLsn: wal.length,
    rules: '++++++',
    conclusion: ['safe', null],
  };
  await expectSaid((await served(again)).url, {
    gate: gateExplanation(gate),
    read: readOfK1(gate, wal),
    recovery: replayed(at(2), at(4)),
    replicaState: 'Ready',
    allowed: REPLICATING_EVENTS,
  });
};

/** The recovery that found proven WAL behind its checkpoint, and nothing else. */
export const replayed = (checkpoint: ReturnType<ReturnType<typeof placesIn>>, end: typeof checkpoint) =>
  recoveryExplanation({
    found: {
      answers: { proven: 'something' },
      checkpoint,
      endLsn: end.lsn,
      provenTo: end,
    },
    repair: { discarded_partials: [], discarded_tail: null },
    rules: '++++',
    conclusion: {
      result: 'replicate',
      reason: null,
      steps: ['replay'],
      discarded_partials: [],
      discarded_tail: null,
    },
  });

/**
 * The stream ends, breaks, or is refused, by a primary that says so or by silence. Nothing is wrong with what was applied:
 * reads go on. What must be said: that ingress is detached and why; that `replica.attach` would lead on, and that nothing
 * else happened until it came.
 */
export const lostConnection: Proof = async () => {
  const wal = await recordedWal(3);
  const at = placesIn(wal);
  const refused: SourceFailure = {
    kind: 'refused',
    code: 'WAL_PRUNED',
    message: 'it is no longer kept',
    evidence: {},
  };
  for (const [detachment, second] of [
    ['the stream has ended', { ends: true }],
    ['connection lost: ECONNRESET', { breaks: true }],
    ['WAL_PRUNED: it is no longer kept', { refusal: refused }],
    ['nobody answers', { refusal: { kind: 'unreachable', message: 'nobody answers' } as const }],
  ] as const) {
    const broken = async function* () {
      yield* [];
      throw new Error('ECONNRESET');
    };
    const script = (attachment: number) =>
      attachment === 1
        ? { chunks: () => chunked(wal.subarray(0, at(2).lsn), wal.length), ends: true }
        : attachment === 2
          ? 'breaks' in second
            ? { chunks: broken }
            : second
          : following(wal)();
    const node = await servedReplica(script);
    await appliedLsn(node, at(2).lsn);
    await detached(node);
    node.attach();
    await until(node, ({ context }) => context.detachment === detachment, detachment);
    await atRest(node);
    const gate: GateSaid = {
      state: DETACHED,
      applied: at(2),
      validated: at(2),
      receivedLsn: at(2).lsn,
      rules: '++++++',
      conclusion: ['safe', null],
    };
    const { url } = await served(node);
    const sequence = node.transitions.newest();
    await expectSaid(url, {
      gate: gateExplanation(gate),
      read: readOfK1(gate, wal),
      replicaState: 'Ready',
      allowed: ['replica.attach', 'node.stop', 'storage.failed'],
    });
    expect(await dataOf(url, '/v1/replication')).toMatchObject({ detachment, failure: null });
    // Being asked moved nothing, and nobody tried again by itself.
    expect(node.transitions.newest()).toBe(sequence);
    node.attach();
    await appliedLsn(node, wal.length);
    expect(node.transitions.read(sequence, 1).transitions).toMatchObject([
      { from: DETACHED, event: 'replica.attach' },
    ]);
  }
};
