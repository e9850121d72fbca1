/** The walker itself, on a system that is nothing but the pure chart, and on such as are not what the chart says. */
import { deepStrictEqual } from 'node:assert/strict';
import { expect, test } from 'vitest';
import type { AnyMachineSnapshot, AnyStateMachine, StateValue } from 'xstate';
import { nameOfPath, type TestPath } from '../../machines/model/paths.ts';
import { pureChart } from '../../machines/model/pure-chart.ts';
import { retraced, unwalked, walk, WalkError, type Walker } from '../../machines/model/walk.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { rejection } from '../support/nodes.ts';
import { pathsOf } from './paths.ts';

const chart = pureChart(primaryMachine as AnyStateMachine);
const paths = pathsOf('primary');
const path = paths.find(({ steps }) => steps.length === 4) as TestPath;

interface System {
  snapshot: AnyMachineSnapshot;
  readonly log: string[];
}

/** `deaf`: the step, counted from 1, at which the system does not move. */
function walkerOf(log: string[], deaf = 0): Walker<System> {
  let step = 0;
  return {
    start: async ({ start }) => ({ snapshot: chart.initial(start.input).snapshot, log }),
    cause: async (system, { move }) => {
      step += 1;
      log.push(move.name);
      if (step !== deaf) system.snapshot = chart.send(system.snapshot, move.event).snapshot;
    },
    agree: async ({ snapshot }, expected) => deepStrictEqual(snapshot.value, expected.value),
    end: async (_, isWalked) => void log.push(isWalked ? 'walked' : 'not walked'),
  };
}

test('P5-I17: a walk causes every step in its order, and ends the system', async () => {
  const log: string[] = [];
  await walk(path, walkerOf(log));
  expect(log).toEqual([...path.steps.map(({ move }) => move.name), 'walked']);
});

test('P5-I17: a system that is elsewhere after a step is found out at that step, by its name, and ended', async () => {
  for (let deaf = 1; deaf <= path.steps.length; deaf += 1) {
    const log: string[] = [];
    const error = (await rejection(walk(path, walkerOf(log, deaf)))) as WalkError;
    const walked = path.steps.slice(0, deaf).map(({ move }) => move.name);
    expect(error).toBeInstanceOf(WalkError);
    expect(error.walked).toEqual([path.start.name, ...walked]);
    expect(error.message).toContain(nameOfPath(path));
    expect(log).toEqual([...walked, 'not walked']);
  }
});

test('a path that does not lead where the exploration says is no path', () => {
  const [first, second] = path.steps;
  const forged = { ...path, steps: [{ ...first, snapshot: second?.snapshot }] } as TestPath;
  const valuesOf = ({ steps }: TestPath) => steps.map(({ snapshot }) => snapshot.value as StateValue);
  expect(valuesOf(retraced(chart, path))).toEqual(valuesOf(path));
  expect(() => retraced(chart, forged)).toThrow('leads elsewhere than the exploration says');
});

test('what was not taken is named', () => {
  expect(unwalked(['a', 'b', 'c'], new Set(['b']))).toEqual(['a', 'c']);
});
