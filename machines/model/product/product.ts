/**
 * The production chart of a replica among a primary, a network and a disk: everything that may happen to the four together,
 * in every order, up to a bound. The chart is the one that runs; around it stands the model of `world.ts`.
 */
import type { AnyStateMachine } from 'xstate';
import type { NodeInput } from '../../context.ts';
import { answerOf, failureOf, type ChartMove } from '../alphabet.ts';
import { futureOf } from '../chart-model.ts';
import type { Model } from '../graph.ts';
import { pureChart, runningIn, type PureChart, type Running, type Settled } from '../pure-chart.ts';
import { brokenRule, RULES, type Rule } from '../rules.ts';
import { comesTo, effects, leftBy } from './effects.ts';
import type { Effects } from './effects/effect.ts';
import { crashesOf, endingsOf, type WorldMove } from './endings.ts';
import { liesOf } from './lies.ts';
import { diskMoves, idleMoves, networkMoves, primaryMoves } from './moves.ts';
import { faulted, withoutProcess, worldOf, type ProductBound, type World } from './world.ts';
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

/** What the chart stands among; a test takes a part that is broken, to see that a rule of the world notices. */
export interface Surroundings {
  readonly effects: Effects;
  readonly networkMoves: typeof networkMoves;
}
export const SURROUNDINGS: Surroundings = { effects, networkMoves };

/** The product as something that can be explored; `rules` are those of the chart, those of the world always hold. */
export function productModel(
  machine: AnyStateMachine,
  { bound, bootstrap }: ProductOptions,
  rules: readonly Rule[] = RULES,
  among: Surroundings = SURROUNDINGS,
): Model<ProductState, ProductMove> {
  const chart = pureChart(machine);
  const input: NodeInput = {
    role: 'replica',
    replication: 'enabled',
    bootstrap,
    clusterId: null,
    nodeId: null,
  };
  const around = (world: World) => [
    ...primaryMoves(world, bound, bootstrap),
    ...among.networkMoves(world),
    ...diskMoves(world),
  ];
  return {
    initial: { node: null, world: worldOf(bound), lied: false, by: null, asserted: null },
    moves: (state) => [
      ...around(state.world).map(unseen),
      ...(state.node === null ? withoutNode(state.world) : ofNode(state.node, state, among.effects)),
    ],
    next: (from, move) => next(chart, input, from, move, among.effects),
    nameOf: ({ name }) => name,
    keyOf: ({ node, world, lied }) =>
      `${JSON.stringify(world)} ${node === null ? 'no process' : futureOf(node.snapshot)} ${String(lied)}`,
    wrongWith: ({ node, world, lied, by, asserted }) =>
      (asserted !== null && !lied
        ? `P5-I13: No effect is asked for what it must refuse. (${asserted})`
        : null) ??
      (node === null || by === null ? null : brokenRule(rules, node, by, lied)) ??
      brokenWorldRule(node, world),
  };
}

/** What only the world sees. */
const unseen = ({ name, world }: WorldMove): ProductMove => ({ name, world, told: null });

function withoutNode(world: World): ProductMove[] {
  return [{ name: 'the replica starts', world, told: 'start' }, ...idleMoves(world).map(unseen)];
}

function ofNode({ snapshot, failure }: Settled, state: ProductState, parts: Effects): ProductMove[] {
  const { world, lied } = state;
  if (failure !== null) return [];
  const underWay = runningIn(snapshot);
  return [
    ...underWay.flatMap((effect) => answers(effect, world, lied, parts)),
    ...world.unheard.flatMap((effect) => endUnheard(effect, world, parts)),
    ...crashesOf(parts, world, [...underWay, ...world.unheard]).map(({ name, world: left }) => ({
      name,
      world: left,
      told: 'gone' as const,
    })),
    ...outside(world, snapshot),
  ];
}

function next(
  chart: PureChart,
  input: NodeInput,
  from: ProductState,
  move: ProductMove,
  parts: Effects,
): ProductState {
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
  if (settled.snapshot.matches({ stopped: 'closed' }))
    return {
      ...rest,
      node: null,
      world: { ...withoutProcess(world), unheard: world.unheard },
      lied: false,
      by: name,
    };
  const left = dropped(node, settled, told.effect).filter((effect) => writes(parts, effect, world));
  const behind = left.length === 0 ? world : { ...world, unheard: [...world.unheard, ...left] };
  return { ...rest, node: settled, world: behind, lied, by: told.name };
}

/** The effects that ran, have not answered, and are no longer listened to. */
function dropped(before: Settled, after: Settled, answered: string | null): Running[] {
  const still = after.snapshot.status === 'active' ? childrenOf(after) : {};
  const was = childrenOf(before);
  return runningIn(before.snapshot).filter(({ id }) => id !== answered && was[id] !== still[id]);
}

function childrenOf({ snapshot }: Settled): Readonly<Record<string, unknown>> {
  return snapshot.children as Readonly<Record<string, unknown>>;
}

/** Whether an effect leaves anything on disk, now that nobody takes up what it would say. */
function writes(parts: Effects, effect: Running, world: World): boolean {
  const { halves, done } = leftBy(parts, effect, world);
  return halves.length > 0 || (done !== null && done.disk !== world.disk);
}

function endUnheard(effect: Running, world: World, parts: Effects): ProductMove[] {
  const end = (name: string, behind: World): ProductMove => ({
    name: `${effect.id} ends unheard${name}`,
    world: { ...behind, unheard: world.unheard.filter((one) => one !== effect) },
    told: null,
  });
  return [
    end('', world),
    ...endingsOf(parts, effect, world).map(({ name, world: left }) => end(`, ${name}`, left)),
  ];
}

/** An effect answers as it finds the world, or fails: then what it was to do may have been done, in part, or not. */
function answers(effect: Running, world: World, lied: boolean, parts: Effects): ProductMove[] {
  const answer = comesTo(parts, effect, world);
  const failed = failureOf(effect.id);
  const moves: ProductMove[] = [];
  if (answer !== null && 'asserts' in answer)
    return [{ name: failed.name, world, told: failed, asserts: answer.asserts }];
  if (answer !== null && 'fails' in answer)
    return [{ name: `${failed.name}: ${answer.fails}`, world: answer.world, told: failed }];
  if (answer !== null) {
    const told = answerOf(effect.id, answer.outcome, answer.output);
    moves.push({ name: told.name, world: answer.world, told });
  }
  // One that waits for others to end can end in no other way.
  if (world.faults === 0 || (answer === null && WAITING.has(effect.src))) return moves;
  moves.push({ name: failed.name, world: faulted(world), told: failed });
  for (const { name, world: left } of endingsOf(parts, effect, world))
    moves.push({ name: `${failed.name}, ${name}`, world: faulted(left), told: failed });
  if (!lied)
    moves.push(
      ...liesOf(effect, world, parts).map((lie) => ({
        ...lie,
        world: faulted(lie.world),
        lies: true as const,
      })),
    );
  return moves;
}
const WAITING: ReadonlySet<string> = new Set(['drain', 'release']);

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
