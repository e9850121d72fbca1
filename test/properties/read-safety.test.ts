import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  admissionOf,
  blockingChecks,
  GATE_CHECKS,
  gateVerdicts,
  readsAreProven,
  type ReadFacts,
} from '../../src/core/read-safety.ts';
import { holds } from '../../src/core/checks/check.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { at, recordedHalt } from '../support/claim-parts.ts';
import { readFacts } from './facts.ts';
import { runs } from './runs.ts';

const FOUND = ['in history', 'not in history', 'ahead', 'before what is kept', 'not looked up'] as const;

/** Small domains, gone through in all their combinations. */
const DOMAINS = {
  role: ['primary', 'replica'],
  state: [
    'initializing.readingIdentity',
    'disabled',
    'bootstrapping.fetching',
    'recovering.surveying',
    'replicating.ingesting.receiving | replicating.readGate.open',
    'halted.refusing',
    'stopped',
    'failed in replicating.readGate.open',
    'failed in disabled',
  ],
  halt: [null, recordedHalt],
  receivedLsn: [null, 100, 200, 300],
  validated: [null, at(1), at(2), at(1, 250), at(2, 150)],
  applied: [null, at(0), at(1), at(2)],
  inFlight: [null, { from: at(1), to: at(2) }],
  viewCommitId: [null, 0, 1, 2, 3],
  found: [null, ...FOUND],
} as const;
type Row = { readonly [Name in keyof typeof DOMAINS]: (typeof DOMAINS)[Name][number] };

function* everyRow(names = Object.keys(DOMAINS) as (keyof Row)[]): Generator<Row> {
  const [name, ...rest] = names;
  if (name === undefined) {
    yield {} as Row;
    return;
  }
  for (const row of everyRow(rest)) for (const value of DOMAINS[name]) yield { ...row, [name]: value };
}

const factsOf = ({ viewCommitId, found, ...rest }: Row): ReadFacts => ({
  ...rest,
  clusterId: null,
  view: {
    commitId: viewCommitId,
    token: found === null ? null : { position: at(1), found, foundHash: null },
  },
});

/**
 * P5-I12, DESIGN 6 said again in plain words, from the facts alone: what stands against a read, in the order of the
 * design. A node that cannot show something has not shown it.
 */
function against(row: Row): string[] {
  const { role, state, halt, receivedLsn, validated, applied, inFlight, viewCommitId, found } = row;
  const serves = role === 'primary' ? state === 'disabled' : state.startsWith('replicating');
  const isPrefix =
    applied !== null &&
    (role === 'primary' ||
      (validated !== null &&
        receivedLsn !== null &&
        validated.lsn <= receivedLsn &&
        applied.lsn <= validated.lsn &&
        applied.commitId <= validated.commitId));
  const isSeen =
    applied !== null && viewCommitId !== null && viewCommitId <= applied.commitId && found !== 'ahead';
  return [
    ...(serves ? [] : ['P5-I12 nodeIsActive']),
    ...(halt === null ? [] : ['P5-I10 nothingIsHalted']),
    ...(isPrefix ? [] : ['P5-I4 prefixHolds']),
    ...(isSeen ? [] : ['P5-I12 viewIsApplied']),
    ...(found === null || found === 'in history' ? [] : ['P5-I4 viewIsInHistory']),
    ...(inFlight === null ? [] : ['P5-I12 noApplicationIsInFlight']),
  ];
}
const IN_FLIGHT = 'P5-I12 noApplicationIsInFlight';

describe('P5-I12: the predicate of the read gate', () => {
  test('F-RS1: all combinations of small domains are admitted, deferred or refused as the naive table says', () => {
    const counted = { admitted: 0, deferred: 0, refused: 0 };
    for (const row of everyRow()) {
      const facts = factsOf(row);
      const expected = against(row);
      const admission = admissionOf(facts);
      const kind =
        expected.length === 0
          ? 'admitted'
          : expected.length === 1 && expected[0] === IN_FLIGHT
            ? 'deferred'
            : 'refused';
      counted[kind] += 1;
      // Compared as text first: an assertion for each of so many rows would take the time of all the rest.
      const said = admission.kind === 'refused' ? admission.check.rule : '';
      if (`${admission.kind} ${said}` !== `${kind} ${kind === 'refused' ? String(expected[0]) : ''}`)
        expect({ row, admission: `${admission.kind} ${said}` }).toEqual({
          row,
          admission: kind,
          rules: expected,
        });
      const blocking = blockingChecks(facts).map(({ rule }) => rule);
      if (blocking.join() !== expected.filter((rule) => rule !== IN_FLIGHT).join())
        expect({ row, blocking }).toEqual({ row, blocking: expected });
      if (holds(readsAreProven, facts) !== (kind === 'admitted')) expect({ row, kind }).toBe('of one mind');
    }
    expect(Object.values(counted).reduce((sum, one) => sum + one)).toBe(
      Object.values(DOMAINS).reduce((product, { length }) => product * length, 1),
    );
    expect(Math.min(...Object.values(counted))).toBeGreaterThan(0);
  });

  test('F-RS2: a deferred read is admitted or refused once nothing is in flight, and never deferred again', () => {
    fc.assert(
      fc.property(readFacts, (facts) => {
        const landed = { ...facts, inFlight: null };
        expect(admissionOf(landed).kind).not.toBe('deferred');
        if (admissionOf(facts).kind === 'deferred') expect(admissionOf(landed)).toEqual({ kind: 'admitted' });
        if (admissionOf(facts).kind === 'admitted') expect(facts.inFlight).toBeNull();
      }),
      runs(1000),
    );
  });

  test('P5-I7: a lower view is admitted wherever a higher one is, and none above what is applied', () => {
    fc.assert(
      fc.property(readFacts, fc.maxSafeNat(), (facts, any) => {
        const asked = facts.view.commitId;
        if (asked === null || facts.applied === null) {
          expect(admissionOf(facts).kind).toBe('refused');
          return;
        }
        const lower = { ...facts, view: { ...facts.view, commitId: any % (asked + 1) } };
        if (admissionOf(facts).kind !== 'refused')
          expect(admissionOf(lower).kind).toBe(admissionOf(facts).kind);
        const above = { ...facts, view: { ...facts.view, commitId: facts.applied.commitId + 1 } };
        expect(admissionOf(above).kind).toBe('refused');
      }),
      runs(1000),
    );
  });

  test('P5-I10, F-O1: a fact that is taken away never admits a read that was not', () => {
    const names = ['receivedLsn', 'validated', 'applied'] as const;
    fc.assert(
      fc.property(readFacts, fc.constantFrom(...names), (facts, name) => {
        const poorer = { ...facts, [name]: null };
        const isNeeded = name === 'applied' || facts.role === 'replica';
        if (isNeeded) expect(admissionOf(poorer).kind).toBe('refused');
        else expect(admissionOf(poorer)).toEqual(admissionOf(facts));
      }),
      runs(500),
    );
  });

  test('P5-I15: the explanation is of the very rules that decided: all of them, in one order, the same each time', () => {
    fc.assert(
      fc.property(readFacts, (facts) => {
        const { rules_applied: rules, conclusion } = explainReads(facts);
        expect(rules.map(({ rule_id: id }) => id)).toEqual(GATE_CHECKS.map(({ rule }) => rule));
        const failing = gateVerdicts(facts).filter(({ evaluation }) => evaluation !== 'holds');
        const admission = admissionOf(facts);
        expect(conclusion.result === 'safe').toBe(admission.kind === 'admitted');
        expect(admission.kind === 'refused' ? admission.check.rule : failing[0]?.rule).toBe(failing[0]?.rule);
        expect(JSON.stringify(explainReads(structuredClone(facts)))).toBe(
          JSON.stringify(explainReads(facts)),
        );
      }),
      runs(400),
    );
  });
});
