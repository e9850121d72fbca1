import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assign, createActor, fromPromise, type AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { nodeMachine } from '../../machines/node.ts';
import type { NodeInput } from '../../machines/context.ts';
import { flightFileBytesMax, FlightWriter } from '../../src/io/flight-writer.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { FlightQueue } from '../../src/node/flight-queue.ts';
import { FlightRecorder } from '../../src/node/flight-recorder.ts';
import { TransitionReader } from '../../src/node/transitions.ts';
import { PRODUCTION_CHARTS, type ReplayedChart } from '../../src/replay/charts.ts';
import { replicaChart } from '../../src/replica/chart.ts';
import { chartOf } from '../../machines/chart.ts';
import type { InspectionEvent } from 'xstate';
import {
  fedUnitByUnit,
  fixturePath,
  forgedVerdict,
  newestFlight,
  recordedReplica,
  recordsOf,
  replayed,
  RUN,
} from '../support/flights.ts';
import { CLUSTER, NODE, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit } from '../support/replicas.ts';
import { recordedWal } from '../support/sources.ts';

/** The production charts with another machine for replicas. */
const mutated = (machine: AnyStateMachine): Readonly<Record<'node' | 'primary', ReplayedChart>> => ({
  ...PRODUCTION_CHARTS,
  node: { ...PRODUCTION_CHARTS.node, machine },
});

const steps = async (fixture: string) =>
  recordsOf(await readFile(fixturePath(fixture))).filter(({ type }) => type === 'step') as {
    n: number;
    step: number;
    event: { type: string };
    state: string;
    changed: Record<string, string>;
  }[];

describe('a replay against a machine that is another one finds the first difference', () => {
  test('P5-I5: a guard that lets a wrong checksum pass', async () => {
    const machine = nodeMachine.provide({ guards: { 'P5-I5 checksumMatches': () => true } });
    const { verdict, difference } = await replayed(fixturePath('checksum-mismatch'), {
      charts: mutated(machine),
    });
    const halting = (await steps('checksum-mismatch')).find(({ state }) => state === 'halted.draining');
    expect(verdict).toBe('different');
    expect(difference).toMatchObject({
      record: halting?.n,
      step: halting?.step,
      event: 'xstate.done.actor.validate',
      what: 'transitions',
      expected: ['node.replicating.validating.provingChecksum -- always [1]'],
      found: ['node.replicating.validating.provingChecksum -- always [0]'],
    });
  });

  test('P5-I4: a guard that stops what was in order', async () => {
    const machine = nodeMachine.provide({ guards: { 'P5-I4 receivedIsInOrder': () => false } });
    const { difference } = await replayed(fixturePath('detach-attach'), { charts: mutated(machine) });
    const first = (await steps('detach-attach')).find(
      ({ event }) => event.type === 'xstate.done.actor.receive',
    );
    expect(difference).toMatchObject({ record: first?.n, what: 'transitions' });
  });

  test('an assignment that counts one byte too much', async () => {
    const machine = nodeMachine.provide({
      actions: {
        recordReceived: assign((_, receivedLsn) => ({ receivedLsn: receivedLsn + 1 })),
      },
    });
    const { difference } = await replayed(fixturePath('detach-attach'), { charts: mutated(machine) });
    const first = (await steps('detach-attach')).find(
      ({ event }) => event.type === 'xstate.done.actor.persist',
    );
    const expected = Number(first?.changed['receivedLsn']);
    expect(difference).toMatchObject({
      record: first?.n,
      step: first?.step,
      event: 'xstate.done.actor.persist',
      what: 'context.receivedLsn',
      expected: String(expected),
      found: String(expected + 1),
    });
  });

  test('an assignment that keeps something else in a field that is told by its hash', async () => {
    const machine = nodeMachine.provide({
      actions: { recordApplication: assign({ application: null, haltRecordFault: null }) },
    });
    const { difference } = await replayed(fixturePath('detach-attach'), { charts: mutated(machine) });
    const first = (await steps('detach-attach')).find(
      ({ event }) => event.type === 'xstate.done.actor.apply',
    );
    // Where the checkpoint that it is judged by is missing, the chart goes another way first.
    expect(difference).toMatchObject({ record: first?.n, what: 'transitions' });
  });
});

test.each([
  ['the state', { state: 'replicating' }, 'state'],
  ['the status', { status: 'done' }, 'status'],
  ['the positions', { positions: { received_lsn: 1 } }, 'positions'],
  ['a field of the context', { changed: { identityFound: '1' } }, 'context.identityFound'],
  ['the digest', { digest: '00' }, 'digest'],
  ['the number of the step', { step: 9 }, 'step'],
  ['the moves', { moves: [] }, 'transitions'],
])('%s of a record is compared', async (_name, forged, what) => {
  const records = recordsOf(await readFile(fixturePath('gap')));
  expect(
    await forgedVerdict(records.map((one, index) => (index === 1 ? { ...one, ...forged } : one))),
  ).toMatchObject({
    verdict: 'different',
    difference: { record: 2, what },
  });
});

test('where a run begins is where the machine begins', async () => {
  const [header, ...rest] = recordsOf(await readFile(fixturePath('gap'))) as { point: { context: object } }[];
  const point = { ...header?.point, context: { ...header?.point.context, receivedLsn: 0 } };
  expect(await forgedVerdict([{ ...header, point }, ...rest])).toMatchObject({
    difference: { record: 1, what: 'snapshot', expected: { receivedLsn: 0 }, found: { receivedLsn: null } },
  });
});

test.each(['transitions', 'entered', 'verdicts', 'sequence'])('%s of a move are compared', async (what) => {
  const records = recordsOf(await readFile(fixturePath('gap'))) as { moves?: Record<string, unknown>[] }[];
  const forged = records.map((one, index) =>
    index === 1
      ? { ...one, moves: one.moves?.map((move, at) => (at === 1 ? { ...move, [what]: ['x'] } : move)) }
      : one,
  );
  expect(await forgedVerdict(forged)).toMatchObject({ difference: { record: 2, what } });
});

test('evidence is compared, to its last leaf', async () => {
  const text = JSON.stringify(recordsOf(await readFile(fixturePath('checksum-mismatch'))));
  const found =
    /"violated","evidence":\{"lsn":(\d+)/.exec(text) ?? /"violated","evidence":\{[^{]*?(\d+)/.exec(text);
  const [whole, digits] = found as unknown as [string, string];
  const records = JSON.parse(
    text.replace(whole, whole.replace(digits, String(Number(digits) + 1))),
  ) as object[];
  expect(await forgedVerdict(records)).toMatchObject({ difference: { what: 'verdicts' } });
});

/** A recorder beside a node, with a queue that the test holds. */
async function recorderBeside(open: (directory: string) => Promise<FlightWriter>, queueBytesMax: number) {
  const directory = join(await temporaryDirectory(), 'flight');
  const faults: unknown[] = [];
  const recorder = new FlightRecorder({
    chart: 'node',
    run: RUN,
    fileBytesMax: flightFileBytesMax(BOUND),
    queue: new FlightQueue(() => open(directory), queueBytesMax),
    onFault: (error) => faults.push(error),
  });
  const reader = new TransitionReader(replicaChart.claims);
  const watch = (inspection: InspectionEvent) => recorder.observe(inspection, reader.read(inspection));
  return { recorder, watch, directory, faults };
}
const BOUND = 16 * 1024 * 1024;
const openWriter = (directory: string) => FlightWriter.open(nodeFileSystem, directory, BOUND);

test('where the disk does not keep up, steps are left out and counted, and the replay goes on behind them', async () => {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const open = async (directory: string) => {
    await held;
    return openWriter(directory);
  };
  const { recorder, watch, directory, faults } = await recorderBeside(open, 300_000);
  const wal = await recordedWal(80);
  const { walSource, inspect } = fedUnitByUnit(wal);
  const replica = await startReplica(
    {
      dataDir: await temporaryDirectory(),
      primaryUrl: 'http://127.0.0.1:1',
      replication: 'enabled',
      nodeId: NODE,
    },
    {
      walSource,
      inspect: (inspection) => {
        inspect?.(inspection);
        watch(inspection);
      },
    },
  );
  await appliedCommit(replica, 80);
  const { lost } = recorder.figures;
  expect(lost).toBeGreaterThan(10);
  letGo();
  await replica.stop();
  await recorder.close();
  expect(faults).toEqual([]);
  const found = await replayed(directory);
  expect(found).toMatchObject({ verdict: 'same', gaps: 1, ended: 1 });
  expect(found.lost).toBe(recorder.figures.lost);
  expect(found.lost + found.steps).toBe(found.final?.step);
  expect(found.final?.state).toBe('stopped.closed');
});

describe('a chart that throws', () => {
  const GENESIS = { commitId: 0, lsn: 0, historyHash: '0'.repeat(64) };
  const chain = {
    ...GENESIS,
    clusterId: CLUSTER,
    segmentIndex: 0,
    segmentStartLsn: 0,
    expects: 'segment header',
  };
  const answers = {
    readIdentity: { state: 'absent', dataFiles: [] },
    meetPrimary: {
      kind: 'met',
      primary: { clusterId: CLUSTER, formatVersion: 1, oldestLsn: 0, durable: GENESIS },
    },
    claimIdentity: { formatVersion: 1, clusterId: CLUSTER, nodeId: NODE, role: 'replica' },
    readHaltRecord: null,
    surveyReplica: {
      checkpoint: { state: 'absent' },
      wal: { segments: 0, startLsn: 0, endLsn: 0, discontinuity: null },
      base: { state: 'not needed', cutCommitId: null },
      partials: [],
      prefix: { state: 'proven', chain },
      tail: { provenTo: chain, stop: null, validUnitAfterLsn: null },
    },
    repairReplica: { resume: null, discardedPartials: [], discardedTail: null },
  };
  const effects = Object.entries(answers).map(([name, answer]) => [name, fromPromise(async () => answer)]);
  const machine = nodeMachine.provide({
    actors: Object.fromEntries(effects) as never,
    guards: {
      'route planIsToBootstrap': () => {
        throw new RangeError('the bug of a guard');
      },
    },
  });
  test('leaves the event and the error, and throws the same when it is replayed', async () => {
    const { recorder, watch, directory } = await recorderBeside(openWriter, 1_000_000);
    const input: NodeInput = {
      role: 'replica',
      replication: 'enabled',
      bootstrap: 'wal',
      clusterId: null,
      nodeId: null,
    };
    const actor = createActor(machine, { input, inspect: watch });
    const failed = new Promise<unknown>((resolve) => actor.subscribe({ error: resolve }));
    actor.subscribe({ error: (error) => recorder.failed(error) });
    actor.start();
    expect(await failed).toBeInstanceOf(RangeError);
    await recorder.close();
    const last = recordsOf(await newestFlight(join(directory, '..'))).at(-2);
    expect(last).toMatchObject({
      type: 'failed',
      event: { type: 'xstate.done.actor.repairReplica' },
      error: { kind: 'error', name: 'RangeError', message: 'the bug of a guard' },
    });
    expect(await replayed(directory, { charts: mutated(machine) })).toMatchObject({ verdict: 'same' });
    expect(await replayed(directory)).toMatchObject({
      verdict: 'different',
      difference: { record: last?.['n'], what: 'failure', expected: last?.['error'], found: null },
    });
  });
});

test('what a replay runs is what nodes run', () => {
  expect(PRODUCTION_CHARTS.node).toEqual({ machine: nodeMachine, claims: replicaChart.claims });
  expect(chartOf(PRODUCTION_CHARTS.node.machine)).toEqual(replicaChart.chart());
});

test('nothing is run: a replay of a recovery and a halt calls no effect', async () => {
  const dataDir = await temporaryDirectory();
  const wal = await recordedWal(2);
  const replica = await recordedReplica(dataDir, { ...fedUnitByUnit(wal) });
  await appliedCommit(replica, 2);
  await replica.stop();
  const called: string[] = [];
  const effect = (name: string) =>
    fromPromise<never, never>(async () => {
      called.push(name);
      throw new Error(name);
    });
  const names = [
    ...new Set(chartOf(nodeMachine).states.flatMap(({ invokes }) => invokes.map(({ src }) => src))),
  ];
  const actors = Object.fromEntries(names.map((name) => [name, effect(name)]));
  expect(names.length).toBeGreaterThan(15);
  const machine = nodeMachine.provide({ actors: actors });
  expect(await replayed(dataDir, { charts: mutated(machine) })).toMatchObject({ verdict: 'same' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(called).toEqual([]);
});
