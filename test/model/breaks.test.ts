/**
 * Charts that were broken on purpose, each in one place, and once went unnoticed: the rule that names each of them now, in its
 * words, and the shortest way there.
 */
import { assign, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import type { NodeContext } from '../../machines/context.ts';
import { askedOtherwise, inputMutants } from '../../machines/model/chart-mutants.ts';
import { checkChart, exploreChart } from '../../machines/model/check.ts';
import { nodeClaims, nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import type { HaltReason } from '../../src/core/halt.ts';
import { positionOf } from '../../src/core/position.ts';
import { chainAtCut, type ChainState } from '../../src/core/wal/chain.ts';

const node = nodeMachine as AnyStateMachine;
const primary = primaryMachine as AnyStateMachine;

interface Args {
  readonly context: NodeContext;
}

/** The chart with one of its actions recording something else. */
const recording = (action: string, update: (context: NodeContext) => Partial<NodeContext>): AnyStateMachine =>
  node.provide({
    actions: { [action]: assign(({ context }) => update(context as NodeContext)) },
  } as never) as AnyStateMachine;

/** What breaks, and what happened last before it did. */
function brokenIn(machine: AnyStateMachine, role: 'primary' | 'replica' = 'replica') {
  const { counterexample } = checkChart(machine, role, { units: 3 });
  return [counterexample?.what, counterexample?.transcript.at(-1)?.replace(/^\d+\. (.*?) {2}→.*$/, '$1')];
}

describe('P5-I2: a chart that is broken in one place breaks a rule', () => {
  test('P5-I8: the checkpoint of an application that forgets the snapshot below it', () => {
    const machine = recording('recordApplied', ({ application, applied }) => ({
      applied: application === null ? applied : { ...application.checkpoint, snapshotCut: 0 },
      inFlight: null,
    }));
    expect(brokenIn(machine)).toEqual([
      'P5-I8: What is applied names the snapshot that this node began from, and no other. (it began from 1, and 0 is named)',
      'apply: applied',
    ]);
  });

  test('P5-I12: a gate that takes what is applied for what is proven', () => {
    const { holds } = nodeClaims['P5-I12 readsAreProven'];
    const believing = ({ context }: Args) => {
      const { applied, validated } = context;
      return holds({
        ...context,
        validated: applied && { ...(validated as ChainState), ...positionOf(applied) },
      });
    };
    const machine = node.provide({ guards: { 'P5-I12 readsAreProven': believing } } as never);
    expect(brokenIn(machine as AnyStateMachine)).toEqual([
      'P5-I12: The gate opens only where applied is a proven prefix and nothing is in flight. (received 8388608, validated 12582912, applied 4194304, in flight nothing, proven 8388608-12582912)',
      'apply: applied',
    ]);
  });

  test('P5-I5: a validator that is asked for what only the primary holds yet', () => {
    const machine = askedOtherwise(
      node,
      'validate',
      ({ from, receivedLsn }: { from: ChainState; receivedLsn: number }, { context }) => ({
        from,
        receivedLsn: Math.max(receivedLsn, context.primaryDurable?.lsn ?? 0),
      }),
    );
    expect(brokenIn(machine)).toEqual([
      'P5-I5: The validator is asked for what was received and is not proven, and for nothing beyond. (validate is asked for receivedLsn 8388608, and not 4194304)',
      'persist: persisted',
    ]);
  });

  test.each([
    ['node', node, 'replica'],
    ['primary', primary, 'primary'],
  ] as const)('P5-I15: a halt record of the %s without the evidence', (_name, machine, role) => {
    const silent = askedOtherwise(machine, 'writeHaltRecord', (halt: HaltReason) => ({
      ...halt,
      evidence: {},
    }));
    expect(brokenIn(silent, role)).toEqual([
      'P5-I15: The reason of a halt is kept and recorded whole, with all its evidence. (writeHaltRecord is asked for evidence {}, and not {"bytes_kept_in":"evidence/bytes","effect":"writePath","error":{"code":"EIO","name":"Error"}})',
      'keepEvidence: kept',
    ]);
  });

  test.each(['fetchSnapshot', 'probeResume'])(
    'P5-I1: the configured cluster where %s is of the own one',
    (effect) => {
      const machine = askedOtherwise(node, effect, (asked: object, { context }) => ({
        ...asked,
        clusterId: context.input.clusterId,
      }));
      expect(brokenIn(machine)[0]).toBe(
        `P5-I1: Whatever is asked of a cluster is asked of the one that this node is of. (${effect} is asked of null, and the node is of 22222222-2222-4222-8222-222222222222)`,
      );
    },
  );

  test('P5-I1: WAL behind a snapshot that is taken for that of a cluster with the name of the node', () => {
    const machine = recording('recordBootstrapped', ({ installed, identity }) =>
      installed === null || identity === null
        ? {}
        : {
            applied: installed.checkpoint,
            validated: chainAtCut(identity.nodeId, installed.cut),
            receivedLsn: installed.cut.lsn,
          },
    );
    expect(brokenIn(machine)).toEqual([
      'P5-I1: Whatever is asked of a cluster is asked of the one that this node is of. (attach is asked of 33333333-3333-4333-8333-333333333333, and the node is of 11111111-1111-4111-8111-111111111111)',
      'installSnapshot: at the cut',
    ]);
  });
});

describe.each([
  ['node', node, 'replica', 48],
  ['primary', primary, 'primary', 23],
] as const)('P5-I17: the %s chart', (_name, machine, role, fields) => {
  test('asks no effect anything that it could leave out unnoticed', () => {
    const bound = { units: 2 };
    const mutants = [...inputMutants(machine, (watching) => void exploreChart(watching, role, bound))];
    const unnoticed = mutants.filter(
      (mutant) => checkChart(mutant.machine(), role, bound).counterexample === null,
    );
    expect(unnoticed.map(({ name }) => name)).toEqual([]);
    expect(mutants.length).toBe(fields);
  });
});

test('a chart in which an effect is asked just what it was is the same chart', () => {
  const same = askedOtherwise(primary, 'writeHaltRecord', (asked) => asked);
  const { states, steps, counterexample } = checkChart(same, 'primary', { units: 2 });
  const { states: before, steps: stepsBefore } = checkChart(primary, 'primary', { units: 2 });
  expect([states, steps, counterexample]).toEqual([before, stepsBefore, null]);
});
