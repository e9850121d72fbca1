import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as application from '../../src/core/checks/application.ts';
import * as bootstrap from '../../src/core/checks/bootstrap.ts';
import { verdictOf, type Check } from '../../src/core/checks/check.ts';
import * as identity from '../../src/core/checks/identity.ts';
import * as ingress from '../../src/core/checks/ingress.ts';
import * as recovery from '../../src/core/checks/recovery.ts';
import * as validation from '../../src/core/checks/validation.ts';
import * as visibility from '../../src/core/checks/visibility.ts';
import * as wal from '../../src/core/checks/wal.ts';
import { ERRORS } from '../../src/core/errors.ts';
import { decodeHaltRecord, encodeHaltRecord, haltByCheck } from '../../src/core/halt.ts';
import { INVARIANTS } from '../../src/core/invariants.ts';
import * as gate from '../../src/core/read-safety.ts';
import * as facts from './facts.ts';
import { runs } from './runs.ts';

/** Every check of the program, with facts of its type. A check that is written and not listed here is found below. */
interface Judged {
  readonly check: Check<unknown>;
  readonly facts: fc.Arbitrary<unknown>;
}
const judged = <Facts>(of: fc.Arbitrary<Facts>, ...checks: readonly Check<Facts>[]): Judged[] =>
  checks.map((check) => ({ check: check as Check<unknown>, facts: of }));
const orNull = <Facts>(of: fc.Arbitrary<Facts>) => fc.option(of, { freq: 20 });

const ALL: readonly Judged[] = [
  ...judged(facts.nextBatchFacts, application.batchIsProven, application.batchFollowsApplied),
  ...judged(facts.appliedFacts, application.appliedIsAsProven),
  ...judged(
    orNull(facts.fetchFacts),
    bootstrap.manifestIsIntact,
    bootstrap.snapshotIsOfOurCluster,
    bootstrap.blocksAreIntact,
  ),
  ...judged(orNull(facts.verifiedFacts), bootstrap.baseIsWhole),
  ...judged(orNull(facts.resumeFacts), bootstrap.walResumesAtTheCut),
  ...judged(orNull(facts.installedFacts), bootstrap.installedIsTheCut),
  ...judged(
    facts.identityFacts,
    identity.identityIsReadable,
    identity.formatIsKnown,
    identity.roleIsUnchanged,
    identity.clusterIsUnchanged,
    identity.nodeIsUnchanged,
  ),
  ...judged(facts.meetingFacts, ingress.primaryIsMet, ingress.formatIsShared, ingress.primaryIsOfOurCluster),
  ...judged(orNull(facts.attachFacts), ingress.historyIsThePrimarys, ingress.streamIsOurs),
  ...judged(orNull(facts.receiptFacts), ingress.receivedIsInOrder),
  ...judged(
    facts.recoveryFacts,
    recovery.noHaltIsRecorded,
    recovery.checkpointIsIntact,
    recovery.prefixIsProven,
    recovery.baseIsInPlace,
    recovery.tailIsTornAtMost,
  ),
  ...judged(orNull(facts.validationFacts), validation.receivedIsStillThere, ...validation.VALIDATION_CHECKS),
  ...judged(facts.visibilityFacts, ...visibility.VISIBILITY_CHECKS),
  ...judged(facts.rangeFacts, visibility.rangeIsInOrder),
  ...judged(facts.unitFacts, ...wal.UNIT_CHECKS),
  ...judged(facts.readFacts, ...gate.GATE_CHECKS, gate.readsAreProven),
];

const isCheck = (value: unknown): value is Check<unknown> =>
  typeof value === 'object' && value !== null && 'claim' in value && 'rule' in value;

test('every check that a room of checks has is among those that are judged here', () => {
  const rooms = [application, bootstrap, identity, ingress, recovery, validation, visibility, wal, gate];
  const exported = rooms
    .flatMap((room) => Object.values(room as Record<string, unknown>).flat())
    .filter(isCheck);
  const known = new Set(ALL.map(({ check }) => check));
  expect(exported.filter((check) => !known.has(check)).map(({ rule }) => rule)).toEqual([]);
});

describe.each(ALL.map((one) => [one.check.rule, one] as const))(
  'P5-I15: %s',
  (_rule, { check, facts: of }) => {
    test('of any facts: a claim, a known code, evidence that is JSON without loss, and the same each time', () => {
      fc.assert(
        fc.property(of, (one) => {
          expect([true, false, null]).toContain(check.claim(one));
          const verdict = verdictOf(check, one);
          // What JSON cannot carry, NaN, undefined and -0, would show something else after a restart than before it.
          expect(JSON.parse(JSON.stringify(verdict))).toStrictEqual(verdict);
          expect(verdictOf(check, structuredClone(one))).toEqual(verdict);
          expect(JSON.stringify(verdictOf(check, one))).toBe(JSON.stringify(verdict));
          expect(Object.hasOwn(ERRORS, check.code(one))).toBe(true);
          expect(Object.hasOwn(INVARIANTS, check.invariant)).toBe(true);
          const halt = haltByCheck(check, one);
          expect(decodeHaltRecord(encodeHaltRecord(halt))).toEqual(halt);
        }),
        runs(120),
      );
    });
  },
);
