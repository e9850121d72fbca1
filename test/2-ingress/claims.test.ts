import { describe, expect, test } from 'vitest';
import * as ingress from '../../src/core/checks/ingress.ts';
import type { AttachFacts } from '../../src/core/ingress.ts';
import { genesisChain, observeUnit } from '../../src/core/wal/chain.ts';
import { encodeSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { at, json, parts, receipt } from '../support/claim-parts.ts';
import { CLUSTER, OTHER_CLUSTER } from '../support/nodes.ts';

describe('P5-I1, P5-I4, P5-I10: what the primary answers, and sends', () => {
  const primary = { clusterId: CLUSTER, formatVersion: 1, oldestLsn: 0, durable: at(0) };
  const meeting = (change: Partial<typeof primary>, expectedClusterId: string | null = CLUSTER) => ({
    expectedClusterId,
    meeting: { kind: 'met' as const, primary: { ...primary, ...change } },
  });
  const silence = {
    expectedClusterId: CLUSTER,
    meeting: { kind: 'unreachable' as const, message: 'gone' },
  };
  const refusal = {
    expectedClusterId: CLUSTER,
    meeting: { kind: 'refused' as const, code: 'UNAUTHORIZED' as const, message: 'no', evidence: {} },
  };
  const before = { expectedClusterId: CLUSTER, meeting: null };
  parts(ingress.primaryIsMet, [
    ['before it is asked', before, null, {}],
    ['met', meeting({}), true, {}],
    ['a silence', silence, false, { answer: 'unreachable', message: 'gone' }],
    ['a refusal', refusal, false, { answer: 'refused', message: 'no' }],
  ]);
  test('the refusal of a primary says why', () => {
    expect([silence, refusal, before].map((facts) => ingress.primaryIsMet.code(facts))).toEqual([
      'PRIMARY_UNREACHABLE',
      'UNAUTHORIZED',
      'PRIMARY_UNREACHABLE',
    ]);
  });
  const format = (found: number | null) => ({
    expected: { format_version: 1 },
    found: { format_version: found },
  });
  parts(ingress.formatIsShared, [
    ['before it is asked', before, null, format(null)],
    ['a silence', silence, null, format(null)],
    ['the same', meeting({}), true, format(1)],
    ['another', meeting({ formatVersion: 2 }), false, format(2)],
  ]);
  const cluster = (expected: string | null, found: string | null) => ({
    expected: { cluster_id: expected },
    found: { cluster_id: found },
  });
  parts(ingress.primaryIsOfOurCluster, [
    ['before it is asked', before, null, cluster(CLUSTER, null)],
    ['a silence', silence, null, cluster(CLUSTER, null)],
    ['ours', meeting({}), true, cluster(CLUSTER, CLUSTER)],
    ['another’s', meeting({ clusterId: OTHER_CLUSTER }), false, cluster(CLUSTER, OTHER_CLUSTER)],
    ['left open', meeting({ clusterId: OTHER_CLUSTER }, null), true, cluster(null, OTHER_CLUSTER)],
  ]);

  const attach = (answer: AttachFacts['answer']): AttachFacts => ({
    clusterId: CLUSTER,
    requested: at(1),
    answer,
  });
  const stream = (clusterId: string, startLsn: number) =>
    attach({ kind: 'attached', clusterId, startLsn, durable: null });
  const refused = (code: 'HISTORY_DIVERGED' | 'POSITION_INVALID' | 'WAL_PRUNED') =>
    attach({ kind: 'refused', code, message: 'm', evidence: { a: 1 } });
  const gone = attach({ kind: 'unreachable', message: 'gone' });
  parts(ingress.historyIsThePrimarys, [
    ['before it is asked', null, null, {}],
    ['a stream', stream(CLUSTER, 100), true, { requested: json(1), answer: 'attached' }],
    ['a silence', gone, true, { requested: json(1), answer: 'unreachable' }],
    [
      'a history that parted',
      refused('HISTORY_DIVERGED'),
      false,
      { requested: json(1), answer: 'refused', code: 'HISTORY_DIVERGED', message: 'm', primary: { a: 1 } },
    ],
    ['a position that is none', refused('POSITION_INVALID'), false],
    ['a refusal for another reason', refused('WAL_PRUNED'), true],
  ]);
  const wanted = { cluster_id: CLUSTER, start_lsn: 100 };
  parts(ingress.streamIsOurs, [
    ['before it is asked', null, null, {}],
    ['a silence', gone, null, { expected: wanted, found: { answer: 'unreachable' } }],
    ['ours, from where we asked', stream(CLUSTER, 100), true, { expected: wanted, found: wanted }],
    ['another cluster', stream(OTHER_CLUSTER, 100), false],
    [
      'from elsewhere',
      stream(CLUSTER, 101),
      false,
      { expected: wanted, found: { ...wanted, start_lsn: 101 } },
    ],
  ]);
  test('a foreign stream is another fault than one from elsewhere', () => {
    expect(
      [stream(OTHER_CLUSTER, 100), stream(CLUSTER, 101), gone, null].map(ingress.streamIsOurs.code),
    ).toEqual(['CLUSTER_FOREIGN', 'WAL_DISORDERED', 'WAL_DISORDERED', 'WAL_DISORDERED']);
  });

  const unit = (clusterId: string) =>
    observeUnit(
      genesisChain(CLUSTER),
      encodeSegmentHeader({
        clusterId,
        segmentIndex: 0,
        startLsn: 0,
        firstCommitId: 1,
        historyHash: '00'.repeat(32),
      }),
      0,
      'framing',
    );
  const order = { expected_lsn: 5, found_lsn: 5, chunk_gap: null, unit: null };
  parts(ingress.receivedIsInOrder, [
    ['before anything is', null, null, {}],
    ['in order', receipt({}), true, order],
    ['from elsewhere', receipt({ fromLsn: 6 }), false, { ...order, found_lsn: 6 }],
    [
      'a gap between chunks',
      receipt({ chunkGap: { expectedLsn: 6, foundLsn: 7 } }),
      false,
      { ...order, chunk_gap: { expected_lsn: 6, found_lsn: 7 } },
    ],
    ['a unit that is looked at and is good', receipt({ suspect: unit(CLUSTER) }), true, order],
    ['a unit of another cluster', receipt({ suspect: unit(OTHER_CLUSTER) }), false],
  ]);
  test('what a unit breaks is named', () => {
    const { code, evidence } = ingress.receivedIsInOrder;
    const foreign = receipt({ suspect: unit(OTHER_CLUSTER) });
    expect([null, receipt({}), receipt({ suspect: unit(CLUSTER) }), foreign].map(code)).toEqual([
      'WAL_DISORDERED',
      'WAL_DISORDERED',
      'WAL_DISORDERED',
      'CLUSTER_FOREIGN',
    ]);
    expect(evidence(foreign)['unit']).toEqual({
      rule: 'P5-I4 clusterIsOurs',
      file: '00000000000000000000.wal',
      byte: 0,
      lsn: 0,
      unit: 'segment header',
      expected: { cluster_id: CLUSTER },
      found: { cluster_id: OTHER_CLUSTER },
    });
  });
});
