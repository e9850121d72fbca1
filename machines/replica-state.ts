import { matchesState, type StateValue } from 'xstate';

/** The state of a replica as the DX API names it (DESIGN 6). */
export type ReplicaState =
  | 'Disabled'
  | 'Initializing'
  | 'Bootstrapping'
  | 'Recovering'
  | 'ReceivingWAL'
  | 'ValidatingWAL'
  | 'ApplyingWAL'
  | 'Ready'
  | 'ReplicationHalted'
  | 'Stopped';

const TOP_LEVEL: Readonly<Record<string, ReplicaState>> = {
  initializing: 'Initializing',
  disabled: 'Disabled',
  bootstrapping: 'Bootstrapping',
  recovering: 'Recovering',
  halted: 'ReplicationHalted',
  stopped: 'Stopped',
};

/** A pure function of the state value: nothing else is asked. */
export function replicaState(value: StateValue): ReplicaState {
  if (matchesState('replicating', value)) {
    if (matchesState({ replicating: { ingesting: 'persisting' } }, value)) return 'ReceivingWAL';
    if (!matchesState({ replicating: { validating: 'idle' } }, value)) return 'ValidatingWAL';
    return matchesState({ replicating: { applying: 'idle' } }, value) ? 'Ready' : 'ApplyingWAL';
  }
  const top = typeof value === 'string' ? value : Object.keys(value)[0];
  const state = TOP_LEVEL[top ?? ''];
  if (state === undefined) throw new Error(`the chart has no state ${String(top)}`);
  return state;
}
