import type { ValidationFacts } from '../validation.ts';
import { defineCheck, type Check } from './check.ts';
import { UNIT_CHECKS } from './wal.ts';
import type { UnitFacts } from '../wal/chain.ts';

/** A check of one unit as a check of what the validator found: where there is no suspect, there is nothing against it. */
function ofSuspect(check: Check<UnitFacts>): Check<ValidationFacts | null> {
  return {
    ...check,
    code: (facts) => (facts === null || facts.suspect === null ? 'WAL_CORRUPT' : check.code(facts.suspect)),
    claim: (facts) => (facts === null ? null : facts.suspect === null ? true : check.claim(facts.suspect)),
    evidence: (facts) =>
      facts === null
        ? {}
        : facts.suspect === null
          ? { from_lsn: facts.from.lsn, to_lsn: facts.to.lsn, commit_id: facts.to.commitId }
          : check.evidence(facts.suspect),
  };
}

export const receivedIsStillThere: Check<ValidationFacts | null> = defineCheck(
  'P5-I11 receivedIsStillThere',
  {
    description: 'The files still hold every unit that was received.',
    code: 'WAL_CORRUPT',
    claim: (facts) => (facts === null ? null : facts.incompleteLsn === null),
    evidence: (facts) => (facts === null ? {} : { incomplete_unit_lsn: facts.incompleteLsn }),
  },
);

/** The unit checks by rule, as the chart proves them one after another. */
export const VALIDATION_CHECKS: readonly Check<ValidationFacts | null>[] = UNIT_CHECKS.map(ofSuspect);

export function validationCheck(rule: string): Check<ValidationFacts | null> {
  const check = VALIDATION_CHECKS.find((one) => one.rule === rule);
  if (check === undefined) throw new Error(`there is no check ${rule}`);
  return check;
}
