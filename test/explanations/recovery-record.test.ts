/** An explanation of a recovery, whole: what it shows of the disk, what it concludes, and the way back to its facts. */
import { describe, expect, test } from 'vitest';
import { explainRecovery, recoveryRecordOf, type RecoveryRecord } from '../../src/core/explain/recovery.ts';
import { haltByFault, haltToJson } from '../../src/core/halt.ts';
import type { DiskSurvey } from '../../src/core/recovery/survey.ts';
import { chainAtCut } from '../../src/core/wal/chain.ts';
import { at, checkpoint, HASH, json } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

const chain = chainAtCut(CLUSTER, { ...at(3), segmentIndex: 1 });
const halt = haltByFault({ effect: 'apply', code: 'STORAGE_FAILED', message: 'm', error: { aB_c: 1 } });
const stop = {
  kind: 'torn',
  rule: 'P5-I11 unitIsWhole',
  lsn: 300,
  file: '0.wal',
  byte: 172,
  evidence: { raw_and_camelCase: { innerField: 1 } },
} as const;
const survey: DiskSurvey = {
  checkpoint: { state: 'intact', value: checkpoint(2) },
  wal: { segments: 2, startLsn: 0, endLsn: 340, discontinuity: null },
  base: { state: 'not needed', cutCommitId: null },
  partials: ['camelCase_name.part'],
  prefix: { state: 'proven', chain },
  tail: { provenTo: chain, stop, validUnitAfterLsn: null },
};
const tail = { fromLsn: 300, bytes: 40, rule: stop.rule, keptIn: 'evidence-1' };
const record = (change: Partial<RecoveryRecord> = {}): RecoveryRecord => ({
  role: 'replica',
  bootstrap: 'wal',
  recordedHalt: null,
  survey,
  repair: { discardedPartials: ['camelCase_name.part'], discardedTail: tail },
  ...change,
});
const clean = { ...survey, tail: { ...survey.tail, stop: null } };

describe('P5-I11: what an explanation of a recovery shows of the disk', () => {
  test('all of it, in the names of JSON; raw evidence and names of files as they are', () => {
    const explained = explainRecovery(record());
    expect(explained.observed_snapshot.commit_id).toBe(2);
    expect(explained.rules_applied.map((rule) => rule.rule_id)).toEqual([
      'P5-I10 noHaltIsRecorded',
      'P5-I11 checkpointIsIntact',
      'P5-I8 baseIsInPlace',
      'P5-I4 prefixIsProven',
    ]);
    expect(explained.inputs).toEqual({
      role: 'replica',
      bootstrap: 'wal',
      answers: {
        halt: 'none',
        checkpoint: 'intact',
        wal: 'present',
        base: 'not needed',
        prefix: 'proven',
        proven: 'something',
        end: 'torn',
        partials: 'present',
        bootstrap: 'wal',
      },
      checkpoint: json(2),
      wal_start_lsn: 0,
      wal_end_lsn: 340,
      proven_to: json(3),
      tail_stop: stop,
      recorded_halt: null,
      survey: {
        checkpoint: { state: 'intact', value: { ...json(2), segment_index: 0, snapshot_cut: 0 } },
        wal: { segments: 2, start_lsn: 0, end_lsn: 340, discontinuity: null },
        base: { state: 'not needed', cut_commit_id: null },
        partials: ['camelCase_name.part'],
        prefix: {
          state: 'proven',
          chain: {
            ...json(3),
            cluster_id: CLUSTER,
            segment_index: chain.segmentIndex,
            segment_start_lsn: chain.segmentStartLsn,
            expects: chain.expects,
          },
        },
        tail: {
          proven_to: expect.objectContaining({ history_hash: HASH }) as unknown,
          stop,
          valid_unit_after_lsn: null,
        },
      },
      repair: {
        discarded_partials: ['camelCase_name.part'],
        discarded_tail: { from_lsn: 300, bytes: 40, rule: stop.rule, kept_in: 'evidence-1' },
      },
    });
  });

  test('nothing where nothing was looked at', () => {
    const { observed_snapshot: observed, inputs } = explainRecovery(record({ survey: null, repair: null }));
    expect(observed.commit_id).toBeNull();
    expect(inputs).toEqual({
      role: 'replica',
      bootstrap: 'wal',
      answers: null,
      checkpoint: null,
      wal_start_lsn: null,
      wal_end_lsn: null,
      proven_to: null,
      tail_stop: null,
      recorded_halt: null,
      survey: null,
      repair: null,
    });
  });

  test('P5-I10: the halt that is recorded', () => {
    expect(explainRecovery(record({ recordedHalt: halt })).inputs['recorded_halt']).toEqual(haltToJson(halt));
  });
});

describe('P5-I11: what an explanation of a recovery concludes', () => {
  const broken = { ...survey, prefix: { state: 'broken', evidence: {} } } as const;
  const ofPrimary = (change: Partial<DiskSurvey>) =>
    record({ role: 'primary', survey: { ...survey, ...change } });
  const recovered = { result: 'recovered', reason: null };
  const cut = { from_lsn: 300, bytes: 40, rule: stop.rule, kind: 'torn' };
  const replicated = {
    result: 'replicate',
    reason: null,
    steps: ['discard partials', 'discard tail', 'replay'],
    discarded_partials: ['camelCase_name.part'],
    discarded_tail: { from_lsn: 300, bytes: 40, rule: stop.rule, kept_in: 'evidence-1' },
  };
  const kept = { discardedPartials: [], discardedTail: null };

  test.each<[string, RecoveryRecord, object]>([
    ['a replica that discarded a tail', record(), replicated],
    [
      'a replica that had nothing to discard',
      record({ survey: { ...clean, partials: [] }, repair: kept }),
      { ...replicated, steps: ['replay'], discarded_partials: [], discarded_tail: null },
    ],
    [
      'a recorded halt',
      record({ recordedHalt: halt, survey: null }),
      { result: 'stays halted', reason: `${halt.code}: ${halt.message}` },
    ],
    [
      'no survey yet',
      record({ survey: null }),
      { result: 'undetermined', reason: 'the files have not been surveyed' },
    ],
    [
      'a prefix that is broken',
      record({ survey: broken }),
      { result: 'halted', reason: 'P5-I4 prefixIsProven' },
    ],
    [
      'no repair yet',
      record({ repair: null }),
      { result: 'undetermined', reason: 'the repair has not come to its end' },
    ],
    ['a primary that cut a torn tail', ofPrimary({}), { ...recovered, cut_tail: cut }],
    ['a primary without one', ofPrimary(clean), { ...recovered, cut_tail: null }],
    [
      'a primary whose stop stands behind nothing',
      ofPrimary({ tail: { ...survey.tail, provenTo: null } }),
      { ...recovered, cut_tail: null },
    ],
    [
      'a primary with history behind the stop',
      ofPrimary({ tail: { ...survey.tail, validUnitAfterLsn: 320 } }),
      { result: 'halted', reason: 'P5-I11 tailIsTornAtMost' },
    ],
  ])('%s', (_, facts, conclusion) => {
    expect(explainRecovery(facts).conclusion).toEqual(conclusion);
  });
});

describe('P5-I12: from its inputs alone the record of a recovery can be made again', () => {
  const damaged = { checkpoint: { state: 'damaged', bytes: 'ff' } } as const;
  const gap = { wal: { ...survey.wal, discontinuity: { expectedLsn: 1, foundLsn: 2 } } };
  test.each<[string, RecoveryRecord]>([
    ['whole', record()],
    ['nothing known', record({ survey: null, repair: null, recordedHalt: halt })],
    [
      'a primary',
      record({ role: 'primary', bootstrap: 'snapshot', repair: { ...record().repair } as never }),
    ],
    ['nothing discarded', record({ survey: clean, repair: { discardedPartials: [], discardedTail: null } })],
    ['damage', record({ survey: { ...survey, ...damaged, ...gap } })],
    ...(['intact', 'missing', 'damaged'] as const).map((state) => {
      const facts = { ...survey, base: { state, cutCommitId: 7 } };
      return [`a base file that is ${state}`, record({ survey: facts })] as [string, RecoveryRecord];
    }),
    [
      'a stop at an invalid unit',
      record({
        survey: {
          ...survey,
          prefix: { state: 'proven', chain: { ...chain, expects: 'frame' } },
          tail: { ...survey.tail, stop: { ...stop, kind: 'invalid' } },
        },
      }),
    ],
    ['no checkpoint', record({ survey: { ...survey, checkpoint: { state: 'absent' } } })],
    [
      'a broken prefix',
      record({ survey: { ...survey, prefix: { state: 'broken', evidence: { atLsn: 1, at_lsn: 2 } } } }),
    ],
  ])('%s', (_, facts) => {
    const inputs = JSON.parse(JSON.stringify(explainRecovery(facts).inputs)) as never;
    expect(recoveryRecordOf(inputs)).toEqual(facts);
  });

  test.each(['role', 'bootstrap', 'survey', 'repair', 'recorded_halt'])(
    'not where %s is another',
    (field) => {
      expect(() =>
        recoveryRecordOf({ ...explainRecovery(record()).inputs, [field]: { kind: 'other' } }),
      ).toThrow();
    },
  );
});
