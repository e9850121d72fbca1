/**
 * There is one check, and everything that decides or explains asks it: a check is turned off, or on, or made blind, and
 * the guard of the chart, the candidate, the halt, the transition and the explanation all follow; nothing else does.
 */
import type { AnyStateMachine } from 'xstate';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Claim } from '../../machines/claims.ts';
import { nodeClaims, nodeMachine } from '../../machines/node.ts';
import { primaryClaims, primaryMachine } from '../../machines/primary.ts';
import { explainRecovery } from '../../src/core/explain/recovery.ts';
import type { ChartFacts } from '../../src/node/chart-facts.ts';
import { explainMachine } from '../../src/node/explain-machine.ts';
import { TransitionReader, type Transition } from '../../src/node/transitions.ts';
import { primaryChart } from '../../src/primary/chart.ts';
import { replicaChart } from '../../src/replica/chart.ts';
import { broken, contextOf, fetched, step, valueOf } from '../support/broken-contexts.ts';
import { recordedHalt } from '../support/claim-parts.ts';
import { guardName, stateNodes, transitionsOf } from '../support/charts.ts';
import { allChecks, evaluationOf, turned, VALUES } from './checks.ts';

afterEach(() => vi.restoreAllMocks());

const CHARTS: readonly (readonly [
  string,
  AnyStateMachine,
  ChartFacts,
  Readonly<Record<string, Claim>>,
  string,
])[] = [
  ['the node chart', nodeMachine as AnyStateMachine, replicaChart, nodeClaims, 'replica.attach'],
  ['the chart of a primary', primaryMachine as AnyStateMachine, primaryChart, primaryClaims, 'xstate.nudge'],
];

/** What a node may have seen when it asks a rule: something that does not satisfy it. */
const contextFor = (rule: string) =>
  contextOf({
    recordedHalt: rule === 'P5-I10 noHaltIsRecorded' ? recordedHalt : null,
    // Where the rule holds, the next effect of a bootstrap is told what was fetched.
    ...(/baseIsWhole|walResumesAtTheCut/.test(rule) ? fetched({}) : {}),
    ...broken[rule],
  });

describe.each(CHARTS)(
  'P5-I15: one check of %s is guard, candidate, halt and transition',
  (_name, machine, facts, claims, nudge) => {
    const guards = machine.implementations.guards as Record<string, (args: object) => boolean>;
    const asked = stateNodes(machine).flatMap((node) =>
      [...new Set(transitionsOf(node).map(guardName))].flatMap((rule) =>
        rule === null || !rule.startsWith('P5-') ? [] : [[node.id, rule, node] as const],
      ),
    );

    test('every claim of the chart is asked somewhere, and is a check that is defined once', () => {
      expect(new Set(asked.map(([, rule]) => rule))).toEqual(new Set(Object.keys(claims)));
      for (const [name, { rule }] of Object.entries(claims)) {
        expect(rule).toBe(name);
        expect(allChecks.filter((check) => check.rule === rule)).toHaveLength(1);
      }
    });

    test.each(asked)('P5-I10: %s follows "%s" wherever it is turned', (_id, rule, node) => {
      const context = contextFor(rule);
      const claim = claims[rule] as Claim;
      const others = () =>
        Object.fromEntries(
          Object.entries(claims)
            .filter(([name]) => name !== rule)
            .map(([name, one]) => [name, one.verdict(context).evaluation]),
        );
      const before = others();
      for (const value of VALUES) {
        const evaluation = evaluationOf(value);
        turned(rule, value);
        expect([rule, value, claim.holds(context), guards[rule]?.({ context })]).toEqual([
          rule,
          value,
          value === true,
          value === true,
        ]);
        expect(claim.verdict(context)).toMatchObject({ rule, evaluation });
        expect(claim.halt(context).rule).toBe(rule);
        expect(others()).toEqual(before);
        const { candidates } = explainMachine(facts, { status: 'active', value: valueOf(node), context });
        const own = candidates.filter(({ source }) => source === node.id);
        expect(own.map(({ guard, verdict, allowed }) => [guard, verdict?.evaluation, allowed])).toEqual(
          own.map(({ guard }) =>
            guard === rule ? [rule, evaluation, value === true] : [null, undefined, value !== true],
          ),
        );
        expectStep(machine, claims, node.id, rule, value, () => {
          const reader = new TransitionReader(claims);
          const read: Transition[] = [];
          const patch = { ...context };
          const reached = step(machine, node, { type: nudge }, patch, (inspection) => {
            const transition = reader.read(inspection);
            if (transition !== null) read.push(transition);
          });
          return { read, reached };
        });
        vi.restoreAllMocks();
      }
    });
  },
);

/** One step from a state that asks a rule: where it leads, why, and what the record of it says. */
function expectStep(
  machine: AnyStateMachine,
  claims: Readonly<Record<string, Claim>>,
  id: string,
  rule: string,
  value: boolean | null,
  take: () => { read: Transition[]; reached: ReturnType<typeof step> },
): void {
  const { read, reached } = take();
  const first = read.find(({ verdicts }) => verdicts.some((one) => one.rule_id === rule));
  const verdict = first?.verdicts.find((one) => one.rule_id === rule);
  if (rule === 'P5-I12 readsAreProven') {
    // A gate that stays closed is no step.
    expect(verdict?.evaluation).toBe(value === true ? 'holds' : undefined);
    return;
  }
  expect([machine.id, id, verdict?.evaluation]).toEqual([machine.id, id, evaluationOf(value)]);
  const ownHalt = read.some(
    ({ to, verdicts }) => to.startsWith('halted') && verdicts.some((one) => one.rule_id === rule),
  );
  expect(ownHalt).toBe(value !== true);
  if (value === true) return;
  expect([reached.top, reached.context.halt?.rule]).toEqual([
    'halted',
    rule === 'P5-I10 noHaltIsRecorded' ? recordedHalt.rule : rule,
  ]);
  if (rule !== 'P5-I10 noHaltIsRecorded')
    expect(verdict?.evidence).toEqual(claims[rule]?.verdict(reached.context).evidence);
}

describe('P5-I15: the explanation of a recovery asks the checks that the chart asks, in its order', () => {
  test.each([
    ['replica', nodeMachine as AnyStateMachine],
    ['primary', primaryMachine as AnyStateMachine],
  ] as const)('P5-I11: of a %s', (role, machine) => {
    const asked = stateNodes(machine)
      .filter(({ path }) => path[0] === 'recovering' && path.length === 2)
      .flatMap((node) => transitionsOf(node).map(guardName))
      .filter((rule): rule is string => rule?.startsWith('P5-') === true);
    const record = {
      role,
      bootstrap: 'wal',
      recordedHalt: null,
      survey: contextFor('P5-I4 prefixIsProven').survey,
      repair: { discardedPartials: [], discardedTail: null },
    } as const;
    const explained = () => explainRecovery(record).rules_applied.map((one) => [one.rule_id, one.evaluation]);
    expect(explained().map(([rule]) => rule)).toEqual(asked);
    const before = explained();
    for (const rule of asked)
      for (const value of VALUES) {
        turned(rule, value);
        expect(explained()).toEqual(
          before.map(([name, evaluation]) => [name, name === rule ? evaluationOf(value) : evaluation]),
        );
        const first = explained().find(([, evaluation]) => evaluation !== 'holds');
        const { result, reason } = explainRecovery(record).conclusion;
        expect([result, reason]).toEqual(
          first === undefined ? [role === 'primary' ? 'recovered' : 'replicate', null] : ['halted', first[0]],
        );
        vi.restoreAllMocks();
      }
  });

  test('P5-I10: a recorded halt counts as long as its check says so, for the decision as well', () => {
    const context = contextFor('P5-I4 baseIsInPlace');
    const whole = contextFor('P5-I8 baseIsInPlace').survey;
    const survey = whole && { ...whole, base: { state: 'not needed' as const, cutCommitId: null } };
    const record = { role: 'replica', bootstrap: 'wal', recordedHalt, survey, repair: null } as const;
    expect(context.recordedHalt).toBeNull();
    expect(explainRecovery(record)).toMatchObject({
      inputs: { answers: { halt: 'recorded' } },
      conclusion: { result: 'stays halted', reason: 'WAL_CORRUPT: m' },
    });
    turned('P5-I10 noHaltIsRecorded', true);
    expect(explainRecovery(record)).toMatchObject({
      inputs: { answers: { halt: 'none' } },
      conclusion: { result: 'undetermined', reason: 'the repair has not come to its end' },
    });
  });
});
