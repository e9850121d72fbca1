import { numberJson } from '../bytes.ts';
import type { ErrorCode } from '../errors.ts';
import { FORMAT_VERSION } from '../limits.ts';
import { positionToJson } from '../position.ts';
import type { AttachFacts, MeetFacts, ReceiptFacts } from '../ingress.ts';
import { defineCheck, firstViolation, type Check } from './check.ts';
import { FRAMING_CHECKS } from './wal.ts';

export interface MeetingFacts {
  readonly expectedClusterId: string | null;
  readonly meeting: MeetFacts | null;
}

export const primaryIsMet: Check<MeetingFacts> = defineCheck('P5-I10 primaryIsMet', {
  description:
    'The primary was reached and said who it is, so that the replica knows whose history it follows.',
  code: ({ meeting }) => (meeting?.kind === 'refused' ? meeting.code : 'PRIMARY_UNREACHABLE'),
  claim: ({ meeting }) => (meeting === null ? null : meeting.kind === 'met'),
  evidence: ({ meeting }) =>
    meeting === null || meeting.kind === 'met' ? {} : { answer: meeting.kind, message: meeting.message },
});

export const formatIsShared: Check<MeetingFacts> = defineCheck('P5-I1 formatIsShared', {
  description: 'Primary and replica speak the same format version.',
  code: 'FORMAT_UNSUPPORTED',
  claim: ({ meeting }) => (meeting?.kind === 'met' ? meeting.primary.formatVersion === FORMAT_VERSION : null),
  evidence: ({ meeting }) => ({
    expected: { format_version: FORMAT_VERSION },
    found: { format_version: meeting?.kind === 'met' ? meeting.primary.formatVersion : null },
  }),
});

export const primaryIsOfOurCluster: Check<MeetingFacts> = defineCheck('P5-I1 primaryIsOfOurCluster', {
  description: 'The primary leads the cluster that the replica was configured for.',
  code: 'CLUSTER_CHANGED',
  claim: ({ expectedClusterId, meeting }) =>
    meeting?.kind === 'met'
      ? expectedClusterId === null || meeting.primary.clusterId === expectedClusterId
      : null,
  evidence: ({ expectedClusterId, meeting }) => ({
    expected: { cluster_id: expectedClusterId },
    found: { cluster_id: meeting?.kind === 'met' ? meeting.primary.clusterId : null },
  }),
});

/** Refusals that mean: this replica's history is not the primary's. */
const DIVERGENCE: readonly ErrorCode[] = ['HISTORY_DIVERGED', 'POSITION_INVALID'];

export const historyIsThePrimarys: Check<AttachFacts | null> = defineCheck('P5-I4 historyIsThePrimarys', {
  description: 'The primary does not contradict the position that this replica resumes from.',
  code: 'HISTORY_DIVERGED',
  claim: (facts) =>
    facts === null ? null : facts.answer.kind !== 'refused' || !DIVERGENCE.includes(facts.answer.code),
  evidence: (facts) =>
    facts === null
      ? {}
      : {
          requested: positionToJson(facts.requested),
          answer: facts.answer.kind,
          ...(facts.answer.kind === 'refused'
            ? { code: facts.answer.code, message: facts.answer.message, primary: facts.answer.evidence }
            : {}),
        },
});

export const streamIsOurs: Check<AttachFacts | null> = defineCheck('P5-I4 streamIsOurs', {
  description: 'The stream is of this cluster and begins exactly where the received WAL ends.',
  code: (facts) =>
    facts?.answer.kind === 'attached' && facts.answer.clusterId !== facts.clusterId
      ? 'CLUSTER_FOREIGN'
      : 'WAL_DISORDERED',
  claim: (facts) =>
    facts?.answer.kind === 'attached'
      ? facts.answer.clusterId === facts.clusterId && facts.answer.startLsn === facts.requested.lsn
      : null,
  evidence: (facts) =>
    facts === null
      ? {}
      : {
          expected: { cluster_id: facts.clusterId, start_lsn: facts.requested.lsn },
          found:
            facts.answer.kind === 'attached'
              ? { cluster_id: facts.answer.clusterId, start_lsn: numberJson(facts.answer.startLsn) }
              : { answer: facts.answer.kind },
        },
});

export const receivedIsInOrder: Check<ReceiptFacts | null> = defineCheck('P5-I4 receivedIsInOrder', {
  description:
    'What was received continues the stream: framed, of this cluster, each unit at its own LSN; no gap, overlap, duplicate or reordering.',
  code: (facts) => {
    const suspect = facts?.suspect ?? null;
    const check = suspect === null ? undefined : firstViolation(FRAMING_CHECKS, suspect);
    return suspect === null || check === undefined ? 'WAL_DISORDERED' : check.code(suspect);
  },
  claim: (facts) =>
    facts === null
      ? null
      : facts.chunkGap === null &&
        facts.fromLsn === facts.expectedLsn &&
        (facts.suspect === null || firstViolation(FRAMING_CHECKS, facts.suspect) === undefined),
  evidence: (facts) => {
    if (facts === null) return {};
    const { suspect, chunkGap, expectedLsn, fromLsn } = facts;
    const check = suspect === null ? undefined : firstViolation(FRAMING_CHECKS, suspect);
    return {
      expected_lsn: expectedLsn,
      found_lsn: fromLsn,
      chunk_gap: chunkGap && { expected_lsn: chunkGap.expectedLsn, found_lsn: chunkGap.foundLsn },
      unit: suspect === null || check === undefined ? null : { rule: check.rule, ...check.evidence(suspect) },
    };
  },
});
