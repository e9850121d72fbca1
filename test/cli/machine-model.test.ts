import type { AnyStateMachine } from 'xstate';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CHARTS } from '../../machines/charts.ts';
import { mutated } from '../../machines/model/mutants.ts';
import { nodeMachine } from '../../machines/node.ts';
import { checkModel, modelText, type CheckedModel, type ModelChecks } from '../../src/cli/model/check.ts';
import { pathsText, type ShownPaths } from '../../src/cli/model/paths.ts';
import { cli, cliJson } from '../support/cli.ts';

/** The smallest bounds that there are. */
const SMALL = ['--units', '1', '--faults', '0', '--crashes', '0'];

describe('replichart machine paths', () => {
  test('P5-I17: --json prints paths that take every transition, each move from where the last one rested', async () => {
    const { exit, body, err } = await cliJson<ShownPaths>(['machine', 'paths', '--chart', 'primary']);
    expect([exit, err, body.chart, body.units]).toEqual([0, '', 'primary', 3]);
    const taken = new Set(body.paths.flatMap(({ moves }) => moves.flatMap(({ transitions }) => transitions)));
    const all = CHARTS.primary.transitions.filter(({ event }) => event !== 'initial').map(({ id }) => id);
    expect([...taken].sort()).toEqual(all.sort());
    expect(body.paths[0]).toEqual({
      start: 'start as a named node of a named cluster, replication enabled, bootstrap from wal',
      input: {
        role: 'primary',
        replication: 'enabled',
        bootstrap: 'wal',
        clusterId: '11111111-1111-4111-8111-111111111111',
        nodeId: '33333333-3333-4333-8333-333333333333',
      },
      state: 'initializing.identifying',
      moves: [
        {
          move: 'readIdentity: of this node',
          event: 'xstate.done.actor.readIdentity',
          effect: 'readIdentity',
          outcome: 'of this node',
          state: 'initializing.readingHalt',
          transitions: expect.arrayContaining([
            'node.initializing.identifying -- xstate.done.actor.readIdentity [0]',
          ]) as unknown,
        },
        expect.objectContaining({ move: 'readHaltRecord: none', state: 'recovering.surveying' }),
        expect.objectContaining({ move: 'surveyDisk: nothing yet', state: 'recovering.repairing' }),
        expect.objectContaining({ move: 'repairPrimary: repaired', state: 'disabled' }),
      ],
    });
  });

  test('people get the same paths: a start, and numbered moves with where the chart rests after each', async () => {
    const { exit, out, err } = await cli(['machine', 'paths', '--chart', 'primary']);
    expect([exit, err]).toEqual([0, '']);
    const { body } = await cliJson<ShownPaths>(['machine', 'paths', '--chart', 'primary']);
    expect(out).toBe(`${pathsText(body)}\n`);
    const [head, first] = out.split('\n\n');
    expect(head).toBe(
      `${body.paths.length} paths through the primary chart; together they take 48 transitions`,
    );
    expect(first?.split('\n')).toEqual([
      'path 1: start as a named node of a named cluster, replication enabled, bootstrap from wal  → initializing.identifying',
      '  1. readIdentity: of this node  → initializing.readingHalt',
      '  2. readHaltRecord: none  → recovering.surveying',
      '  3. surveyDisk: nothing yet  → recovering.repairing',
      '  4. repairPrimary: repaired  → disabled',
    ]);
  });
});

describe('replichart machine check', () => {
  test('P5-I2: explores both charts and the products, and says with exit code 0 that nothing breaks', async () => {
    const { exit, body, err } = await cliJson<CheckedModel>(['machine', 'check', ...SMALL]);
    expect([exit, err, body.verdict]).toEqual([0, '', 'holds']);
    expect(body.charts.map(({ chart, bound, counterexample }) => [chart, bound, counterexample])).toEqual([
      ['node', { units: 1 }, null],
      ['primary', { units: 1 }, null],
    ]);
    expect(body.charts[1]?.transitions).toEqual({ taken: 48, all: 48, never: [] });
    expect(
      body.products.map(({ bootstrap, bound, counterexample }) => [bootstrap, bound, counterexample]),
    ).toEqual([
      ['wal', { units: 1, faults: 0, crashes: 0 }, null],
      ['snapshot', { units: 1, faults: 0, crashes: 0 }, null],
    ]);
    expect(body).toEqual(
      checkModel({ charts: ['node', 'primary'], units: 1, faults: 0, crashes: 0 }, () => undefined),
    );
  });

  test('people get sizes, transitions taken, guards asked with both outcomes, and the verdict', async () => {
    const { exit, out, err } = await cli(['machine', 'check', '--chart', 'primary']);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "the primary chart, among effects that may answer anything
      units of WAL  3
      states        74
      steps         296
      events        20
      transitions   48 of 48 taken
      guards        11 of 11 asked with both outcomes
      no counterexample

      verdict: holds. Within these bounds nothing breaks an invariant.
      "
    `);
  });

  describe('P5-I10: where a guard always holds', () => {
    const CHECK = '../../src/cli/model/check.ts';
    const machine = mutated(nodeMachine as AnyStateMachine, 'P5-I5 checksumMatches', true);

    beforeAll(() => {
      vi.doMock(CHECK, () => ({
        modelText,
        checkModel: (checks: ModelChecks, show: () => void) => checkModel(checks, show, { node: machine }),
      }));
    });
    afterAll(() => {
      vi.doUnmock(CHECK);
    });

    test('the exit code is 1, and people get the way there, one line for each thing that happens', async () => {
      const { exit, out, err } = await cli(['machine', 'check', '--chart', 'node', ...SMALL]);
      expect([exit, err]).toEqual([1, '']);
      expect(out).toMatchInlineSnapshot(`
        "the node chart, among effects that may answer anything
        units of WAL  1
        states        255
        steps         1196
        events        45
        transitions   125 of 177 taken
        guards        39 of 47 asked with both outcomes
        counterexample: P5-I10: What speaks against history halts, by the rule that it breaks; what does not, does not. (expected P5-I5 checksumMatches, found no halt)
          1. start as a named node of a named cluster, replication enabled, bootstrap from wal  → initializing.identifying
          2. readIdentity: of this node  → initializing.readingHalt
          3. readHaltRecord: none  → recovering.surveying
          4. surveyReplica: nothing yet  → recovering.repairing
          5. repairReplica: repaired  → replicating.ingesting.attaching | replicating.validating.idle | replicating.applying.idle | replicating.readGate.open
          6. attach: attached  → replicating.ingesting.receiving | replicating.validating.idle | replicating.applying.idle | replicating.readGate.open
          7. receive: a unit  → replicating.ingesting.persisting | replicating.validating.idle | replicating.applying.idle | replicating.readGate.open
          8. persist: persisted  → replicating.ingesting.receiving | replicating.validating.checking | replicating.applying.idle | replicating.readGate.open
          9. validate: checksum does not match  → replicating.ingesting.receiving | replicating.validating.checking | replicating.applying.replaying | replicating.readGate.closed

        a replica that begins from WAL, among a primary, a network and a disk
        units of WAL  1
        faults        0
        crashes       0
        states        48
        steps         82
        no counterexample

        a replica that begins from a snapshot, among a primary, a network and a disk
        units of WAL  1
        faults        0
        crashes       0
        states        78
        steps         138
        no counterexample

        verdict: broken. What the counterexample shows can happen to a node.
        "
      `);
    });

    test('JSON has the same counterexample', async () => {
      const { exit, body } = await cliJson<CheckedModel>(['machine', 'check', '--chart', 'node', ...SMALL]);
      expect([exit, body.verdict]).toEqual([1, 'broken']);
      expect(body.charts[0]?.counterexample?.transcript.length).toBeGreaterThan(5);
      expect(modelText(body)).toContain(body.charts[0]?.counterexample?.transcript.join('\n  '));
    });
  });

  test('says how many states it has found by then, and no more than that', () => {
    const shown: string[] = [];
    const { charts } = checkModel({ charts: ['node'], units: 1, faults: 0, crashes: 0 }, (text) =>
      shown.push(text),
    );
    expect(charts[0]?.states).toBeGreaterThan(250);
    expect(shown).toEqual(['the node chart: 250 states found']);
  });

  test.each([
    ['--units', '0'],
    ['--units', '9'],
    ['--units', 'three'],
    ['--faults', '5'],
    ['--crashes', '-1'],
    ['--chart', 'replica'],
  ])('%s %s is a usage error', async (...args) => {
    const { exit, out, err } = await cli(['machine', 'check', ...args]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain(args[0]);
  });

  test('larger bounds than the defaults are said to take long, before anything is explored', async () => {
    const { exit, err } = await cli(['machine', 'check', '--chart', 'primary', '--units', '4']);
    expect([exit, err]).toEqual([0, 'replichart: larger bounds than the defaults may take many minutes\n']);
  });
});
