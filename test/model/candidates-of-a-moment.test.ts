/** The candidates of a moment on a chart that is made for it: what the nodes of `candidates.test.ts` never come to. */
import { createMachine, type StateValue } from 'xstate';
import { describe, expect, test } from 'vitest';
import { candidatesOf } from '../../machines/candidates.ts';
import { chartOf } from '../../machines/chart.ts';
import { claim, route } from '../../machines/claims.ts';
import type { NodeContext } from '../../machines/context.ts';
import { identityIsReadable } from '../../src/core/checks/identity.ts';
import { chainAtCut } from '../../src/core/wal/chain.ts';
import { contextOf } from '../support/broken-contexts.ts';
import { at, checkpoint } from '../support/claim-parts.ts';
import { CLUSTER, NODE } from '../support/nodes.ts';

const chart = chartOf(
  createMachine({
    id: 'm',
    initial: 'a',
    on: { go: '.end' },
    states: {
      a: { initial: 'inner', on: { go: '.inner' }, states: { inner: { on: { go: '#m.end' } } } },
      b: {
        type: 'parallel',
        states: {
          one: { on: { go: { guard: 'route never', target: 'one' }, stay: 'one' } },
          onefold: { on: { go: 'onefold' } },
        },
      },
      end: { type: 'final', on: { go: { guard: 'check', target: 'b' }, gone: { guard: 'unheard of' } } },
    },
  }),
);
const routes = { 'route never': route('Never.', () => false), 'route sometimes': route('Now.', () => true) };
const identity = { formatVersion: 1, clusterId: CLUSTER, nodeId: NODE, role: 'replica' as const };
const claims = {
  check: claim(identityIsReadable, ({ input, identityFound: found }) => ({
    role: input.role,
    clusterId: input.clusterId,
    nodeId: input.nodeId,
    found,
  })),
};
const bare = contextOf({ identity: null, validated: null, applied: null, receivedLsn: null });
const of = (value: StateValue, status = 'active', context: NodeContext = bare) =>
  candidatesOf(chart, { status, value, context }, claims, routes);
const allowed = (value: StateValue, status?: string) =>
  of(value, status).map((one) => [one.source, one.event, one.allowed]);

describe('P5-I3, P5-I14: of one event', () => {
  test('the innermost state takes it, and no state around it', () => {
    expect(allowed({ a: 'inner' })).toEqual([
      ['m.a.inner', 'go', true],
      ['m.a', 'go', false],
      ['m', 'go', false],
    ]);
  });

  test('regions do not stand in the way of each other, even where one name begins like the other', () => {
    expect(allowed({ b: { one: {}, onefold: {} } })).toEqual([
      ['m.b.one', 'go', false],
      ['m.b.one', 'stay', true],
      ['m.b.onefold', 'go', true],
      ['m', 'go', false],
    ]);
  });

  test('nothing is taken by a chart that has ended or failed', () => {
    expect(allowed({ a: 'inner' }, 'done').map(([, , taken]) => taken)).toEqual([false, false, false]);
    expect(allowed({ a: 'inner' }, 'error').map(([, , taken]) => taken)).toEqual([false, false, false]);
  });
});

describe('P5-I3: a moment that is not of the chart', () => {
  test.each<[string, StateValue]>([
    ['no such state', 'dreaming'],
    ['no such child', { a: 'dreaming' }],
  ])('%s', (_, value) => {
    expect(() => of(value)).toThrow(`every state of ${JSON.stringify(value)} is of the chart`);
  });

  test('a guard that is neither a claim nor a route', () => {
    expect(() => of('end')).toThrow('the guard unheard of is a claim or a route');
  });
});

describe('P5-I14: the evidence of a route', () => {
  const evidence = (context: NodeContext) =>
    of({ b: { one: {}, onefold: {} } }, 'active', context).find(({ guard }) => guard === 'route never')
      ?.verdict;
  const verdict = { rule_id: 'route never', description: 'Never.', evaluation: 'violated' };
  const input = { role: 'replica', replication: 'enabled' };

  test('of a node that knows nothing yet', () => {
    expect(evidence(bare)).toEqual({
      ...verdict,
      evidence: {
        ...input,
        cluster_id: null,
        wal_received_lsn: null,
        wal_validated_lsn: null,
        wal_applied_lsn: null,
        proven_batches: 0,
        in_flight_to_lsn: null,
        stream: null,
      },
    });
  });

  test('of a node at work', () => {
    const refused = { kind: 'refused', code: 'WAL_PRUNED', message: 'm', evidence: {} } as const;
    const batch = { from: at(2), to: at(3) };
    const context = contextOf({
      identity,
      receivedLsn: 400,
      validated: chainAtCut(CLUSTER, { ...at(3), segmentIndex: 0 }),
      applied: checkpoint(2),
      proven: [batch, batch],
      inFlight: batch,
      attachment: { clusterId: CLUSTER, requested: at(1), answer: refused },
    });
    expect(evidence(context)).toEqual({
      ...verdict,
      evidence: {
        ...input,
        cluster_id: CLUSTER,
        wal_received_lsn: 400,
        wal_validated_lsn: at(3).lsn,
        wal_applied_lsn: at(2).lsn,
        proven_batches: 2,
        in_flight_to_lsn: at(3).lsn,
        stream: 'refused',
      },
    });
  });
});
