import type { HaltReason } from '../halt.ts';
import { haltToJson } from '../halt.ts';
import { positionToJson } from '../position.ts';
import type { DiskSurvey } from '../recovery/survey.ts';
import { defineCheck, type Check } from './check.ts';

/** What a start finds on disk. */
export interface RecoveryFacts {
  /** The halt that an earlier run recorded. */
  readonly recordedHalt: HaltReason | null;
  readonly survey: DiskSurvey | null;
}

export const noHaltIsRecorded: Check<RecoveryFacts> = defineCheck('P5-I10 noHaltIsRecorded', {
  description: 'No halt of an earlier run waits for an operator.',
  code: (facts) => facts.recordedHalt?.code ?? 'START_FAILED',
  claim: ({ recordedHalt }) => recordedHalt === null,
  evidence: ({ recordedHalt }) => ({
    file: 'halt',
    recorded: recordedHalt === null ? null : haltToJson(recordedHalt),
  }),
});

export const checkpointIsIntact: Check<RecoveryFacts> = defineCheck('P5-I11 checkpointIsIntact', {
  description: 'The checkpoint carries its checksum; only a node that holds no WAL has none.',
  code: 'CHECKPOINT_DAMAGED',
  claim: ({ survey }) =>
    survey === null
      ? null
      : survey.checkpoint.state === 'intact' ||
        (survey.checkpoint.state === 'absent' && survey.wal.endLsn === survey.wal.startLsn),
  evidence: ({ survey }) =>
    survey === null
      ? {}
      : {
          checkpoint:
            survey.checkpoint.state === 'intact'
              ? positionToJson(survey.checkpoint.value)
              : { ...survey.checkpoint },
          wal_start_lsn: survey.wal.startLsn,
          wal_end_lsn: survey.wal.endLsn,
        },
});

export const prefixIsProven: Check<RecoveryFacts> = defineCheck('P5-I4 prefixIsProven', {
  description:
    'The WAL is one unbroken stream, and from the start of its segment leads to the hash of the checkpoint.',
  code: 'WAL_CORRUPT',
  claim: ({ survey }) =>
    survey === null ? null : survey.wal.discontinuity === null && survey.prefix.state === 'proven',
  evidence: ({ survey }) =>
    survey === null
      ? {}
      : {
          discontinuity: survey.wal.discontinuity && {
            expected_lsn: survey.wal.discontinuity.expectedLsn,
            found_lsn: survey.wal.discontinuity.foundLsn,
          },
          prefix: survey.prefix.state,
          ...(survey.prefix.state === 'broken' ? survey.prefix.evidence : {}),
        },
});

export const baseIsInPlace: Check<RecoveryFacts> = defineCheck('P5-I8 baseIsInPlace', {
  description: 'The base file that the checkpoint names stands where it was installed, with its own header.',
  code: 'SNAPSHOT_CORRUPT',
  claim: ({ survey }) =>
    survey === null ? null : survey.base.state === 'not needed' || survey.base.state === 'intact',
  evidence: ({ survey }) =>
    survey === null ? {} : { cut_commit_id: survey.base.cutCommitId, base: survey.base.state },
});

/** The primary's rule: what was never acknowledged may be cut; what has history behind it may not. */
export const tailIsTornAtMost: Check<RecoveryFacts> = defineCheck('P5-I11 tailIsTornAtMost', {
  description:
    'Nothing valid stands behind the first invalid byte, so nothing acknowledged is lost by cutting.',
  code: 'WAL_CORRUPT',
  claim: ({ survey }) => (survey === null ? null : survey.tail.validUnitAfterLsn === null),
  evidence: ({ survey }) =>
    survey === null
      ? {}
      : {
          proven_to_lsn: survey.tail.provenTo?.lsn ?? null,
          wal_end_lsn: survey.wal.endLsn,
          stop: survey.tail.stop && { ...survey.tail.stop },
          valid_unit_after_lsn: survey.tail.validUnitAfterLsn,
        },
});
