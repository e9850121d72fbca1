import type { ApplicationFacts, ProvenRange } from '../application.ts';
import { positionToJson, samePosition, type Position } from '../position.ts';
import { defineCheck, type Check } from './check.ts';

export interface NextBatchFacts {
  readonly applied: Position | null;
  readonly next: ProvenRange | null;
  readonly validated: Position | null;
}

export const batchIsProven: Check<NextBatchFacts> = defineCheck('P5-I5 batchIsProven', {
  description: 'What is to be applied lies wholly within proven WAL.',
  code: 'WAL_DISORDERED',
  claim: ({ next, validated }) => (next === null || validated === null ? null : next.to.lsn <= validated.lsn),
  evidence: ({ next, validated }) => ({
    batch_end_lsn: next?.to.lsn ?? null,
    validated_lsn: validated?.lsn ?? null,
  }),
});

export const batchFollowsApplied: Check<NextBatchFacts> = defineCheck('P5-I4 batchFollowsApplied', {
  description: 'The batch begins exactly at the position that was applied last: replay order is WAL order.',
  code: 'WAL_DISORDERED',
  claim: ({ applied, next }) => (applied === null || next === null ? null : samePosition(applied, next.from)),
  evidence: ({ applied, next }) => ({
    expected: applied && positionToJson(applied),
    found: next && positionToJson(next.from),
  }),
});

export interface AppliedFacts {
  /** What the chart has in flight. */
  readonly inFlight: ProvenRange | null;
  /** What the applier says that it did. */
  readonly application: ApplicationFacts | null;
}

export const appliedIsAsProven: Check<AppliedFacts> = defineCheck('P5-I6 appliedIsAsProven', {
  description:
    'What was applied is the batch in flight, and the checkpoint its end: no commit id was made or left out.',
  code: 'CHECKPOINT_DAMAGED',
  claim: ({ inFlight, application }) =>
    inFlight === null || application === null
      ? null
      : samePosition(inFlight.from, application.range.from) &&
        samePosition(inFlight.to, application.range.to) &&
        samePosition(inFlight.to, application.checkpoint),
  evidence: ({ inFlight, application }) => ({
    expected: inFlight && { from: positionToJson(inFlight.from), to: positionToJson(inFlight.to) },
    found: application && {
      from: positionToJson(application.range.from),
      to: positionToJson(application.range.to),
      checkpoint: positionToJson(application.checkpoint),
    },
  }),
});
