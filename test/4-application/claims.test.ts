import { describe } from 'vitest';
import * as application from '../../src/core/checks/application.ts';
import { at, checkpoint, json, parts } from '../support/claim-parts.ts';

describe('P5-I4, P5-I5, P5-I6: what is applied', () => {
  const next = { from: at(1), to: at(2) };
  const facts = (change: Partial<application.NextBatchFacts>) => ({
    applied: at(1),
    next,
    validated: at(2),
    ...change,
  });
  parts(application.batchIsProven, [
    ['up to the end of what is proven', facts({}), true, { batch_end_lsn: 200, validated_lsn: 200 }],
    ['a byte beyond', facts({ validated: at(2, 199) }), false, { batch_end_lsn: 200, validated_lsn: 199 }],
    ['no batch', facts({ next: null }), null, { batch_end_lsn: null, validated_lsn: 200 }],
    ['nothing proven', facts({ validated: null }), null, { batch_end_lsn: 200, validated_lsn: null }],
  ]);
  parts(application.batchFollowsApplied, [
    ['begins where the last ended', facts({}), true, { expected: json(1), found: json(1) }],
    ['another commit', facts({ applied: at(0, 100) }), false],
    ['another LSN', facts({ applied: at(1, 99) }), false, { expected: json(1, 99), found: json(1) }],
    ['another history', facts({ applied: at(1, 100, 'cd'.repeat(32)) }), false],
    ['nothing applied', facts({ applied: null }), null, { expected: null, found: json(1) }],
    ['no batch', facts({ next: null }), null, { expected: json(1), found: null }],
  ]);
  const range = { from: json(1), to: json(2) };
  const did = (change: Partial<application.AppliedFacts['application'] & object>) => ({
    inFlight: next,
    application: { range: next, checkpoint: checkpoint(2), ...change },
  });
  parts(application.appliedIsAsProven, [
    ['nothing in flight', { ...did({}), inFlight: null }, null],
    ['before anything is', { inFlight: next, application: null }, null, { expected: range, found: null }],
    ['as proven', did({}), true, { expected: range, found: { ...range, checkpoint: json(2) } }],
    ['elsewhere', did({ checkpoint: checkpoint(1) }), false],
    ['another beginning', did({ range: { from: at(0), to: at(2) } }), false],
    ['another end', did({ range: { from: at(1), to: at(3) } }), false],
  ]);
});
