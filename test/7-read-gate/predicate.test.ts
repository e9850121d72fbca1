import { describe, expect, test } from 'vitest';
import type { ProvenRange } from '../../src/core/application.ts';
import {
  admissionOf,
  GATE_CHECKS,
  gateVerdicts,
  noApplicationIsInFlight,
  type ReadFacts,
} from '../../src/core/read-safety.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { at, recordedHalt } from '../support/claim-parts.ts';

const range: ProvenRange = { from: at(5), to: at(6) };
const safe: ReadFacts = {
  role: 'replica',
  clusterId: null,
  state: 'replicating',
  halt: null,
  receivedLsn: 700,
  validated: at(6),
  applied: at(5),
  inFlight: null,
  view: { commitId: 5, token: null },
};
const token = (found: NonNullable<ReadFacts['view']['token']>['found']) => ({
  commitId: 5,
  token: { position: at(5), found, foundHash: null },
});

const breaks: Record<string, Partial<ReadFacts>> = {
  'P5-I12 nodeIsActive': { state: 'recovering.surveying' },
  'P5-I10 nothingIsHalted': { halt: recordedHalt },
  'P5-I4 prefixHolds': { receivedLsn: 300 },
  'P5-I12 viewIsApplied': { view: { commitId: 6, token: null } },
  'P5-I4 viewIsInHistory': { view: token('not in history') },
  'P5-I12 noApplicationIsInFlight': { inFlight: range },
};

describe('P5-I12: the predicate of the read gate', () => {
  test('a read is admitted when every rule holds', () => {
    expect(admissionOf(safe)).toEqual({ kind: 'admitted' });
    expect(explainReads(safe).conclusion).toEqual({ result: 'safe', reason: null });
  });

  test('every combination of broken rules: deferred only where an application in flight stands alone, refused otherwise', () => {
    const rules = Object.keys(breaks);
    expect(rules).toEqual(GATE_CHECKS.map(({ rule }) => rule));
    for (let combination = 0; combination < 1 << rules.length; combination += 1) {
      const broken = rules.filter((_, bit) => combination & (1 << bit));
      // The view can only be broken in one way at a time.
      if (broken.includes('P5-I12 viewIsApplied') && broken.includes('P5-I4 viewIsInHistory')) continue;
      const facts = Object.assign({}, safe, ...broken.map((rule) => breaks[rule])) as ReadFacts;
      const admission = admissionOf(facts);
      const expected =
        broken.length === 0
          ? 'admitted'
          : broken.length === 1 && broken[0] === noApplicationIsInFlight.rule
            ? 'deferred'
            : 'refused';
      expect(admission.kind, broken.join(', ')).toBe(expected);
      // P5-I15: the explanation is made of the very rules that decided, none left out.
      const explained = explainReads(facts).rules_applied;
      expect(explained.map(({ rule_id: id }) => id)).toEqual(rules);
      expect(
        explained.filter(({ evaluation }) => evaluation !== 'holds').map(({ rule_id: id }) => id),
      ).toEqual(broken);
      if (admission.kind === 'refused') expect(admission.check.rule).toBe(broken[0]);
    }
  });

  test('F-O1: missing evidence is undetermined, and not a yes', () => {
    const unknown = { ...safe, applied: null, view: { commitId: null, token: null } };
    expect(admissionOf(unknown).kind).toBe('refused');
    expect(gateVerdicts(unknown).map(({ evaluation }) => evaluation)).toEqual([
      'holds',
      'holds',
      'undetermined',
      'undetermined',
      'holds',
      'holds',
    ]);
    expect(explainReads(unknown).conclusion.result).toBe('undetermined');
    const pruned = { ...safe, view: token('before what is kept') };
    expect(admissionOf(pruned).kind).toBe('refused');
    expect(explainReads(pruned).conclusion).toEqual({
      result: 'undetermined',
      reason: 'evidence is missing for P5-I4 viewIsInHistory',
    });
  });

  test('P5-I15: the same facts give the same bytes of explanation', () => {
    expect(JSON.stringify(explainReads({ ...safe, inFlight: range }))).toBe(
      JSON.stringify(explainReads({ ...safe, inFlight: range })),
    );
  });
});
