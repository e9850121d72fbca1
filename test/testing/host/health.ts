/** What the catalogue says of itself, and does by itself, as functions of the state of its replica alone. */
import type { NodeSnapshot } from 'replichart';
import { matchesState, type StateValue } from 'xstate';

export type HealthWord =
  'starting' | 'serving' | 'catching up' | 'halted' | 'stopped' | 'not replicating' | 'broken';

export interface Health {
  readonly word: HealthWord;
  /** Why nothing is served; `null` while it is. */
  readonly reason: string | null;
}

export function healthOf({ status, value, context }: NodeSnapshot): Health {
  const is = (state: StateValue) => matchesState(state, value);
  const { halt, detachment } = context;
  if (status === 'error') return { word: 'broken', reason: 'the replica itself has failed' };
  if (is('halted')) return { word: 'halted', reason: `${halt?.code}: ${halt?.message}` };
  if (is('stopped')) return { word: 'stopped', reason: 'the replica is stopped' };
  if (is('disabled')) return { word: 'not replicating', reason: 'replication is disabled' };
  if (is({ replicating: { readGate: 'open' } })) return { word: 'serving', reason: null };
  if (is('replicating')) return { word: 'catching up', reason: 'a batch is being applied' };
  const missing = detachment === null ? '' : `, and the primary is missing: ${detachment}`;
  return { word: 'starting', reason: `the replica is not ready yet${missing}` };
}

export type Reaction = 'attach' | 'start again' | 'nothing';

/** What the catalogue does about its replica without being asked by a person. */
export function reactionTo({ value, context }: NodeSnapshot): Reaction {
  const isDetached =
    matchesState({ replicating: { ingesting: 'detached' } }, value) ||
    matchesState({ bootstrapping: 'detached' }, value);
  if (isDetached) return 'attach';
  // A halt is for a person to look at, also where the replica was stopped since.
  if (matchesState('stopped', value) && context.halt === null) return 'start again';
  return 'nothing';
}
