import { expect, onTestFinished, test, vi } from 'vitest';
import { CHARTS, coverageReport, recorded, type ChartCoverage } from '../support/chart-coverage.ts';
import { stateNodes, transitionNames } from '../support/charts.ts';
import { startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';

const NOTHING = { states: [], transitions: [] };

test('what nodes go through is recorded by the names of the chart, each chart for itself', async () => {
  expect(recorded()).toEqual({ node: NOTHING, primary: NOTHING });
  const replica = await startReplica({
    dataDir: await temporaryDirectory(),
    primaryUrl: 'http://127.0.0.1:1',
  });
  await replica.stop();
  const { node, primary } = recorded();
  expect(primary).toEqual(NOTHING);
  // The first state, an eventless way through, and a resting state.
  expect(node.states).toEqual(
    expect.arrayContaining(['node.initializing.identifying', 'node.initializing.routing', 'node.disabled']),
  );
  expect(node.transitions).toEqual(
    expect.arrayContaining([
      'node.initializing.identifying -- xstate.done.actor.readIdentity [0]',
      expect.stringMatching(/^node\.initializing\.routing -- always \[\d\]$/),
      'node -- node.stop [0]',
    ]),
  );
  expect(node.states.filter((id) => !stateNodes(CHARTS.node).some((one) => one.id === id))).toEqual([]);
  expect(node.transitions.filter((name) => !transitionNames(CHARTS.node).includes(name))).toEqual([]);
});

test('the report counts each state and transition once, and names what is missing', () => {
  const states = stateNodes(CHARTS.node).map(({ id }) => id);
  const transitions = transitionNames(CHARTS.node);
  const part = (from: number): ChartCoverage => ({
    node: { states: states.slice(from), transitions: transitions.slice(from) },
    primary: {
      states: stateNodes(CHARTS.primary).map(({ id }) => id),
      transitions: transitionNames(CHARTS.primary),
    },
  });
  const { states: allStates, transitions: allTransitions } = part(0).primary;
  const of = (all: readonly string[], missing: number) => `${all.length - missing}/${all.length}`;
  const primaryLine = `primary chart: states ${of(allStates, 0)}, transitions ${of(allTransitions, 0)}`;
  expect(coverageReport([part(2), part(1)], true).split('\n')).toEqual([
    `node chart: states ${of(states, 1)}, transitions ${of(transitions, 1)}`,
    `  state never entered: ${states[0]}`,
    `  transition never taken: ${transitions[0]}`,
    primaryLine,
  ]);
  expect(coverageReport([part(0), part(5)], false).split('\n')).toEqual([
    `node chart: states ${of(states, 0)}, transitions ${of(transitions, 0)}`,
    primaryLine,
  ]);
});

test('an inspector that throws is reported and disturbs nothing', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  onTestFinished(() => warn.mockRestore());
  const primary = await startPrimary(
    { dataDir: await temporaryDirectory() },
    {
      inspect: () => {
        throw new Error('broken');
      },
    },
  );
  const { commitId } = await primary.commit([{ op: 'put', collection: 'c', id: 'a', document: '1' }]);
  expect([commitId, primary.snapshot().value]).toEqual([1, 'disabled']);
  await primary.stop();
  expect(new Set(warn.mock.calls.map(([message]) => message))).toEqual(
    new Set(['an inspector failed: Error: broken']),
  );
});
