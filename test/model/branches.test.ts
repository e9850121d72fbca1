/**
 * Every branch of the charts on its own: each claim that does not hold, each effect that fails, each ignored event, with
 * no effect running. What a branch needs to be taken is a context in which its claim does not hold.
 */
import type { AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { broken, step } from '../support/broken-contexts.ts';
import { eventOf, guardName, stateNodes, transitionsOf } from '../support/charts.ts';

describe.each([
  ['the node chart', nodeMachine as AnyStateMachine, 'replica.attach'],
  ['the chart of a primary', primaryMachine as AnyStateMachine, 'xstate.nudge'],
])('%s', (_name, machine, nudge) => {
  const nodes = stateNodes(machine).filter((node) => node !== machine.root);
  const proving = nodes.flatMap((node) => {
    const rule = transitionsOf(node)
      .map(guardName)
      .find((guard) => guard?.startsWith('P5-'));
    return rule === undefined || rule === null || /readsAreProven|noHaltIsRecorded/.test(rule)
      ? []
      : [[node.id, rule, node] as const];
  });

  test.each(proving)('P5-I10: %s halts when "%s" does not hold', (_id, rule, node) => {
    const patch = broken[rule];
    expect(patch, `a context that breaks ${rule}`).toBeDefined();
    const { top, context } = step(machine, node, { type: nudge }, patch);
    expect([top, context.halt?.rule]).toEqual(['halted', rule]);
    expect(Object.keys(context.halt?.evidence ?? {}).length).toBeGreaterThan(0);
  });

  const failing = nodes.flatMap((node) =>
    transitionsOf(node)
      .map(eventOf)
      .filter((event) => event.startsWith('xstate.error.actor.'))
      .map((event) => [node.id, event.slice('xstate.error.actor.'.length), node] as const),
  );
  test.each(failing)('P5-I10: %s goes nowhere but to a halt when %s fails', (id, effect, node) => {
    const { top, context } = step(machine, node, {
      type: `xstate.error.actor.${effect}`,
      error: new Error('broken'),
    } as never);
    expect(top).toBe(id.startsWith('node.stopped') ? 'stopped' : 'halted');
    const fault = context.halt?.evidence['effect'] ?? context.haltRecordFault?.effect;
    expect(fault).toBe(effect);
  });

  test.each(nodes.map((node) => [node.id, node] as const))(
    '%s knows what to do with every event',
    (_id, node) => {
      const fault = { effect: 'writePath', code: 'STORAGE_FAILED', message: 'm', error: {} } as const;
      if (node.type === 'final' || node.type === 'parallel' || Object.keys(node.states).length > 0) return;
      const isHalted = node.id.startsWith('node.halted');
      const failed = step(machine, node, { type: 'storage.failed', fault } as never);
      expect(failed.top).toBe(node.id.startsWith('node.stopped') ? 'stopped' : 'halted');
      const recording = /^node\.halted\.(draining|preserving|recording)$/.test(node.id);
      expect(step(machine, node, { type: 'node.stop' }).top).toBe(
        isHalted && recording ? 'halted' : 'stopped',
      );
    },
  );
});
