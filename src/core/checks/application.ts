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

export const appliedIsAsProven: Check<ApplicationFacts | null> = defineCheck('P5-I6 appliedIsAsProven', {
  description: 'The checkpoint is the position that the proven WAL gives: no commit id was made or left out.',
  code: 'CHECKPOINT_DAMAGED',
  claim: (facts) => (facts === null ? null : samePosition(facts.range.to, facts.checkpoint)),
  evidence: (facts) =>
    facts === null
      ? {}
      : { expected: positionToJson(facts.range.to), found: positionToJson(facts.checkpoint) },
});
