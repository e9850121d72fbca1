import type { Graph, Vertex } from './graph.ts';

/** The keys of all states from which one of the wanted states can be reached. */
export function reaching<State, Move, Note>(
  graph: Graph<State, Move, Note>,
  isWanted: (vertex: Vertex<State, Move, Note>) => boolean,
): ReadonlySet<string> {
  const before = new Map<string, string[]>();
  for (const { key, edges } of graph.vertices.values())
    for (const { to } of edges) {
      const known = before.get(to);
      if (known === undefined) before.set(to, [key]);
      else known.push(key);
    }
  const found = [...graph.vertices.values()].filter(isWanted).map(({ key }) => key);
  const reached = new Set(found);
  for (let key = found.pop(); key !== undefined; key = found.pop())
    for (const one of before.get(key) ?? [])
      if (!reached.has(one)) {
        reached.add(one);
        found.push(one);
      }
  return reached;
}

/** The first state, in the order of the exploration, that should reach a wanted one and cannot. */
export function stranded<State, Move, Note>(
  graph: Graph<State, Move, Note>,
  isWanted: (state: State) => boolean,
  shouldReach: (state: State) => boolean,
): Vertex<State, Move, Note> | null {
  const reached = reaching(graph, ({ state }) => isWanted(state));
  for (const vertex of graph.vertices.values())
    if (shouldReach(vertex.state) && !reached.has(vertex.key)) return vertex;
  return null;
}
