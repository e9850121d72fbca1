import { UNIT_IS_WHOLE, type DiskSurvey, type StopEvidence } from '../../../src/core/recovery/survey.ts';
import type { recoveryActors } from '../../6-recovery.ts';
import type { primaryEffects } from '../../primary.ts';
import { chainAfter, checkpointAfter, UNIT_BYTES, unitsOf } from '../history.ts';
import { CANNOT, type Bound, type Outcomes } from '../outcome.ts';

type Survey = (change?: Partial<DiskSurvey>) => DiskSurvey;
/** A node whose index has come to the first unit, with so many units of proven WAL. */
const survey: Survey = (change = {}) => ({
  checkpoint: { state: 'intact', value: checkpointAfter(1) },
  wal: { segments: 1, startLsn: 0, endLsn: UNIT_BYTES, discontinuity: null },
  base: { state: 'not needed', cutCommitId: null },
  partials: [],
  prefix: { state: 'proven', chain: chainAfter(1) },
  tail: { provenTo: chainAfter(1), stop: null, validUnitAfterLsn: null },
  ...change,
});
const wal = (units: number, segments = 1): DiskSurvey['wal'] => ({
  segments,
  startLsn: 0,
  endLsn: units * UNIT_BYTES,
  discontinuity: null,
});
const emptyDisk = survey({
  checkpoint: { state: 'absent' },
  wal: wal(0, 0),
  prefix: { state: 'proven', chain: chainAfter(0) },
  tail: { provenTo: chainAfter(0), stop: null, validUnitAfterLsn: null },
});
const stop = (kind: StopEvidence['kind']): StopEvidence => ({
  kind,
  rule: kind === 'torn' ? UNIT_IS_WHOLE : 'P5-I5 checksumMatches',
  lsn: UNIT_BYTES,
  file: 'a segment',
  byte: UNIT_BYTES,
  evidence: {},
});
const onBase = (state: 'intact' | 'missing' | 'damaged') => () =>
  survey({
    checkpoint: { state: 'intact', value: checkpointAfter(1, 1) },
    wal: { ...wal(1, 0), startLsn: UNIT_BYTES },
    base: { state, cutCommitId: 1 },
  });

const surveyOutcomes = {
  'nothing yet': () => emptyDisk,
  'all applied': () => survey(),
  'WAL behind the checkpoint': ({ units }: Bound) =>
    units < 2
      ? CANNOT
      : survey({
          wal: wal(units),
          tail: { provenTo: chainAfter(units), stop: null, validUnitAfterLsn: null },
        }),
  'torn tail': () =>
    survey({
      wal: { ...wal(1), endLsn: UNIT_BYTES + 10 },
      tail: { provenTo: chainAfter(1), stop: stop('torn'), validUnitAfterLsn: null },
    }),
  'tail that breaks a rule': () =>
    survey({
      wal: wal(2),
      tail: { provenTo: chainAfter(1), stop: stop('invalid'), validUnitAfterLsn: null },
    }),
  'base missing': onBase('missing'),
  'base damaged': onBase('damaged'),
  'checkpoint damaged': () => survey({ checkpoint: { state: 'damaged', bytes: '00' } }),
  'WAL without a checkpoint': () => survey({ checkpoint: { state: 'absent' } }),
  'prefix broken': () =>
    survey({
      prefix: { state: 'broken', evidence: { stop: { ...stop('invalid') } } },
      tail: { provenTo: null, stop: null, validUnitAfterLsn: null },
    }),
  'hole between two files': () =>
    survey({
      wal: { ...wal(2, 2), discontinuity: { expectedLsn: UNIT_BYTES, foundLsn: UNIT_BYTES + 1 } },
    }),
} as const;

const ofSurvey =
  <Name extends keyof typeof surveyOutcomes>(name: Name) =>
  (_: null, bound: Bound) =>
    surveyOutcomes[name](bound);

export const recoveryOutcomes: Outcomes<typeof recoveryActors> = {
  surveyReplica: {
    'nothing yet': ofSurvey('nothing yet'),
    'all applied': ofSurvey('all applied'),
    'WAL behind the checkpoint': ofSurvey('WAL behind the checkpoint'),
    'torn tail': ofSurvey('torn tail'),
    'tail that breaks a rule': ofSurvey('tail that breaks a rule'),
    'partial files': () => survey({ partials: ['incoming/1.base'] }),
    'on a snapshot': onBase('intact'),
    'base missing': ofSurvey('base missing'),
    'base damaged': ofSurvey('base damaged'),
    'checkpoint damaged': ofSurvey('checkpoint damaged'),
    'WAL without a checkpoint': ofSurvey('WAL without a checkpoint'),
    'prefix broken': ofSurvey('prefix broken'),
    'hole between two files': ofSurvey('hole between two files'),
  },
  repairReplica: {
    repaired: ({ plan, survey: { checkpoint, prefix, tail, partials } }) => {
      const discarded = {
        discardedPartials: plan.steps.includes('discard partials') ? partials : [],
        discardedTail: null,
      };
      if (plan.outcome === 'bootstrap') return { resume: null, ...discarded };
      if (prefix.state !== 'proven' || tail.provenTo === null) return CANNOT;
      const applied = checkpoint.state === 'intact' ? checkpoint.value : checkpointAfter(0);
      return { resume: { receivedLsn: tail.provenTo.lsn, validated: prefix.chain, applied }, ...discarded };
    },
  },
};

/** A primary recovers with effects of its own. */
export const primaryRecoveryOutcomes: Outcomes<Pick<typeof primaryEffects, 'surveyDisk' | 'repairPrimary'>> =
  {
    surveyDisk: {
      'nothing yet': ofSurvey('nothing yet'),
      'all applied': ofSurvey('all applied'),
      'WAL behind the checkpoint': ofSurvey('WAL behind the checkpoint'),
      'torn tail': ofSurvey('torn tail'),
      'corrupt in the middle': () =>
        survey({
          wal: wal(2),
          tail: { provenTo: chainAfter(1), stop: stop('invalid'), validUnitAfterLsn: UNIT_BYTES },
        }),
      'base missing': ofSurvey('base missing'),
      'base damaged': ofSurvey('base damaged'),
      'checkpoint damaged': ofSurvey('checkpoint damaged'),
      'WAL without a checkpoint': ofSurvey('WAL without a checkpoint'),
      'prefix broken': ofSurvey('prefix broken'),
      'hole between two files': ofSurvey('hole between two files'),
    },
    repairPrimary: {
      repaired: ({ tail }) => (tail.provenTo === null ? CANNOT : checkpointAfter(unitsOf(tail.provenTo))),
    },
  };
