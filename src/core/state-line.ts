/** Where a chart stands, as XState has it: a state, or the states inside of states. */
export type StateValue = string | { readonly [state: string]: StateValue | undefined };

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

interface StateAtMoment {
  readonly value: StateValue;
  readonly status: string;
}

/** The state of a node at one moment, as a line; a chart that has failed says so before the state it failed in. */
export function stateOf({ value, status }: StateAtMoment): string {
  return status === 'error' ? `failed in ${stateLine(value)}` : stateLine(value);
}

/** The path of every state of a value, each one before those inside it: `replicating`, `replicating.readGate`, … */
export function statePaths(value: StateValue, prefix = ''): readonly string[] {
  if (typeof value === 'string') return [`${prefix}${value}`];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${prefix}${key}`,
    ...(inner === undefined ? [] : statePaths(inner, `${prefix}${key}.`)),
  ]);
}

/** The leaves that a state line names and another does not. */
export function statesEntered(from: string, to: string): string[] {
  if (from === to) return [];
  const left = from.split(BETWEEN_PATHS);
  return to.split(BETWEEN_PATHS).filter((path) => !left.includes(path));
}
