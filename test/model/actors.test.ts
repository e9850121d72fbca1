import { createActor, toPromise, type PromiseActorLogic } from 'xstate';
import { describe, expect, test } from 'vitest';
import { stateNodes, transitionsOf } from '../../machines/chart.ts';
import { CHARTS } from '../../machines/charts.ts';
import { initialContext, type NodeContext } from '../../machines/context.ts';
import { nodeClaims, nodeMachine } from '../../machines/node.ts';
import { primaryClaims, primaryMachine } from '../../machines/primary.ts';
import { effectFault } from '../../src/core/halt.ts';
import { contextOf } from '../support/broken-contexts.ts';
import { CLUSTER } from '../support/nodes.ts';

/** The effects that a chart invokes, and what stands for them until the composition root provides it. */
const CASES = [
  ['node', CHARTS.node, nodeMachine],
  ['primary', CHARTS.primary, primaryMachine],
] as const;

describe.each(CASES)('P5-I10: an effect of the %s chart that nobody provides', (_, chart, machine) => {
  const effects = [...new Set(chart.states.flatMap(({ invokes }) => invokes.map(({ src }) => src)))];
  const actors = machine.implementations.actors as Readonly<Record<string, PromiseActorLogic<unknown>>>;

  test.each(effects)('%s fails and says so', async (name) => {
    const actor = createActor(actors[name] as PromiseActorLogic<unknown>);
    const ended = toPromise(actor);
    actor.start();
    await expect(ended).rejects.toThrow(`the actor ${name} is not provided`);
  });
});

describe.each(CASES)('P5-I10, P5-I11: between the %s chart and its effects', (name, _chart, machine) => {
  const transitions = stateNodes(machine).flatMap(transitionsOf);
  const params = transitions.flatMap(({ eventType, actions }) =>
    (actions as readonly { readonly params?: unknown }[]).flatMap((action) =>
      typeof action.params === 'function'
        ? [{ eventType: eventType as string, paramsOf: action.params as (args: unknown) => unknown }]
        : [],
    ),
  );

  test('an action is told the very answer of an effect, or what it failed with', () => {
    const error = new Error('no space left');
    const fault = { kind: 'fault' };
    for (const { eventType, paramsOf } of params) {
      const effect = eventType.split('.').at(-1) ?? '';
      const told = paramsOf({ context: contextOf({}), event: { output: params, error, fault } });
      if (eventType.startsWith('xstate.done.')) expect(told).toBe(params);
      else if (eventType.startsWith('xstate.error.')) expect(told).toEqual(effectFault(effect, error));
      else expect([eventType, told]).toEqual(['storage.failed', fault]);
    }
    expect(params.length).toBeGreaterThan(name === 'node' ? 30 : 10);
  });

  test('an effect is told what the context holds', () => {
    const snapshot = { id: '42' };
    const told = { kind: 'told' };
    const context = {
      ...contextOf({}),
      halt: told,
      validated: told,
      applied: told,
      survey: told,
      plan: told,
      receivedLsn: 400,
      fetched: { kind: 'fetched', snapshot },
    } as never;
    const inputs: Readonly<Record<string, unknown>> = {
      attach: told,
      receive: { expectedLsn: 400 },
      persist: { fromLsn: 400 },
      validate: { from: told, receivedLsn: 400 },
      apply: { applied: told },
      fetchSnapshot: { clusterId: CLUSTER },
      verifySnapshot: snapshot,
      probeResume: { clusterId: CLUSTER, snapshot },
      installSnapshot: snapshot,
      repairReplica: { plan: told, survey: told },
      repairPrimary: told,
      keepEvidence: told,
      writeHaltRecord: told,
      claimIdentity: contextOf({}).input,
    };
    const effects = stateNodes(machine).flatMap(({ invoke }) => invoke);
    for (const { src, input } of effects) {
      const given: unknown = typeof input === 'function' ? input({ context } as never) : input;
      expect([src, given]).toEqual([src, inputs[src as string] ?? null]);
    }
  });

  test('a chart begins with its input, and knows nothing else', () => {
    const { input } = contextOf({});
    const actor = createActor(machine, { input });
    const { context, value } = actor.getSnapshot();
    expect(context).toEqual(initialContext(input));
    expect(value).toEqual({ initializing: 'identifying' });
  });

  test('a halt has the reason of the very check that did not hold', () => {
    const { recordHalt } = machine.implementations.actions as unknown as Record<
      string,
      { assignment: (args: { context: NodeContext }, params: { rule: string }) => Partial<NodeContext> }
    >;
    const found = { state: 'damaged', expected: 'a', found: 'b' } as const;
    const context = contextOf({ identityFound: found });
    const rule = 'P5-I11 identityIsReadable';
    expect(recordHalt?.assignment({ context }, { rule })).toEqual({
      halt: (name === 'node' ? nodeClaims : primaryClaims)[rule].halt(context),
    });
  });
});

test('P5-I11: the actions of a primary record what they are told', () => {
  const actions = primaryMachine.implementations.actions as unknown as Record<
    string,
    { assignment: (args: { context: NodeContext }, told: unknown) => Partial<NodeContext> }
  >;
  const told = { kind: 'told' };
  const context = contextOf({});
  expect(actions['recordSurvey']?.assignment({ context }, told)).toEqual({ survey: told });
  expect(actions['recordApplied']?.assignment({ context }, told)).toEqual({ applied: told });
});
