import { statesOf } from './moment.ts';

/** The paths of the parallel states that lines show: where two active states part, both sides are active at once. */
export function parallelPaths(lines: readonly string[]): ReadonlySet<string> {
  const parallels = new Set<string>();
  for (const line of new Set(lines)) {
    const states = statesOf(line);
    for (const [index, one] of states.entries())
      for (const other of states.slice(index + 1)) parallels.add(commonPath(one, other));
  }
  return parallels;
}

/** The line after a step that entered these states: all others stay that can be active together with them. */
export function stepped(line: string, entered: readonly string[], parallels: ReadonlySet<string>): string {
  if (entered.length === 0) return line;
  const areTogether = (one: string, other: string) => one !== other && parallels.has(commonPath(one, other));
  const left = new Set(entered);
  // Regions keep their order: what was entered stands where that stood which it took the place of.
  const after = statesOf(line).flatMap((state) => {
    if (entered.every((one) => areTogether(state, one))) return [state];
    const inPlace = [...left].filter((one) => !areTogether(state, one));
    for (const one of inPlace) left.delete(one);
    return inPlace;
  });
  return [...after, ...left].join(' | ');
}

function commonPath(one: string, other: string): string {
  const [left, right] = [one.split('.'), other.split('.')];
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared += 1;
  return left.slice(0, shared).join('.');
}
