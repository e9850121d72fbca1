import type { StateValue } from 'xstate';
import type { NodeSnapshot } from './node-snapshot.ts';

const BETWEEN_PATHS = ' | ';

/** A state value as one line: `replicating.ingesting.receiving | replicating.readGate.open`. */
export function stateLine(value: StateValue): string {
  return linesBelow('', value);
}

// Every step of every node comes through here, so it makes no lists.
function linesBelow(prefix: string, at: StateValue): string {
  if (typeof at === 'string') return prefix + at;
  let line = '';
  for (const key in at) {
    const below = at[key];
    const part = below === undefined ? prefix + key : linesBelow(`${prefix}${key}.`, below);
    line = line === '' ? part : line + BETWEEN_PATHS + part;
  }
  return line;
}

/** The state of a node at one moment, as a line; a chart that has failed says so before the state it failed in. */
export function stateOf({ value, status }: Pick<NodeSnapshot, 'value' | 'status'>): string {
  return status === 'error' ? `failed in ${stateLine(value)}` : stateLine(value);
}

/** The leaves that a state line names and another does not. */
export function statesEntered(from: string, to: string): string[] {
  if (from === to) return [];
  const left = from.split(BETWEEN_PATHS);
  return to.split(BETWEEN_PATHS).filter((path) => !left.includes(path));
}
