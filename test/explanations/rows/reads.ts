/** F-RS1, F-RS2, F-O1: what is said while something else goes on. */
import { expect } from 'vitest';
import { ERRORS } from '../../../src/core/errors.ts';
import type { HostPorts } from '../../../src/index.ts';
import { nodeFileSystem } from '../../../src/io/node-file-system.ts';
import { cliJson } from '../../support/cli.ts';
import {
  FIRST_SEGMENT,
  gateExplanation,
  haltBy,
  json,
  placesIn,
  unreadExplanation,
  type GateSaid,
} from '../../support/expected-explanations.ts';
import { crc32c } from '../../support/independent-decoder.ts';
import { rejection } from '../../support/nodes.ts';
import { ask, dataOf, expectSaid, HALTED_EVENTS, served } from '../../support/observed.ts';
import { halted, inState, until } from '../../support/replicas.ts';
import { chunked, recordedWal } from '../../support/sources.ts';
import { interceptedIndex } from '../../support/state.ts';
import { flipped } from '../../support/wal-forge.ts';
import { fedReplica, RESTING, type Proof } from '../proof.ts';

/**
 * A replica at rest is asked for views that it cannot prove: above what is applied, ahead of it, of another history. What
 * must be said: the rule that stands against it, with what was asked for and what is there; of a position that lies
 * ahead nothing is known, so it is not said to be of this history. The command line tells divergence from waiting.
 */
export const unsafeRead: Proof = async () => {
  const wal = await recordedWal(3);
  const at = placesIn(wal);
  const { node } = await fedReplica(wal, 3, []);
  const { url } = await served(node);
  const resting: GateSaid = {
    state: RESTING,
    applied: at(3),
    validated: at(3),
    receivedLsn: wal.length,
    rules: '++++++',
    conclusion: ['safe', null],
  };
  const above = ['unsafe', 'P5-I12 viewIsApplied'] as const;
  const ahead = { commitId: 4, lsn: wal.length + 9, historyHash: 'ab'.repeat(32) };
  const foreign = { ...at(2), historyHash: 'cd'.repeat(32) };
  const token = ({ commitId, lsn, historyHash }: typeof ahead) => `${commitId}:${lsn}:${historyHash}`;
  for (const [query, flags, gate, code, exit] of [
    ['at=9', ['--at', '9'], { at: 9, rules: '+++-++', conclusion: above }, 'VIEW_ABOVE_APPLIED', 4],
    [
      `position=${token(ahead)}`,
      ['--position', token(ahead)],
      { token: { position: ahead, found: 'ahead', foundHash: null }, rules: '+++-?+', conclusion: above },
      'VIEW_ABOVE_APPLIED',
      4,
    ],
    [
      `position=${token(foreign)}`,
      ['--position', token(foreign)],
      {
        token: { position: foreign, found: 'not in history', foundHash: at(2).historyHash },
        rules: '++++-+',
        conclusion: ['unsafe', 'P5-I4 viewIsInHistory'],
      },
      'HISTORY_DIVERGED',
      5,
    ],
  ] as const) {
    const said: GateSaid = { ...resting, ...gate };
    const explanation = gateExplanation(said);
    expect(await dataOf(url, `/v1/explain/replication?${query}`)).toEqual(explanation);
    expect(await dataOf(url, `/v1/explain/read?collection=c&id=k1&${query}`)).toEqual(
      unreadExplanation(said),
    );
    const rule = explanation.rules_applied.find(({ evaluation }) => evaluation === 'violated');
    const error = {
      code,
      invariant: rule?.rule_id.slice(0, rule.rule_id.indexOf(' ')),
      message: `the read is refused: ${String(rule?.rule_id)} does not hold`,
      evidence: { rule: rule?.rule_id, ...rule?.evidence, explanation },
    };
    const { status, body } = await ask(url, `/data/v1/c/k1?${query}`);
    expect([status, body['error']]).toEqual([ERRORS[code].status, error]);
    expect(await cliJson(['read', url, 'c', 'k1', ...flags])).toMatchObject({ exit, body: { error } });
  }
};

/** A replica whose next application is held by the test, which then lets it through or fails it. */
async function heldApplication() {
  const wal = await recordedWal(4);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  let hold = false;
  let end: (error?: Error) => void = () => undefined;
  const store = interceptedIndex(async (through) => {
    if (hold)
      await new Promise<void>((resolve, reject) => {
        end = (error) => (error === undefined ? resolve() : reject(error));
      });
    await through();
  });
  const ports = { indexStore: () => store };
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(wal, wal.length, lsn), ports);
  hold = true;
  fed.feed();
  await until(fed.node, inState('replicating.applying.replaying'));
  const gate: GateSaid = {
    state: RESTING.replace('applying.idle', 'applying.replaying').replace('open', 'closed'),
    applied: at(2),
    validated: at(4),
    receivedLsn: wal.length,
    inFlight: { from: at(2), to: at(4) },
    rules: '+++++-',
    conclusion: ['unsafe', 'P5-I12 noApplicationIsInFlight'],
  };
  return { ...fed, wal, at, gate, end: (error?: Error) => end(error) };
}

/**
 * A read comes while a batch is being applied: it waits for the boundary. Where the batch gets through, it is evaluated
 * again and sees all of it; where the application fails, it is refused, with the explanation of the moment at which it was
 * refused and not of the one at which it came.
 */
export const changedMeanwhile: Proof = async () => {
  const passing = await heldApplication();
  expect(await dataOf((await served(passing.node)).url, '/v1/explain/replication')).toEqual(
    gateExplanation(passing.gate),
  );
  const seen = passing.node.gate.read(async (view) => ({
    commitId: view.commitId,
    explained: await view.explain('c', 'k4'),
  }));
  passing.end();
  const { commitId, explained } = await seen;
  expect([
    commitId,
    explained.inputs['position'],
    explained.inputs['in_flight'],
    explained.conclusion,
  ]).toEqual([
    4,
    json(passing.at(4)),
    null,
    expect.objectContaining({ result: 'visible', reason: null, version_commit_id: 4 }),
  ]);
  const failing = await heldApplication();
  const refused = rejection(failing.node.gate.read(async () => null));
  await until(failing.node, inState('replicating.applying.replaying'));
  failing.end(new Error('the index is gone'));
  const { meaning, action } = ERRORS.STORAGE_FAILED;
  const halt = {
    code: 'STORAGE_FAILED',
    invariant: 'P5-I10',
    rule: null,
    message: `${meaning} (the index is gone)`,
    evidence: { effect: 'apply', error: { name: 'Error', message: 'the index is gone' } },
    action,
  };
  const explanation = gateExplanation({
    ...failing.gate,
    state: 'halted.draining',
    halt,
    rules: '--+++-',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  });
  expect(await refused).toMatchObject({
    code: 'READS_BLOCKED',
    invariant: 'P5-I12',
    evidence: { rule: 'P5-I12 nodeIsActive', role: 'replica', state: 'halted.draining', explanation },
  });
};

/** The real disk, on which a write of the halt record takes until the test lets it end. */
export function slowHaltRecord(): { readonly ports: HostPorts; readonly release: () => void } {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const open: typeof nodeFileSystem.open = async (path, mode) => {
    if (path.includes('halt') && mode !== 'read') await held;
    return nodeFileSystem.open(path, mode);
  };
  return { ports: { files: { ...nodeFileSystem, open } }, release };
}

/**
 * A replica has halted, and its record is still being written. Whoever asks now is told all that is known: the cause, the
 * evidence that is already kept, and by the state that the record is not durable yet. Being asked changes nothing.
 */
export const askedWhileHalting: Proof = async () => {
  const wal = await recordedWal(3);
  const at = placesIn(wal);
  const lsn = at(2).lsn;
  const bad = flipped(wal, (wal.length - 1) * 8);
  const { ports, release } = slowHaltRecord();
  const fed = await fedReplica(wal.subarray(0, lsn), 2, chunked(bad, wal.length, lsn), ports);
  fed.feed();
  await until(fed.node, inState('halted.recording'));
  const frame = bad.subarray(lsn);
  const hex32 = (value: number) => value.toString(16).padStart(8, '0');
  const halt = haltBy({
    code: 'WAL_CORRUPT',
    rule: 'P5-I5 checksumMatches',
    evidence: {
      file: FIRST_SEGMENT,
      byte: lsn,
      lsn,
      unit: 'frame',
      expected: { crc32c: hex32(crc32c(frame.subarray(0, 64), frame.subarray(72))) },
      found: { crc32c: hex32(frame.readUInt32LE(64)) },
      bytes_kept_in: 'evidence/WAL_CORRUPT-1',
    },
  });
  const { url } = await served(fed.node);
  const gate = (state: string): GateSaid => ({
    state,
    applied: at(2),
    validated: at(2),
    receivedLsn: wal.length,
    halt,
    rules: '--++++',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  });
  const expectAt = (state: string, allowed: readonly string[]) =>
    expectSaid(url, {
      gate: gateExplanation(gate(state)),
      read: unreadExplanation(gate(state)),
      replicaState: 'ReplicationHalted',
      allowed,
    });
  const sequence = fed.node.transitions.newest();
  await expectAt('halted.recording', [
    'xstate.done.actor.writeHaltRecord',
    'xstate.error.actor.writeHaltRecord',
  ]);
  expect(fed.node.transitions.newest()).toBe(sequence);
  release();
  await halted(fed.node);
  await expectAt('halted.resting', HALTED_EVENTS);
};
