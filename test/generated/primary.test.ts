/** Every transition of the primary's chart, walked by a real primary on real files, as `replica.test.ts` does for replicas. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { primaryOutcomes } from '../../machines/model/outcomes.ts';
import { nameOfPath } from '../../machines/model/paths.ts';
import { unwalked, walk } from '../../machines/model/walk.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { transitionNames } from '../support/charts.ts';
import { missingFrom, notByTheWorld, primaryExecutors } from './executors/index.ts';
import { makeHistory, type RealHistory } from './history.ts';
import { pathsOf } from './paths.ts';
import { walkerOf } from './walking.ts';

const paths = pathsOf('primary');

let history: RealHistory;
beforeAll(async () => {
  history = await makeHistory();
});
afterAll(() => history.close());

const taken = new Set<string>();
const walker = walkerOf('primary', () => history, primaryExecutors, taken);

describe('P5-I17: a real primary along every generated path', () => {
  for (const path of paths) test(nameOfPath(path), () => walk(path, walker));

  test('P5-I3, P5-I17: no transition of the primary chart is left unwalked', () => {
    expect(unwalked(transitionNames(primaryMachine as AnyStateMachine), taken)).toEqual([]);
  });
});

test('P5-I17: every outcome of the model has somebody who causes it, and nobody causes what the model does not know', () => {
  expect(missingFrom(primaryExecutors, primaryOutcomes)).toEqual([]);
});

test('so many paths, and so many steps', () => {
  expect([paths.length, paths.reduce((steps, path) => steps + path.steps.length, 0)]).toEqual([36, 90]);
});

test('what the world alone does not cause, and why', () => {
  expect(notByTheWorld(primaryExecutors)).toEqual([
    'seam: drain fails (draining waits for writes and does none of its own)',
    'seam: keepEvidence fails (no unit was looked at yet, so there are no bytes whose keeping could fail)',
    'seam: keepEvidence: kept (no unit was looked at yet, so there are no bytes to be kept: the seam keeps some)',
    'seam: release fails (closing files of which none is open cannot fail, and a primary has no source)',
  ]);
});
