import { describe, expect, test } from 'vitest';
import { nodeMachine } from '../../machines/node.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { replicaState } from '../../machines/replica-state.ts';
import { INVARIANTS } from '../../src/core/invariants.ts';
import { eventOf, guardName, stateNodes, transitionsOf } from '../support/charts.ts';

const charts = [
  ['the node chart', nodeMachine],
  ['the chart of a primary', primaryMachine],
] as const;

describe.each(charts)('%s', (_name, machine) => {
  const nodes = stateNodes(machine);
  // The gate is the one place that does not halt: it refuses by staying closed.
  const deciding = nodes.filter(({ id }) => id !== 'node.replicating.readGate.closed');

  test('P5-I3, P5-I14: every state is described and names its invariants', () => {
    const bare = nodes
      .filter((node) => node !== machine.root)
      .filter(({ description, meta }) => {
        const invariants = (meta as { invariants?: string[] } | undefined)?.invariants ?? [];
        return !description || invariants.length === 0 || invariants.some((id) => !(id in INVARIANTS));
      })
      .map(({ id }) => id);
    expect(bare).toEqual([]);
  });

  test('P5-I3: no timers, no wildcards, no exit actions, no inline guards, fixed actor ids', () => {
    const faults = nodes.flatMap((node) => [
      ...(node.exit.length > 0 ? [`${node.id}: exit actions`] : []),
      ...(Object.keys(node.config.after ?? {}).length > 0 ? [`${node.id}: after`] : []),
      ...transitionsOf(node).flatMap((transition) => [
        ...(eventOf(transition).includes('*') ? [`${node.id}: wildcard`] : []),
        ...(guardName(transition) === 'inline' ? [`${node.id}: inline guard`] : []),
      ]),
      ...node.invoke.flatMap(({ id, src }) =>
        id === src ? [] : [`${node.id}: actor id ${id} is not ${JSON.stringify(src)}`],
      ),
    ]);
    expect(faults).toEqual([]);
  });

  test('P5-I10: every effect that can fail has a way out, and every list that an invariant guards ends in an unguarded branch', () => {
    const faults = deciding.flatMap((node) => {
      const byEvent = new Map<string, (string | null)[]>();
      for (const transition of transitionsOf(node)) {
        const list = byEvent.get(eventOf(transition)) ?? [];
        byEvent.set(eventOf(transition), [...list, guardName(transition)]);
      }
      return [
        ...node.invoke.flatMap(({ id }) =>
          byEvent.has(`xstate.error.actor.${id}`) && byEvent.has(`xstate.done.actor.${id}`)
            ? []
            : [`${node.id}: ${id}`],
        ),
        ...[...byEvent]
          .filter(([, guards]) => guards.some((guard) => guard?.startsWith('P5-')) && guards.at(-1) !== null)
          .map(([event]) => `${node.id}: ${event}`),
      ];
    });
    expect(faults).toEqual([]);
  });

  test('P5-I10: whatever proves an invariant halts when it does not hold', () => {
    const faults = deciding.flatMap((node) => {
      const always = node.always ?? [];
      const proves = always.some((transition) => /^P5-I\d+ /.test(guardName(transition) ?? ''));
      const last = always.at(-1)?.target?.[0]?.id ?? '';
      return proves && !last.startsWith('node.halted') ? [node.id] : [];
    });
    expect(faults).toEqual([]);
  });

  test('P5-I14: every top-level state has its own name in the DX API', () => {
    const names = Object.keys(machine.root.states).map((state) => replicaState(state));
    expect(new Set(names).size).toBe(names.length);
  });
});

test('P5-I16: the chart of a primary is the node chart with replication left out', () => {
  const shared = ['disabled', 'halted', 'stopped'] as const;
  for (const state of shared)
    expect(primaryMachine.config.states?.[state]).toBe(nodeMachine.config.states?.[state]);
});

describe('P5-I1: no states and no events beyond the documented list', () => {
  const events = (machine: typeof nodeMachine | typeof primaryMachine) =>
    [...new Set(stateNodes(machine).flatMap((node) => transitionsOf(node).map(eventOf)))]
      .filter((event) => !/^always$|^xstate\.(done|error)\.actor\./.test(event))
      .sort();

  test('the node chart', () => {
    const { states } = nodeMachine.root;
    expect(Object.keys(states)).toEqual([
      'initializing',
      'disabled',
      'recovering',
      'bootstrapping',
      'replicating',
      'halted',
      'stopped',
    ]);
    expect(Object.keys(states['replicating']?.states ?? {})).toEqual([
      'ingesting',
      'validating',
      'applying',
      'readGate',
    ]);
    expect(events(nodeMachine)).toEqual(['node.stop', 'replica.attach', 'storage.failed']);
  });

  test('the chart of a primary', () => {
    expect(Object.keys(primaryMachine.root.states)).toEqual([
      'initializing',
      'recovering',
      'disabled',
      'halted',
      'stopped',
    ]);
    expect(events(primaryMachine)).toEqual(['node.stop', 'storage.failed']);
  });
});
