/**
 * A chart among effects that may answer anything at any time: the widest environment there is, bounded only in how much WAL
 * there is. Whatever holds here holds for every primary, network and disk.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { NodeContext, NodeInput } from '../context.ts';
import { movesOf, type ChartMove, type PayloadTable } from './alphabet.ts';
import { CLUSTER, NODE } from './history.ts';
import type { Model } from './graph.ts';
import type { Bound } from './outcome.ts';
import { LIES } from './outcomes.ts';
import { momentOf, pureChart, runningIn, type Settled } from './pure-chart.ts';
import { brokenRule, type Rule } from './rules.ts';

/** A chart at rest; `null` before a node is started. */
export interface ChartState {
  readonly settled: Settled | null;
  readonly by: Move | null;
  /** An effect has answered something that it was not asked. It does so once at most. */
  readonly lied: boolean;
}

export interface Start {
  readonly name: string;
  readonly input: NodeInput;
}
export type Move = ChartMove | Start;

/** Every way in which a node may be started, as far as the chart depends on it. */
export function startsOf(role: NodeInput['role']): readonly Start[] {
  const starts: Start[] = [];
  for (const replication of ['enabled', 'disabled'] as const)
    for (const bootstrap of ['wal', 'snapshot'] as const)
      for (const known of [true, false]) {
        const [clusterId, nodeId] = known ? [CLUSTER, NODE] : [null, null];
        const named = known ? 'as a named node of a named cluster' : 'as whoever the directory says';
        const name = `start ${named}, replication ${replication}, bootstrap from ${bootstrap}`;
        starts.push({ name, input: { role, replication, bootstrap, clusterId, nodeId } });
      }
  return role === 'replica' ? starts : starts.filter(({ input }) => input.bootstrap === 'wal');
}

/** The ids of the transitions that one move took. */
export type Taken = readonly string[];

export interface ChartModelOptions {
  readonly role: NodeInput['role'];
  readonly table: PayloadTable;
  readonly bound: Bound;
  readonly rules: readonly Rule[];
  /** What a state is known by; left out, by all that its future depends on. */
  readonly keyOf?: (snapshot: AnyMachineSnapshot) => string;
  readonly merged?: (snapshot: AnyMachineSnapshot, earlier: AnyMachineSnapshot) => void;
  readonly found?: (states: number) => void;
}

/**
 * A chart as something that can be explored: before the start every way of being started, then whatever may happen. A state is
 * wrong where it breaks one of the rules.
 *
 * @throws Error where the payload table does not fit the chart.
 */
export function chartModel(
  machine: AnyStateMachine,
  options: ChartModelOptions,
): Model<ChartState, Move, Taken> {
  const { role, table, bound, rules, keyOf = futureAndSayingOf, merged, found } = options;
  const chart = pureChart(machine);
  const moves = movesOf(machine, table, bound);
  const starts = startsOf(role);
  return {
    initial: { settled: null, by: null, lied: false },
    moves: ({ settled, lied }) => {
      if (settled === null) return starts;
      if (settled.failure !== null) return [];
      return moves(settled.snapshot).filter(({ name }) => !(lied && LIES.includes(name)));
    },
    next: (from, by) => {
      const settled =
        'input' in by ? chart.initial(by.input) : chart.send((from.settled as Settled).snapshot, by.event);
      return { settled, by, lied: from.lied || LIES.includes(by.name) };
    },
    nameOf: ({ name }) => name,
    noteOf: ({ settled }) =>
      settled === null ? [] : settled.steps.flatMap(({ transitions }) => transitions),
    keyOf: ({ settled, lied }) =>
      settled === null ? 'not started' : `${keyOf(settled.snapshot)}${lied ? ' lied' : ''}`,
    wrongWith: ({ settled, by, lied }) =>
      settled === null || by === null ? null : brokenRule(rules, settled, by.name, lied),
    ...(found === undefined ? {} : { found }),
    ...(merged === undefined
      ? {}
      : {
          merged: (state: ChartState, earlier: ChartState) => {
            if (state.settled !== null && earlier.settled !== null)
              merged(state.settled.snapshot, earlier.settled.snapshot);
          },
        }),
  };
}

/**
 * The sound abstraction: all of a context that a guard, an action or an effect of a later state may read, and what the
 * running effects were asked. Facts that are looked at within the step that brought them are left out, and so is everything
 * behind a halt or a stop but its cause.
 */
export function futureOf(snapshot: AnyMachineSnapshot): string {
  const { status, value, context } = momentOf(snapshot);
  const hasEnded = snapshot.matches('halted') || snapshot.matches('stopped');
  // An effect goes by what it was asked when it began, whatever the context says by now.
  const asked = hasEnded ? [] : runningIn(snapshot).map(({ id, input }) => [id, input]);
  return JSON.stringify([status, value, liveOf(snapshot, context), asked]);
}

/**
 * The same, told apart also by how far the primary said that it is. No chart may go by that, so that nothing more follows from
 * it; but one that does, by mistake, is found only where states are not one that differ in it.
 */
function futureAndSayingOf(snapshot: AnyMachineSnapshot): string {
  const { primaryDurable } = snapshot.context as NodeContext;
  const said = snapshot.matches('replicating') ? (primaryDurable?.lsn ?? null) : null;
  return `${futureOf(snapshot)} ${String(said)}`;
}

function liveOf(snapshot: AnyMachineSnapshot, context: NodeContext): unknown {
  const { input, identity, halt, recordedHalt, haltRecordFault, detachment } = context;
  if (snapshot.matches('stopped')) return [halt?.code, halt?.rule];
  if (snapshot.matches('halted')) return [halt?.code, halt?.rule, haltRecordFault === null];
  const { receivedLsn, validated, applied, proven, inFlight, plan, survey, repair, fetched, meeting } =
    context;
  const positions = [receivedLsn, validated, applied, proven, inFlight];
  // Who the node is was settled before: from here on only its cluster is spoken of.
  if (snapshot.matches('replicating')) return [positions, detachment === null];
  if (snapshot.matches('bootstrapping')) return [identity?.clusterId, fetched, detachment === null];
  if (snapshot.matches('recovering'))
    return [identity?.clusterId, input.bootstrap, positions, plan, survey, repair];
  return [input, identity?.clusterId, identity?.nodeId, recordedHalt === null, meeting];
}
