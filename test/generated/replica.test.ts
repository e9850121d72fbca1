/**
 * Every transition of the replica's chart, walked by a real replica: real effects on real files, over real HTTP from a real
 * primary. The paths are generated from the chart; what each step says is caused for real, and after it model, engine,
 * DX answers and files are compared.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { nodeOutcomes } from '../../machines/model/outcomes.ts';
import { nameOfPath } from '../../machines/model/paths.ts';
import { unwalked, walk } from '../../machines/model/walk.ts';
import { nodeMachine } from '../../machines/node.ts';
import { transitionNames } from '../support/charts.ts';
import { missingFrom, notByTheWorld, replicaExecutors } from './executors/index.ts';
import { makeHistory, type RealHistory } from './history.ts';
import { pathsOf } from './paths.ts';
import { walkerOf } from './walking.ts';

const paths = pathsOf('replica');

let history: RealHistory;
beforeAll(async () => {
  history = await makeHistory();
});
afterAll(() => history.close());

const taken = new Set<string>();
const walker = walkerOf('replica', () => history, replicaExecutors, taken);

describe('P5-I17: a real replica along every generated path', () => {
  for (const path of paths) test(nameOfPath(path), () => walk(path, walker));

  test('P5-I3, P5-I17: no transition of the node chart is left unwalked', () => {
    expect(unwalked(transitionNames(nodeMachine as AnyStateMachine), taken)).toEqual([]);
  });
});

test('P5-I17: every outcome of the model has somebody who causes it, and nobody causes what the model does not know', () => {
  expect(missingFrom(replicaExecutors, nodeOutcomes)).toEqual([]);
});

test('so many paths, and so many steps', () => {
  expect([paths.length, paths.reduce((steps, path) => steps + path.steps.length, 0)]).toEqual([109, 536]);
});

test('what the world alone does not cause, and why', () => {
  expect(notByTheWorld(replicaExecutors)).toEqual([
    'peer: attach: attached at another place (a primary answers from where it was asked)',
    'peer: attach: refused: diverged (the beginning is everybody’s history)',
    'peer: attach: refused: no such position (the beginning is a position of everybody)',
    'peer: attach: refused: pruned (a primary does not prune yet)',
    'peer: fetchSnapshot: a damaged block (on its way)',
    'peer: fetchSnapshot: a damaged manifest (a primary does not offer a manifest that it sees is damaged)',
    'peer: meetPrimary: met, of another format (there is one format version only)',
    'peer: probeResume: refused: pruned (a primary does not prune yet)',
    'peer: probeResume: resumes elsewhere (a primary’s WAL goes on where it was cut)',
    'peer: receive: a unit at another place (the bytes of the second unit come where the first is due)',
    'seam: apply: with a checkpoint elsewhere (a lie: it applied one unit, and says two)',
    'seam: boundary fails (the boundary does nothing that could fail)',
    'seam: drain fails (draining waits for writes and does none of its own)',
    'seam: installSnapshot: with a checkpoint elsewhere (a lie: it installed one cut, and says another)',
    'seam: keepEvidence fails (no unit was looked at yet, so there are no bytes whose keeping could fail)',
    'seam: keepEvidence: kept (no unit was looked at yet, so there are no bytes to be kept: the seam keeps some)',
    'seam: receive fails (it waits for bytes in memory, and a stream that breaks is an answer)',
    'seam: receive: a batch from elsewhere (the inbox begins where the node has received to; that it says so is what the seam denies)',
    'seam: validate: a piece that does not follow (a lie: another piece than was asked for)',
    'seam: validate: an end before what was proven (a lie: an end before its beginning)',
    'source: attach fails (the HTTP source answers where others throw)',
    'source: meetPrimary fails (the HTTP source answers where others throw)',
    'source: probeResume fails (the HTTP source answers where others throw)',
    'source: receive: a gap between chunks (over HTTP the place of a chunk is counted, so only a host’s own source can leave one out)',
    'source: release fails (closing files of which none is open cannot fail; a host’s own source can)',
  ]);
});
