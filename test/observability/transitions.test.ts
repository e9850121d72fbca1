import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { assign, createActor, setup, type InspectionEvent } from 'xstate';
import { claim, guardsOf } from '../../machines/claims.ts';
import { initialContext, type NodeContext, type NodeInput } from '../../machines/context.ts';
import { nodeMachine } from '../../machines/node.ts';
import type { primaryMachine } from '../../machines/primary.ts';
import { defineCheck } from '../../src/core/checks/check.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import { TransitionBuffer } from '../../src/node/transition-buffer.ts';
import { isHalting, TransitionReader, type Transition } from '../../src/node/transitions.ts';
import { CLUSTER, NODE, put, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, detached, halted, inState, until } from '../support/replicas.ts';
import { servedPrimary, servedReplica } from '../support/served-nodes.ts';
import { chunked, recordedWal, type ScriptedSource } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

const all = ({ transitions }: { readonly transitions: TransitionBuffer }): readonly Transition[] =>
  transitions.read(0, Infinity).transitions;

function expectUnbroken(transitions: readonly Transition[]): void {
  for (const [index, { sequence, from }] of transitions.entries()) {
    expect(sequence).toBe(index + 1);
    if (index > 0) expect(from).toBe(transitions[index - 1]?.to);
  }
}

describe('P5-I14: every step of the chart is a plain record', () => {
  test('in which the primary never stands behind what was proved of its own WAL', async () => {
    const wal = await recordedWal(5);
    const old = { commitId: 1, lsn: 200, historyHash: 'f'.repeat(64) };
    const replica = await servedReplica(() => ({
      chunks: () => [{ kind: 'notice', position: old }, ...chunked(wal, wal.length)],
    }));
    await appliedCommit(replica, 5);
    const { positions } = all(replica).at(-1) as Transition;
    expect(positions.primary_durable).toEqual(positions.validated);
    expect(positions.validated).toMatchObject({ commit_id: 5, lsn: wal.length });
  });

  test('of a replica: from the initial state on, unbroken, with the positions after it', async () => {
    const wal = await recordedWal(3);
    const replica = await servedReplica(() => ({ chunks: () => chunked(wal, wal.length) }));
    await appliedCommit(replica, 3);
    const { context } = await until(replica, inState('replicating.readGate.open'));
    const transitions = all(replica);
    expectUnbroken(transitions);
    expect(transitions[0]).toEqual({
      sequence: 1,
      from: 'initializing.identifying',
      to: 'initializing.provingIdentity',
      event: 'xstate.done.actor.readIdentity',
      transitions: ['node.initializing.identifying -- xstate.done.actor.readIdentity [0]'],
      verdicts: [],
      positions: { received_lsn: null, validated: null, applied: null, primary_durable: null },
      halt: null,
    });
    expect(transitions[1]).toMatchObject({
      event: 'xstate.done.actor.readIdentity',
      verdicts: [
        {
          rule_id: 'P5-I11 identityIsReadable',
          invariant: 'P5-I11',
          evaluation: 'holds',
          evidence: {},
        },
      ],
    });
    const at = { commit_id: 3, lsn: wal.length, history_hash: context.applied?.historyHash };
    expect(transitions.at(-1)).toMatchObject({
      positions: { received_lsn: wal.length, validated: at, applied: at, primary_durable: null },
      halt: null,
    });
    // What is plain goes through JSON as it is.
    expect(JSON.parse(JSON.stringify(transitions))).toEqual(transitions);
  });

  test('of a primary, from the initial state to the end', async () => {
    const primary = await servedPrimary();
    await primary.commit(prepareCommit([put('a', '1')]));
    await primary.stop();
    const transitions = all(primary);
    expectUnbroken(transitions);
    expect(transitions.at(-1)?.to).toBe('stopped.closed');
    expect(transitions.flatMap(({ verdicts }) => verdicts.map(({ rule_id: rule }) => rule))).toEqual([
      'P5-I11 identityIsReadable',
      'P5-I1 formatIsKnown',
      'P5-I1 roleIsUnchanged',
      'P5-I1 clusterIsUnchanged',
      'P5-I1 nodeIsUnchanged',
      'P5-I10 noHaltIsRecorded',
      'P5-I11 checkpointIsIntact',
      'P5-I8 baseIsInPlace',
      'P5-I4 prefixIsProven',
      'P5-I11 tailIsTornAtMost',
    ]);
  });

  test('an event that nothing answers to is seen, and leads nowhere', async () => {
    const replica = await servedReplica(() => ({}));
    await until(replica, inState('replicating.ingesting.receiving'));
    const before = replica.transitions.newest();
    replica.attach();
    expect(replica.transitions.read(before, 10).transitions).toMatchObject([
      {
        event: 'replica.attach',
        transitions: ['node -- replica.attach [0]'],
        verdicts: [],
        from: all(replica).at(-1)?.to,
        to: all(replica).at(-1)?.to,
      },
    ]);
  });
});

describe('P5-I15: a halting step shows the rule that halted, with the evidence it was decided on', () => {
  const refusal: ScriptedSource['refusal'] = {
    kind: 'refused',
    code: 'HISTORY_DIVERGED',
    message: 'not ours',
    evidence: { found: 'another hash' },
  };
  test.each<[string, (wal: Buffer) => ScriptedSource, string]>([
    [
      'a flipped bit',
      (wal) => ({ chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 200) }),
      'P5-I5 checksumMatches',
    ],
    [
      'a flipped bit in the history hash of a frame',
      (wal) => ({ chunks: () => chunked(flipped(wal, (96 + 40) * 8), wal.length) }),
      'P5-I5 checksumMatches',
    ],
    [
      'a chunk that is left out',
      (wal) => ({ chunks: () => chunked(wal, 100).filter((_, index) => index !== 2) }),
      'P5-I4 receivedIsInOrder',
    ],
    ['a primary that disowns the position', () => ({ refusal }), 'P5-I4 historyIsThePrimarys'],
    ['a stream from elsewhere', () => ({ startLsn: 7 }), 'P5-I4 streamIsOurs'],
  ])('%s', async (_name, script, rule) => {
    const wal = await recordedWal(4);
    const replica = await servedReplica(() => script(wal));
    const { context } = await halted(replica);
    const transitions = all(replica);
    expectUnbroken(transitions);
    const halting = transitions.findIndex(({ halt }) => halt !== null);
    const { from, to, verdicts, halt } = transitions[halting] as Transition;
    expect([from.startsWith('halted'), to]).toEqual([false, 'halted.draining']);
    expect(verdicts).toEqual([
      {
        rule_id: rule,
        invariant: rule.slice(0, rule.indexOf(' ')),
        evaluation: 'violated',
        evidence: halt?.evidence,
      },
    ]);
    // What was kept of the bytes is added to the halt afterwards; all else is the very same.
    const { bytes_kept_in: _kept, ...evidence } = context.halt?.evidence ?? {};
    expect([context.halt?.rule, context.halt?.invariant, evidence]).toEqual([
      rule,
      verdicts[0]?.invariant,
      halt?.evidence,
    ]);
    // No other step has anything against it, and no step after it asks anything.
    const others = transitions.filter((_, index) => index !== halting).flatMap((one) => one.verdicts);
    expect(others.filter(({ evaluation }) => evaluation !== 'holds')).toEqual([]);
    expect(transitions.slice(halting + 1).flatMap((one) => one.verdicts)).toEqual([]);
  });

  test('a halt that an earlier run recorded is found again by the rule that finds it', async () => {
    const wal = await recordedWal(2);
    const dataDir = await temporaryDirectory();
    const script = () => ({ chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 200) });
    const first = await servedReplica(script, { dataDir });
    const { context } = await halted(first);
    await first.stop();
    const second = await servedReplica(script, { dataDir });
    expect(all(second).at(-1)).toMatchObject({
      to: 'halted.resting',
      verdicts: [{ rule_id: 'P5-I10 noHaltIsRecorded', evaluation: 'violated' }],
      halt: { code: 'WAL_CORRUPT', rule: context.halt?.rule },
    });
  });
});

/** Notes every guard that XState itself asks, with its answer. Put back as they were after the test. */
function askedGuards(machine: typeof nodeMachine | typeof primaryMachine) {
  const guards = machine.implementations.guards as Record<string, (...args: unknown[]) => boolean>;
  const originals = { ...guards };
  onTestFinished(() => void Object.assign(guards, originals));
  let asked = new Set<string>();
  for (const [name, guard] of Object.entries(originals))
    guards[name] = (...args) => {
      const answer = guard(...args);
      asked.add(`${name}: ${answer}`);
      return answer;
    };
  return () => {
    const since = asked;
    asked = new Set();
    return since;
  };
}

describe('P5-I15: a verdict is what XState was told', () => {
  test.each([
    ['a run that halts', (wal: Buffer) => flipped(wal, (wal.length - 9) * 8)],
    ['a run that goes well', (wal: Buffer) => wal],
  ])('%s: each rule of a step was asked between the step before and it, with this answer', async (_, of) => {
    const wal = of(await recordedWal(5));
    const since = askedGuards(nodeMachine);
    const asked: Set<string>[] = [];
    const replica = await servedReplica(
      () => ({ chunks: () => chunked(wal, 150), ends: true }),
      {},
      {
        inspect: (inspection: InspectionEvent) => {
          if (inspection.type === '@xstate.microstep' && 'machine' in inspection.snapshot)
            asked.push(since());
        },
      },
    );
    await until(replica, (s) => inState('halted.resting')(s) || inState('replicating.ingesting.detached')(s));
    await replica.stop();
    const transitions = all(replica);
    expect(transitions).toHaveLength(asked.length);
    expect(transitions.length).toBeGreaterThan(50);
    for (const [index, transition] of transitions.entries()) {
      const shown = transition.verdicts.map((one) => `${one.rule_id}: ${one.evaluation === 'holds'}`);
      const told = [...(asked[index] as Set<string>)].filter((one) => one.startsWith('P5-'));
      expect(told).toEqual(expect.arrayContaining(shown));
      // The gate alone is asked without end while it is closed; a halt leaves the other regions' answers unused.
      const isLeftOut = (one: string) => !shown.includes(one) && one !== 'P5-I12 readsAreProven: false';
      if (!isHalting(transition)) expect(told.filter(isLeftOut)).toEqual([]);
    }
    const rules = new Set(transitions.flatMap(({ verdicts }) => verdicts.map((one) => one.rule_id)));
    expect(rules.size).toBeGreaterThan(15);
  });
});

test('P5-I15: a verdict is of the moment before the step, whatever the step itself records', () => {
  const nothingIsReceived = defineCheck('P5-I4 nothingIsReceived', {
    description: 'Nothing is received.',
    code: 'WAL_DISORDERED',
    claim: (receivedLsn: number | null) => receivedLsn === null,
    evidence: (receivedLsn) => ({ received_lsn: receivedLsn }),
  });
  const claims = { 'P5-I4 nothingIsReceived': claim(nothingIsReceived, ({ receivedLsn }) => receivedLsn) };
  const machine = setup({
    types: { context: {} as NodeContext, input: {} as NodeInput },
    guards: guardsOf(claims),
    actions: { receive: assign({ receivedLsn: 7 }) },
  }).createMachine({
    context: ({ input }) => initialContext(input),
    initial: 'waiting',
    states: {
      waiting: { on: { go: 'first' } },
      first: { always: { guard: 'P5-I4 nothingIsReceived', target: 'second', actions: 'receive' } },
      second: { always: [{ guard: 'P5-I4 nothingIsReceived', target: 'first' }, { target: 'end' }] },
      end: {},
    },
  });
  const reader = new TransitionReader(claims);
  const read: Transition[] = [];
  const input = {
    role: 'replica',
    replication: 'enabled',
    bootstrap: 'wal',
    clusterId: null,
    nodeId: null,
  } as const;
  const inspect = (inspection: InspectionEvent) => {
    const transition = reader.read(inspection);
    if (transition !== null) read.push(transition);
  };
  createActor(machine, { input, inspect }).start().send({ type: 'go' });
  const rule = { rule_id: 'P5-I4 nothingIsReceived', invariant: 'P5-I4' };
  expect(read.map(({ from, to, verdicts }) => [from, to, verdicts])).toEqual([
    ['waiting', 'first', []],
    ['first', 'second', [{ ...rule, evaluation: 'holds', evidence: {} }]],
    ['second', 'end', [{ ...rule, evaluation: 'violated', evidence: { received_lsn: 7 } }]],
  ]);
});

describe('what watches a node never disturbs it', () => {
  test('a log, an inspector and a follower that throw are told of once each, and the node goes on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const broken = () => {
      throw new Error('broken');
    };
    const wal = await recordedWal(3);
    const replica = await servedReplica(
      () => ({ chunks: () => chunked(wal, 100) }),
      {},
      { logger: pino({ level: 'info' }, { write: broken }), inspect: broken },
    );
    const told: number[] = [];
    replica.transitions.changed(broken);
    replica.transitions.changed(() => told.push(replica.transitions.newest()));
    await appliedCommit(replica, 3);
    expect(told.length).toBeGreaterThan(5);
    expectUnbroken(all(replica));
    await replica.stop();
    expect(warn.mock.calls.map(([message]) => message)).toEqual([
      'an inspector failed: Error: broken',
      'the transition log failed: Error: broken',
      'a follower of transitions failed: Error: broken',
    ]);
  });

  test('a chart that fails leaves a line in the log', async () => {
    const lines: string[] = [];
    const guards = nodeMachine.implementations.guards as Record<string, () => boolean>;
    const original = guards['route unitsWereReceived'] as () => boolean;
    onTestFinished(() => void (guards['route unitsWereReceived'] = original));
    guards['route unitsWereReceived'] = () => {
      throw new Error('a bug');
    };
    const wal = await recordedWal(1);
    const replica = await servedReplica(
      () => ({ chunks: () => chunked(wal, wal.length) }),
      {},
      { logger: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }) },
    );
    await until(replica, ({ status }) => status === 'error');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 50, msg: 'the chart has failed', node: expect.any(String) as string }),
    ]);
  });
});

describe('followers hold a cursor, and no gap is silent', () => {
  const step = (sequence: number): Transition => ({
    sequence,
    from: 'a',
    to: 'b',
    event: 'e',
    transitions: [],
    verdicts: [],
    positions: { received_lsn: null, validated: null, applied: null, primary_durable: null },
    halt: null,
  });

  test('every cursor and limit, against the whole list (seed 14)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 45 }),
        fc.integer({ min: 0, max: 12 }),
        (held, appended, cursor, limit) => {
          const buffer = new TransitionBuffer('run', held);
          const steps = Array.from({ length: appended }, (_, index) => step(index + 1));
          for (const one of steps) buffer.append(one);
          const kept = steps.slice(-held);
          const oldest = kept[0]?.sequence ?? 1;
          expect(buffer.newest()).toBe(appended);
          expect(buffer.read(cursor, limit)).toEqual({
            transitions: kept.filter(({ sequence }) => sequence > cursor).slice(0, limit),
            missedBefore: cursor + 1 < oldest ? oldest : null,
          });
        },
      ),
      { seed: 14, numRuns: 3000 },
    );
  });

  test('a transition that was never appended is a gap for everyone who stands before it', () => {
    const buffer = new TransitionBuffer('run', 8);
    for (const sequence of [1, 2, 4, 5]) buffer.append(step(sequence));
    expect(buffer.read(1, 10)).toEqual({ transitions: [step(4), step(5)], missedBefore: 4 });
    expect(buffer.read(4, 10)).toEqual({ transitions: [step(5)], missedBefore: null });
  });

  test('a listener is told after every append until it leaves; each run has its own id', async () => {
    const replica = await servedReplica(() => ({ ends: true }));
    await detached(replica);
    const told: number[] = [];
    const leave = replica.transitions.changed(() => told.push(replica.transitions.newest()));
    const before = replica.transitions.newest();
    replica.attach();
    await until(replica, ({ context }) => context.attachment?.answer.kind === 'attached');
    leave();
    expect(told).toEqual(told.map((_, index) => before + 1 + index));
    expect(told.length).toBeGreaterThan(1);
    const length = told.length;
    replica.attach();
    await replica.stop();
    expect(told).toHaveLength(length);
    const primary = await servedPrimary({ clusterId: CLUSTER }, { newUuid: () => NODE });
    expect(primary.transitions.runId).toBe(NODE);
    expect(replica.transitions.runId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
