/**
 * The one place that knows the graph package. `@xstate/graph` and `xstate/graph` have the same interface, so that a change
 * from one to the other is a change of this import; the tests explore with both.
 */
import { getAdjacencyMap } from '@xstate/graph';
import type { EventObject } from 'xstate';

/** Anything that can be explored: a chart, or a chart among a disk, a network and a primary. */
export interface Model<State, Move, Note = undefined> {
  readonly initial: State;
  /** Everything that may happen next. The names of the moves of one state differ. */
  readonly moves: (state: State) => readonly Move[];
  readonly next: (state: State, move: Move) => State;
  /** Two states with the same key have the same future. */
  readonly keyOf: (state: State) => string;
  readonly nameOf: (move: Move) => string;
  /** What is to be remembered of the way into a state, also where the state was known before. */
  readonly noteOf?: (state: State) => Note;
  /** What is wrong with a state and the way into it; an exploration ends with the first one, which is one of the nearest. */
  readonly wrongWith?: (state: State) => string | null;
  /** Told of a state with the key of an earlier one. */
  readonly merged?: (state: State, earlier: State) => void;
  /** Told of every new state, with how many there are by then: for progress. */
  readonly found?: (states: number) => void;
}

export interface Edge<Move, Note> {
  readonly move: Move;
  readonly to: string;
  readonly note: Note | undefined;
}

export interface Vertex<State, Move, Note> {
  readonly key: string;
  readonly state: State;
  readonly edges: readonly Edge<Move, Note>[];
}

export interface Graph<State, Move, Note = undefined> {
  /** In the order in which they were found: nearer ones first. */
  readonly vertices: ReadonlyMap<string, Vertex<State, Move, Note>>;
  /** A shortest way to a state: the moves, each with the state that it leads to. */
  readonly pathTo: (key: string) => readonly Step<State, Move>[];
  readonly wrong: Wrong<State, Move> | null;
}

export interface Wrong<State, Move> {
  readonly what: string;
  readonly path: readonly Step<State, Move>[];
}

export interface Step<State, Move> {
  readonly move: Move;
  readonly state: State;
}

interface Found<State, Move> {
  readonly key: string;
  readonly state: State;
  readonly from: Found<State, Move> | null;
  readonly by: Move | null;
}

/** What is asked of the package. Its own types speak of actors; what is explored here need not be one. */
type Traverse = (logic: object, options: object) => object;

/**
 * Walks everything that a model can do, breadth first: every state that can be reached is in the graph, each once. Where
 * `wrongWith` finds something, the walk ends there, and `wrong` is a shortest way to it. The same model gives the same graph.
 *
 * @param limit more states than this are a mistake of the model. @throws Error
 * @param traverse which package walks; they are exchangeable.
 */
export function explore<State, Move, Note = undefined>(
  model: Model<State, Move, Note>,
  limit = 1_000_000,
  traverse: Traverse = getAdjacencyMap as Traverse,
): Graph<State, Move, Note> {
  const { initial, moves, next, keyOf, nameOf, noteOf, wrongWith = () => null, merged } = model;
  const notes = new Map<string, Note>();
  const known = new Map<string, Found<State, Move>>();
  let wrong: Wrong<State, Move> | null = null;
  const found = (state: State, from: Found<State, Move> | null, by: Move | null): Found<State, Move> => {
    const what = wrong === null ? wrongWith(state) : null;
    const key = keyOf(state);
    if (what !== null) wrong = { what, path: wayTo({ key, state, from, by }) };
    const earlier = known.get(key);
    if (earlier !== undefined) {
      merged?.(state, earlier.state);
      return earlier;
    }
    const one = { key, state, from, by };
    known.set(key, one);
    model.found?.(known.size);
    return one;
  };
  const first = found(initial, null, null);
  type Named = EventObject & { readonly move: Move };
  const logic = {
    transition: (from: Found<State, Move>, { move }: Named) => {
      const state = next(from.state, move);
      if (noteOf !== undefined) notes.set(`${from.key} ${nameOf(move)}`, noteOf(state));
      return found(state, from, move);
    },
    getInitialSnapshot: () => first,
    getPersistedSnapshot: () => first,
  };
  const adjacency = traverse(logic, {
    fromState: first,
    events: ({ state }: Found<State, Move>): Named[] =>
      wrong === null ? moves(state).map((move) => ({ type: nameOf(move), move })) : [],
    serializeState: ({ key }: Found<State, Move>) => key,
    serializeEvent: ({ type }: Named) => type,
    limit,
  }) as Record<
    string,
    { readonly transitions: Record<string, { readonly event: Named; readonly state: Found<State, Move> }> }
  >;
  const vertices = new Map(
    [...known.values()].map(({ key, state }) => [
      key,
      {
        key,
        state,
        edges: Object.values(adjacency[key]?.transitions ?? {}).map(({ event, state: to }) => ({
          move: event.move,
          to: to.key,
          note: notes.get(`${key} ${event.type}`),
        })),
      },
    ]),
  );
  const pathTo = (key: string) => wayTo(known.get(key) ?? null);
  return { vertices, pathTo, wrong };
}

function wayTo<State, Move>(end: Found<State, Move> | null): readonly Step<State, Move>[] {
  const steps: Step<State, Move>[] = [];
  for (let at = end; at !== null && at.by !== null; at = at.from)
    steps.unshift({ move: at.by, state: at.state });
  return steps;
}
