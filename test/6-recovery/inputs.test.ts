/** What a survey of the disk answers to the questions of the decision table: each answer at both sides of its boundary. */
import { describe, expect, test } from 'vitest';
import { RECOVERY_ANSWERS, recoveryInputs, type RecoveryInputs } from '../../src/core/recovery/decision.ts';
import { haltByFault } from '../../src/core/halt.ts';
import type { DiskSurvey } from '../../src/core/recovery/survey.ts';
import { chainAtCut, genesisChain } from '../../src/core/wal/chain.ts';
import { CLUSTER } from '../support/nodes.ts';

const at = (lsn: number) => ({ commitId: 3, lsn, historyHash: 'ab'.repeat(32), segmentIndex: 0 });
const chain = (lsn: number) => chainAtCut(CLUSTER, at(lsn));

/** A node that stopped cleanly at its checkpoint. */
const clean: DiskSurvey = {
  checkpoint: { state: 'intact', value: { ...at(400), snapshotCut: 0 } },
  wal: { segments: 1, startLsn: 0, endLsn: 400, discontinuity: null },
  base: { state: 'not needed', cutCommitId: null },
  partials: [],
  prefix: { state: 'proven', chain: chain(400) },
  tail: { provenTo: chain(400), stop: null, validUnitAfterLsn: null },
};
const answers = (
  survey: Partial<DiskSurvey>,
  recordedHalt: Parameters<typeof recoveryInputs>[0]['recordedHalt'] = null,
) => recoveryInputs({ recordedHalt, survey: { ...clean, ...survey } }, 'wal');
const usual: RecoveryInputs = {
  halt: 'none',
  checkpoint: 'intact',
  wal: 'present',
  base: 'not needed',
  prefix: 'proven',
  proven: 'nothing',
  end: 'clean',
  partials: 'none',
  bootstrap: 'wal',
};
const stop = (kind: 'torn' | 'invalid') =>
  ({ kind, rule: 'P5-I11 unitIsWhole', lsn: 400, file: 'f', byte: 400, evidence: {} }) as const;

describe('P5-I11: what the disk shows is what the decision table is asked', () => {
  test('a node that stopped cleanly', () => {
    expect(answers({})).toEqual(usual);
  });

  test('before the survey there is nothing to decide by', () => {
    expect(recoveryInputs({ recordedHalt: null, survey: null }, 'wal')).toBeNull();
  });

  test.each<[string, Partial<DiskSurvey>, Partial<RecoveryInputs>]>([
    ['no segment', { wal: { ...clean.wal, segments: 0 } }, { wal: 'empty' }],
    ['a segment without a byte', { wal: { ...clean.wal, startLsn: 400, endLsn: 400 } }, { wal: 'empty' }],
    ['a segment of one byte', { wal: { ...clean.wal, startLsn: 399, endLsn: 400 } }, { wal: 'present' }],
    [
      'no checkpoint, and proven WAL from the first byte',
      { checkpoint: { state: 'absent' }, tail: { ...clean.tail, provenTo: chain(1) } },
      { checkpoint: 'absent', proven: 'something' },
    ],
    [
      'no checkpoint and nothing proven',
      { checkpoint: { state: 'absent' }, tail: { ...clean.tail, provenTo: genesisChain(CLUSTER) } },
      { checkpoint: 'absent' },
    ],
    [
      'a damaged checkpoint says no position',
      { checkpoint: { state: 'damaged', bytes: 'ff' } },
      { checkpoint: 'damaged', proven: 'something' },
    ],
    [
      'a byte proven behind the checkpoint',
      { tail: { ...clean.tail, provenTo: chain(401) } },
      { proven: 'something' },
    ],
    ['less proven than the checkpoint', { tail: { ...clean.tail, provenTo: chain(399) } }, {}],
    [
      'a broken prefix, behind which nothing is proven',
      { prefix: { state: 'broken', evidence: {} }, tail: { ...clean.tail, provenTo: null } },
      { prefix: 'broken' },
    ],
    [
      'a hole between two segments',
      { wal: { ...clean.wal, discontinuity: { expectedLsn: 200, foundLsn: 300 } } },
      { prefix: 'broken' },
    ],
    ['a torn end', { tail: { ...clean.tail, stop: stop('torn') } }, { end: 'torn' }],
    ['an invalid end', { tail: { ...clean.tail, stop: stop('invalid') } }, { end: 'invalid' }],
    ['a missing base', { base: { state: 'missing', cutCommitId: 3 } }, { base: 'missing' }],
    ['one partial', { partials: ['manifest.partial'] }, { partials: 'present' }],
  ])('%s', (_, survey, expected) => {
    expect(answers(survey)).toEqual({ ...usual, ...expected });
  });

  test('P5-I10: a recorded halt, and the way of bootstrap, are answers as well', () => {
    expect(
      answers({}, haltByFault({ effect: 'apply', code: 'STORAGE_FAILED', message: 'm', error: {} })),
    ).toEqual({ ...usual, halt: 'recorded' });
    expect(recoveryInputs({ recordedHalt: null, survey: clean }, 'snapshot')).toEqual({
      ...usual,
      bootstrap: 'snapshot',
    });
  });

  test('the questions and their answers are these and no others', () => {
    expect(RECOVERY_ANSWERS).toEqual({
      halt: ['none', 'recorded'],
      checkpoint: ['absent', 'damaged', 'intact'],
      wal: ['empty', 'present'],
      base: ['not needed', 'intact', 'missing', 'damaged'],
      prefix: ['proven', 'broken'],
      proven: ['nothing', 'something'],
      end: ['clean', 'torn', 'invalid'],
      partials: ['none', 'present'],
      bootstrap: ['wal', 'snapshot'],
    });
  });
});
