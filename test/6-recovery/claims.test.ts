import { describe, expect, test } from 'vitest';
import * as recovery from '../../src/core/checks/recovery.ts';
import { haltByFault } from '../../src/core/halt.ts';
import type { DiskSurvey } from '../../src/core/recovery/survey.ts';
import { genesisChain } from '../../src/core/wal/chain.ts';
import { checkpoint, json, parts } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

describe('P5-I4, P5-I8, P5-I10, P5-I11: what a start finds', () => {
  const clean: DiskSurvey = {
    checkpoint: { state: 'intact', value: checkpoint(4) },
    wal: { segments: 1, startLsn: 0, endLsn: 400, discontinuity: null },
    base: { state: 'not needed', cutCommitId: null },
    partials: [],
    prefix: { state: 'proven', chain: genesisChain(CLUSTER) },
    tail: { provenTo: genesisChain(CLUSTER), stop: null, validUnitAfterLsn: null },
  };
  const facts = (change: Partial<DiskSurvey>) => ({ recordedHalt: null, survey: { ...clean, ...change } });
  const before = { recordedHalt: null, survey: null };
  const halt = haltByFault({ effect: 'apply', code: 'STORAGE_FAILED', message: 'm', error: { e: 1 } });
  parts(recovery.noHaltIsRecorded, [
    ['none', before, true, { file: 'halt', recorded: null }],
    ['one', { ...before, recordedHalt: halt }, false, { file: 'halt', recorded: { ...halt } }],
  ]);
  test('a recorded halt keeps its code', () => {
    const { code } = recovery.noHaltIsRecorded;
    expect([code({ ...before, recordedHalt: halt }), code(before)]).toEqual([
      'STORAGE_FAILED',
      'START_FAILED',
    ]);
  });
  const ends = { wal_start_lsn: 0, wal_end_lsn: 400 };
  parts(recovery.checkpointIsIntact, [
    ['before the survey', before, null, {}],
    ['intact', facts({}), true, { checkpoint: json(4), ...ends }],
    ['damaged', facts({ checkpoint: { state: 'damaged', bytes: 'ff' } }), false],
    [
      'absent beside WAL',
      facts({ checkpoint: { state: 'absent' } }),
      false,
      { checkpoint: { state: 'absent' }, ...ends },
    ],
    [
      'absent where there is none',
      facts({ checkpoint: { state: 'absent' }, wal: { ...clean.wal, startLsn: 400 } }),
      true,
    ],
    [
      'damaged where there is none',
      facts({ checkpoint: { state: 'damaged', bytes: 'ff' }, wal: { ...clean.wal, startLsn: 400 } }),
      false,
    ],
  ]);
  parts(recovery.prefixIsProven, [
    ['before the survey', before, null, {}],
    ['proven', facts({}), true, { discontinuity: null, prefix: 'proven' }],
    [
      'broken',
      facts({ prefix: { state: 'broken', evidence: { lsn: 9 } } }),
      false,
      { discontinuity: null, prefix: 'broken', lsn: 9 },
    ],
    [
      'a hole between files',
      facts({ wal: { ...clean.wal, discontinuity: { expectedLsn: 1, foundLsn: 2 } } }),
      false,
      { discontinuity: { expected_lsn: 1, found_lsn: 2 }, prefix: 'proven' },
    ],
  ]);
  const base = (state: DiskSurvey['base']['state']) => facts({ base: { state, cutCommitId: 4 } });
  parts(recovery.baseIsInPlace, [
    ['before the survey', before, null, {}],
    ['not needed', facts({}), true, { cut_commit_id: null, base: 'not needed' }],
    ['intact', base('intact'), true, { cut_commit_id: 4, base: 'intact' }],
    ['missing', base('missing'), false],
    ['damaged', base('damaged'), false],
  ]);
  const torn = { kind: 'torn', rule: 'r', lsn: 1, file: 'f', byte: 2, evidence: {} } as const;
  const tail = { proven_to_lsn: 0, wal_end_lsn: 400, stop: null, valid_unit_after_lsn: null };
  parts(recovery.tailIsTornAtMost, [
    ['before the survey', before, null, {}],
    ['a clean end', facts({}), true, tail],
    ['a torn end', facts({ tail: { ...clean.tail, stop: torn } }), true, { ...tail, stop: { ...torn } }],
    [
      'history behind it',
      facts({ tail: { provenTo: null, stop: null, validUnitAfterLsn: 7 } }),
      false,
      { ...tail, proven_to_lsn: null, valid_unit_after_lsn: 7 },
    ],
  ]);
});
