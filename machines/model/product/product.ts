/**
 * The production chart of a replica among a primary, a network and a disk: everything that may happen to the four together,
 * in every order, up to a bound. The chart is the one that runs; around it stands the model of `world.ts`.
 */
import type { AnyStateMachine } from 'xstate';
import type { NodeInput } from '../../context.ts';
import { answerOf, failureOf, type ChartMove } from '../alphabet.ts';
import { futureOf } from '../chart-model.ts';
import type { Model } from '../graph.ts';
import { unitsOf } from '../history.ts';
import { nodeOutcomes } from '../outcomes.ts';
import { pureChart, runningIn, type PureChart, type Running, type Settled } from '../pure-chart.ts';
import { brokenRule, RULES, type Rule } from '../rules.ts';
import { effects } from './effects.ts';
import { crashesOf, diskMoves, networkMoves, primaryMoves } from './moves.ts';
import { EMPTY_MEMORY, NO_STREAM, positionIn, worldOf, type ProductBound, type World } from './world.ts';
import { brokenWorldRule } from './world-rules.ts';

export interface ProductState {
  /** The chart; `null` where no process runs. */
  readonly node: Settled | null;
  readonly world: World;
  readonly lied: boolean;
  readonly by: string | null;
  /** What an effect had to refuse, because it was asked for what it must not do. */
  readonly asserted: string | null;
}

/** Something that happens: in the world, and what the chart is told of it. */
export interface ProductMove {
  readonly name: string;
  readonly world: World;
  readonly told: ChartMove | 'start' | 'gone' | null;
  readonly lies?: true;
  readonly asserts?: string;
}

export interface ProductOptions {
  readonly bound: ProductBound;
  readonly bootstrap: NodeInput['bootstrap'];
}

/** The product as something that can be explored; `rules` are those of the chart, those of the world always hold. */
export function productModel(
  machine: AnyStateMachine,
  { bound, bootstrap }: ProductOptions,
  rules: readonly Rule[] = RULES,
): Model<ProductState, ProductMove> {
  const chart = pureChart(machine);
  const input: NodeInput = {
    role: 'replica',
    replication: 'enabled',
    bootstrap,
    clusterId: null,
    nodeId: null,
  };
  return {
    initial: { node: null, world: worldOf(bound), lied: false, by: null, asserted: null },
    moves: (state) => movesOf(state, bound, bootstrap),
    next: (from, move) => next(chart, input, from, move),
    nameOf: ({ name }) => name,
    keyOf: ({ node, world, lied }) =>
      `${JSON.stringify(world)} ${node === null ? 'no process' : futureOf(node.snapshot)} ${String(lied)}`,
    wrongWith: ({ node, world, lied, by, asserted }) =>
      (asserted !== null && !lied
        ? `P5-I13: No effect is asked for what it must refuse. (${asserted})`
        : null) ??
      (node === null || by === null ? null : brokenRule(rules, node, by, lied)) ??
      brokenWorldRule(node, world, lied),
  };
}

function next(chart: PureChart, input: NodeInput, from: ProductState, move: ProductMove): ProductState {
  const { name, world, told, lies, asserts = null } = move;
  const rest = { asserted: asserts };
  const lied = from.lied || lies === true;
  if (told === 'gone') return { ...rest, node: null, world, lied: false, by: name };
  if (told === 'start') return { ...rest, node: chart.initial(input), world, lied, by: name };
  const { node } = from;
  // What only the world sees leaves the chart as it is; no step of it is to be looked at again.
  if (told === null || node === null)
    return { ...rest, node: node && { ...node, steps: [] }, world, lied, by: null };
  const settled = chart.send(node.snapshot, told.event);
  const hasEnded = settled.snapshot.matches({ stopped: 'closed' });
  return hasEnded
    ? {
        ...rest,
        node: null,
        world: { ...world, memory: EMPTY_MEMORY, network: NO_STREAM },
        lied: false,
        by: name,
      }
    : { ...rest, node: settled, world, lied, by: told.name };
}

function movesOf(
  { node, world, lied }: ProductState,
  bound: ProductBound,
  bootstrap: NodeInput['bootstrap'],
) {
  const around: ProductMove[] = [
    ...primaryMoves(world, bound, bootstrap),
    ...networkMoves(world),
    ...diskMoves(world),
  ].map(({ name, world: behind }) => ({ name, world: behind, told: null }));
  if (node === null) {
    const cleared = { ...world, disk: { ...world.disk, halt: null } };
    return [
      ...around,
      { name: 'the replica starts', world, told: 'start' as const },
      ...(world.disk.halt === null
        ? []
        : [{ name: 'an operator clears the halt', world: cleared, told: null }]),
    ];
  }
  if (node.failure !== null) return [];
  const { snapshot } = node;
  return [
    ...around,
    ...runningIn(snapshot).flatMap((effect) => answers(effect, world, lied)),
    ...crashesOf(world, snapshot).map((move) => ({ ...move, told: 'gone' as const })),
    ...outside(world, snapshot),
  ];
}

/** An effect answers as it finds the world, or fails: then what it was to do may have been done or not. */
function answers({ id, src, input }: Running, world: World, lied: boolean): ProductMove[] {
  const answer = effects[src]?.(world, input as never) ?? null;
  const moves: ProductMove[] = [];
  if (answer !== null && 'asserts' in answer) {
    const told = failureOf(id);
    return [{ name: told.name, world, told, asserts: answer.asserts }];
  }
  if (answer !== null) {
    const told = answerOf(id, answer.outcome, answer.output);
    moves.push({ name: told.name, world: answer.world, told });
  }
  if (world.faults === 0) return moves;
  const fault = (behind: World): World => ({ ...behind, faults: behind.faults - 1 });
  const failed = failureOf(id);
  moves.push({ name: failed.name, world: fault(world), told: failed });
  if (answer !== null && answer.world !== world)
    moves.push({ name: `${failed.name} when it was done`, world: fault(answer.world), told: failed });
  if (!lied)
    moves.push(...lies({ id, src, input }, world).map((move) => ({ ...move, world: fault(move.world) })));
  return moves;
}

/** Answers to something that was not asked: the validator or the applier is broken. */
function lies({ id, src, input }: Running, world: World): ProductMove[] {
  const lying = (outcome: string, behind: World): ProductMove[] => {
    const answer = nodeOutcomes[src as 'validate'][outcome] as
      ((input: unknown, bound: { units: number }) => unknown) | undefined;
    const output = answer?.(input, { units: Infinity });
    if (typeof output !== 'object' || output === null) return [];
    const told = answerOf(id, outcome, output);
    return [{ name: told.name, world: behind, told, lies: true }];
  };
  if (src === 'validate') {
    const { from } = input as { readonly from: { readonly lsn: number } };
    const place = unitsOf(from) - world.disk.walFrom;
    const beyond = world.disk.wal[place + 1];
    const desk =
      beyond === undefined ? [] : [{ from: positionIn(beyond.number - 1, beyond.history), units: [beyond] }];
    return [
      ...(beyond === undefined
        ? []
        : lying('a piece that does not follow', {
            ...world,
            memory: { ...world.memory, desk: [...world.memory.desk, ...desk] },
          })),
      ...lying('an end before what was proven', world),
    ];
  }
  if (src === 'apply') {
    const done = effects['apply']?.(world, input as never) ?? null;
    return done === null || 'asserts' in done ? [] : lying('with a checkpoint elsewhere', done.world);
  }
  return src === 'installSnapshot' ? lying('with a checkpoint elsewhere', world) : [];
}

/** What a host or an operator does. A halted node may be stopped at any time, a working one in place of a crash. */
function outside(world: World, snapshot: Settled['snapshot']): ProductMove[] {
  const moves: ProductMove[] = [];
  const say = (name: string, behind: World) => {
    const told: ChartMove = { name, event: { type: name }, effect: null, outcome: null };
    moves.push({ name, world: behind, told });
  };
  const isDetached =
    snapshot.matches({ replicating: { ingesting: 'detached' } }) ||
    snapshot.matches({ bootstrapping: 'detached' });
  if (isDetached) say('replica.attach', world);
  if (snapshot.matches('halted')) say('node.stop', world);
  else if (world.crashes > 0 && !snapshot.matches('stopped'))
    say('node.stop', { ...world, crashes: world.crashes - 1 });
  return moves;
}
