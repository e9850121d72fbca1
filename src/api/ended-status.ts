import { matchesState } from 'xstate';
import type { HaltReason } from '../core/halt.ts';
import type { NodeSnapshot } from '../node/node-snapshot.ts';

/** The status of a node that has halted, stopped or failed, by the name that a halt has in its role; `null` for one that works. */
export function endedStatus<const Halted extends string>(
  { status, value, context }: NodeSnapshot,
  name: Halted,
):
  | { readonly name: Halted; readonly halt: HaltReason; readonly recorded: boolean }
  | { readonly name: 'Stopped'; readonly halt: HaltReason | null }
  | { readonly name: 'Failed' }
  | null {
  const { halt, haltRecordFault } = context;
  if (status === 'error') return { name: 'Failed' };
  if (matchesState('stopped', value)) return { name: 'Stopped', halt };
  if (halt === null) return null;
  const recorded = haltRecordFault === null && matchesState({ halted: 'resting' }, value);
  return { name, halt, recorded };
}
