/** Each rule of the read gate at its boundaries, with the evidence that it shows; and what an explanation keeps of it. */
import { describe, expect, test } from 'vitest';
import { gateInputs, readFactsOf } from '../../src/core/explain/replication.ts';
import { haltByFault, haltToJson } from '../../src/core/halt.ts';
import * as gate from '../../src/core/read-safety.ts';
import type { ReadFacts } from '../../src/core/read-safety.ts';
import { at, HASH, json, parts } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

const halt = haltByFault({ effect: 'apply', code: 'STORAGE_FAILED', message: 'm', error: {} });
const flying = { from: at(3), to: at(4) };
const reads = (change: Partial<ReadFacts>): ReadFacts => ({
  role: 'replica',
  clusterId: CLUSTER,
  state: 'replicating.ingesting.receiving',
  halt: null,
  receivedLsn: 300,
  validated: at(3),
  applied: at(3),
  inFlight: null,
  view: { commitId: 3, token: null },
  ...change,
});
type Found = NonNullable<ReadFacts['view']['token']>['found'];
const token = (found: Found, commitId = 3) =>
  reads({ view: { commitId, token: { position: at(2), found, foundHash: HASH } } });

describe('P5-I4, P5-I10, P5-I12: the rules of the gate', () => {
  parts(gate.nodeIsActive, [
    [
      'a replica that replicates',
      reads({}),
      true,
      { role: 'replica', state: 'replicating.ingesting.receiving' },
    ],
    ['a primary at work', reads({ role: 'primary', state: 'disabled' }), true],
    ['a replica that is disabled', reads({ state: 'disabled' }), false],
    ['a primary that replicates', reads({ role: 'primary' }), false],
    ['a chart that failed', reads({ state: 'failed in replicating' }), false],
    ['no state', reads({ state: '' }), false],
    ['a word behind something else', reads({ state: '.replicating' }), false],
  ]);
  parts(gate.nothingIsHalted, [
    ['nothing', reads({}), true, { halt: null }],
    ['a halt', reads({ halt }), false, { halt: haltToJson(halt) }],
  ]);
  const view = { view_commit_id: 3, applied_commit_id: 3 };
  const asked = { view_lsn: 200, applied_lsn: 300 };
  parts(gate.viewIsApplied, [
    ['exactly what is applied', reads({}), true, view],
    ['a commit above', reads({ view: { commitId: 4, token: null } }), false, { ...view, view_commit_id: 4 }],
    ['nothing applied', reads({ applied: null }), null, { ...view, applied_commit_id: null }],
    ['no view', reads({ view: { commitId: null, token: null } }), null, { ...view, view_commit_id: null }],
    ['a position that is held', token('in history'), true, { ...view, ...asked }],
    ['a position that is ahead', token('ahead'), false, { ...view, ...asked }],
    [
      'a position, and nothing applied',
      { ...token('ahead'), applied: null },
      null,
      { view_commit_id: 3, applied_commit_id: null, view_lsn: 200, applied_lsn: null },
    ],
  ]);
  const evidence = (found: Found) => ({ position: json(2), found, found_hash: HASH });
  parts(gate.viewIsInHistory, [
    ['none was asked for', reads({}), true, { position: null }],
    ['in history', token('in history'), true, evidence('in history')],
    ['not in history', token('not in history'), false, evidence('not in history')],
    ['ahead', token('ahead'), null, evidence('ahead')],
    ['before what is kept', token('before what is kept'), null, evidence('before what is kept')],
    ['not looked up', token('not looked up'), null, evidence('not looked up')],
  ]);
  test('P5-I4: a position of another history is a divergence', () => {
    const { code } = gate.viewIsInHistory;
    expect([code(token('not in history')), code(token('ahead')), code(reads({}))]).toEqual([
      'HISTORY_DIVERGED',
      'READS_BLOCKED',
      'READS_BLOCKED',
    ]);
  });
  parts(gate.noApplicationIsInFlight, [
    ['none', reads({}), true, { in_flight: null }],
    ['one', reads({ inFlight: flying }), false, { in_flight: { from: json(3), to: json(4) } }],
  ]);
  const all = {
    'P5-I12 nodeIsActive': 'holds',
    'P5-I10 nothingIsHalted': 'holds',
    'P5-I4 prefixHolds': 'holds',
    'P5-I12 viewIsApplied': 'holds',
    'P5-I4 viewIsInHistory': 'holds',
    'P5-I12 noApplicationIsInFlight': 'holds',
  };
  parts(gate.readsAreProven, [
    ['every rule holds', reads({}), true, all],
    [
      'one is not known',
      token('ahead'),
      false,
      { ...all, 'P5-I12 viewIsApplied': 'violated', 'P5-I4 viewIsInHistory': 'undetermined' },
    ],
  ]);
});

describe('P5-I10, P5-I12: what the gate says to a read', () => {
  test('only an application in flight, alone, defers', () => {
    expect(gate.admissionOf(reads({}))).toEqual({ kind: 'admitted' });
    expect(gate.admissionOf(reads({ inFlight: flying }))).toEqual({ kind: 'deferred' });
    expect(gate.admissionOf(reads({ inFlight: flying, halt }))).toEqual({
      kind: 'refused',
      check: gate.nothingIsHalted,
    });
    expect(gate.admissionOf(reads({ halt }))).toEqual({ kind: 'refused', check: gate.nothingIsHalted });
  });

  test('an application in flight blocks nothing', () => {
    expect(gate.blockingChecks(reads({ inFlight: flying }))).toEqual([]);
    expect(gate.blockingChecks(reads({ inFlight: flying, halt }))).toEqual([gate.nothingIsHalted]);
  });
});

describe('P5-I15: an explanation keeps every fact of the gate', () => {
  const full = { ...token('ahead'), halt, inFlight: flying };
  const empty = reads({
    clusterId: null,
    receivedLsn: null,
    validated: null,
    applied: null,
    view: { commitId: null, token: null },
  });

  test('under these names', () => {
    expect(gateInputs(full)).toEqual({
      role: 'replica',
      cluster_id: CLUSTER,
      machine_state: 'replicating.ingesting.receiving',
      position: json(3),
      view_commit_id: 3,
      view_position: { position: json(2), found: 'ahead', found_hash: HASH },
      wal_received_lsn: 300,
      wal_validated: json(3),
      in_flight: { from: json(3), to: json(4) },
      halt: haltToJson(halt),
    });
    expect(gateInputs(empty)).toEqual({
      role: 'replica',
      cluster_id: null,
      machine_state: 'replicating.ingesting.receiving',
      position: null,
      view_commit_id: null,
      view_position: null,
      wal_received_lsn: null,
      wal_validated: null,
      in_flight: null,
      halt: null,
    });
  });

  test('and gives them back', () => {
    for (const facts of [full, empty, reads({})]) expect(readFactsOf(gateInputs(facts))).toEqual(facts);
  });
});
