import type { AnyStateMachine, StateValue } from 'xstate';
import type { Role } from '../src/core/identity.ts';
import { nodeMachine } from './node.ts';
import { primaryMachine } from './primary.ts';

/** Whether a line names a state that the chart of a role can rest in: every region in exactly one of its states. */
export function isConfiguration(role: Role, line: string): boolean {
  const machine = (role === 'primary' ? primaryMachine : nodeMachine) as AnyStateMachine;
  try {
    const value = valueOf(line);
    const resolved = machine.resolveState({ value, context: {} }).value as StateValue;
    return JSON.stringify(resolved) === JSON.stringify(value);
  } catch {
    // XState throws where a state that is named does not exist.
    return false;
  }
}

/** A state line back into the value that it was made of. */
function valueOf(line: string): StateValue {
  // Without a prototype: the line may come from a stranger, and name "__proto__".
  const empty = () => Object.create(null) as Record<string, unknown>;
  const value = empty();
  for (const path of line.split(' | ')) {
    let at = value;
    for (const name of path.split('.')) at = (at[name] ??= empty()) as Record<string, unknown>;
  }
  return collapsed(value);
}

/** XState writes a leaf as the name of its parent's child. */
function collapsed(value: Record<string, unknown>): StateValue {
  const names = Object.keys(value);
  const [only] = names;
  const isLeaf = (name: string) => Object.keys(value[name] as object).length === 0;
  if (names.length === 1 && only !== undefined && isLeaf(only)) return only;
  return Object.fromEntries(names.map((name) => [name, collapsed(value[name] as Record<string, unknown>)]));
}
