/**
 * Ways through a chart that together take every transition, and see every answer of every effect: few, short, and the same
 * every time.
 */
import type { AnyMachineSnapshot } from 'xstate';
import type { ChartState, Move, Start, Taken } from './chart-model.ts';
import type { Edge, Graph, Vertex } from './graph.ts';

export interface PathStep {
  readonly move: Exclude<Move, Start>;
  /** Where the chart rests afterwards. */
  readonly snapshot: AnyMachineSnapshot;
  readonly transitions: Taken;
}

export interface TestPath {
  readonly start: Start;
  /** Where the chart rests before anything has happened. */
  readonly snapshot: AnyMachineSnapshot;
  readonly steps: readonly PathStep[];
}

/** What a path is called: how the node is started, and what happens to it. */
export function nameOfPath({ start, steps }: TestPath): string {
  return [start.name, ...steps.map(({ move }) => move.name)].join(' → ');
}

type ChartGraph = Graph<ChartState, Move, Taken>;
interface Place {
  readonly from: Vertex<ChartState, Move, Taken>;
  readonly edge: Edge<Move, Taken>;
  readonly depth: number;
}

/** The hardest to reach come first, for the ways there take the easier ones. */
export function coveringPaths(graph: ChartGraph): readonly TestPath[] {
  const nearest = new Map<string, Place>();
  for (const from of graph.vertices.values()) {
    const depth = graph.pathTo(from.key).length;
    for (const edge of from.edges)
      for (const id of [...(edge.note ?? []), edge.move.name])
        if ((nearest.get(id)?.depth ?? Infinity) > depth) nearest.set(id, { from, edge, depth });
  }
  const covered = new Set<string>();
  const paths: TestPath[] = [];
  for (const [id, place] of [...nearest].sort(([, left], [, right]) => right.depth - left.depth)) {
    // A way of a node being started is part of every way.
    if (covered.has(id) || 'input' in place.edge.move) continue;
    const path = pathThrough(graph, place);
    for (const { move, transitions } of path.steps)
      for (const taken of [...transitions, move.name]) covered.add(taken);
    paths.push(path);
  }
  return paths;
}

function pathThrough(graph: ChartGraph, { from, edge }: Place): TestPath {
  const states = [...graph.pathTo(from.key), { move: edge.move, state: stateAt(graph, edge.to) }];
  const [first, ...rest] = states;
  if (first === undefined || !('input' in first.move)) throw new Error('a path begins with a start');
  let key = graph.vertices.keys().next().value ?? '';
  const steps: PathStep[] = [];
  for (const { move } of states) {
    const taken = graph.vertices.get(key)?.edges.find((one) => one.move.name === move.name);
    if (taken === undefined) throw new Error(`there is no way "${move.name}"`);
    key = taken.to;
    if ('input' in move) continue;
    steps.push({ move, snapshot: snapshotOf(stateAt(graph, key)), transitions: taken.note ?? [] });
  }
  if (rest.length !== steps.length) throw new Error('a node is started once');
  return { start: first.move, snapshot: snapshotOf(first.state), steps };
}

function stateAt(graph: ChartGraph, key: string): ChartState {
  const vertex = graph.vertices.get(key);
  if (vertex === undefined) throw new Error(`there is no state ${key}`);
  return vertex.state;
}

function snapshotOf({ settled }: ChartState): AnyMachineSnapshot {
  if (settled === null) throw new Error('the chart was not started');
  return settled.snapshot;
}
