import type { StateValue } from 'xstate';

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

/** The leaves that a state line names and another does not. */
export function statesEntered(from: string, to: string): string[] {
  if (from === to) return [];
  const left = from.split(BETWEEN_PATHS);
  return to.split(BETWEEN_PATHS).filter((path) => !left.includes(path));
}
