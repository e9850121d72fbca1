/**
 * A claim of several parts fails by each part alone, and stands where all hold; what is not known yet is neither. The
 * evidence is compared whole: it shows the very figures that were decided on.
 */
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/bytes.ts';
import { holds, type Check } from '../../src/core/checks/check.ts';
import type { HaltReason } from '../../src/core/halt.ts';
import type { ReceiptFacts } from '../../src/core/ingress.ts';

export type Case<Facts> = readonly [what: string, facts: Facts, claim: boolean | null, evidence?: JsonObject];

/** One test a case, named by the rule. */
export function parts<Facts>(check: Check<Facts>, cases: readonly Case<Facts>[]): void {
  for (const [what, facts, claim, evidence] of cases)
    test(`${check.rule}: ${what}`, () => {
      expect(check.claim(facts)).toBe(claim);
      expect(holds(check, facts)).toBe(claim === true);
      if (evidence !== undefined) expect(check.evidence(facts)).toEqual(evidence);
    });
}

export const HASH = 'ab'.repeat(32);
export const at = (commitId: number, lsn = commitId * 100, historyHash = HASH) => ({
  commitId,
  lsn,
  historyHash,
});
export const json = (commitId: number, lsn = commitId * 100) => ({
  commit_id: commitId,
  lsn,
  history_hash: HASH,
});
export const checkpoint = (commitId: number, snapshotCut = 0) => ({
  ...at(commitId),
  segmentIndex: 0,
  snapshotCut,
});
/** Facts of a receipt that is in order, but for what a test changes. */
export const receipt = (change: Partial<ReceiptFacts>): ReceiptFacts => ({
  expectedLsn: 5,
  fromLsn: 5,
  toLsn: 7,
  units: 1,
  suspect: null,
  chunkGap: null,
  primary: null,
  ended: null,
  ...change,
});

/** A halt as one was recorded. */
export const recordedHalt: HaltReason = {
  code: 'WAL_CORRUPT',
  invariant: 'P5-I5',
  rule: 'P5-I5 checksumMatches',
  message: 'm',
  evidence: {},
  action: 'a',
};
