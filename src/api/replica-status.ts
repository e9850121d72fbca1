import { matchesState, type StateValue } from 'xstate';
import { replicaState, type ReplicaState as StateName } from '../../machines/replica-state.ts';
import type { HaltReason } from '../core/halt.ts';
import { positionOf, type Position } from '../core/position.ts';
import type { NodeSnapshot } from '../node/node-snapshot.ts';
import { endedStatus } from './ended-status.ts';

/** The way from the primary to a replica that follows it. */
export type StreamState =
  | { readonly state: 'attached' }
  /** On the way: what was received before is proved, or the primary is asked. */
  | { readonly state: 'attaching' }
  /** Nothing is tried again before `attach()`. */
  | { readonly state: 'detached'; readonly cause: string };

/** How far a replica has come; `null`: not known. */
export interface Progress {
  readonly receivedLsn: number | null;
  readonly validated: Position | null;
  readonly applied: Position | null;
  /** Where the primary's durable history ended when it last said so. */
  readonly primary: Pick<Position, 'lsn' | 'commitId'> | null;
}

type Following = 'ReceivingWAL' | 'ValidatingWAL' | 'ApplyingWAL' | 'Ready';

/** What a replica is doing, by the names of the DX API (DESIGN 6). */
export type ReplicaStatus =
  | { readonly name: 'Initializing' | 'Recovering' | 'Disabled' }
  | { readonly name: 'Bootstrapping'; readonly stream: StreamState }
  | { readonly name: Following; readonly stream: StreamState; readonly progress: Progress }
  | { readonly name: 'ReplicationHalted'; readonly halt: HaltReason; readonly recorded: boolean }
  | { readonly name: 'Stopped'; readonly halt: HaltReason | null }
  /** The chart itself has failed: a bug. Nothing is permitted any more. */
  | { readonly name: 'Failed' };

/** A pure function of the chart's state. */
export function replicaStatus(snapshot: NodeSnapshot, primary: Progress['primary']): ReplicaStatus {
  const ended = endedStatus(snapshot, 'ReplicationHalted');
  if (ended !== null) return ended;
  const { value, context } = snapshot;
  const name = replicaState(value) as Exclude<StateName, 'ReplicationHalted' | 'Stopped'>;
  if (name === 'Initializing' || name === 'Recovering' || name === 'Disabled') return { name };
  if (name === 'Bootstrapping') return { name, stream: streamOf(snapshot) };
  const { receivedLsn, validated, applied } = context;
  const progress = {
    receivedLsn,
    validated: validated && positionOf(validated),
    applied: applied && positionOf(applied),
    primary,
  };
  return { name, stream: streamOf(snapshot), progress };
}

const DETACHED = [{ bootstrapping: 'detached' }, { replicating: { ingesting: 'detached' } }];
const ATTACHING = [
  'bootstrapping',
  { replicating: { ingesting: 'settling' } },
  { replicating: { ingesting: 'attaching' } },
];

function streamOf({ value, context }: NodeSnapshot): StreamState {
  const isIn = (states: readonly StateValue[]) => states.some((state) => matchesState(state, value));
  if (isIn(DETACHED)) return { state: 'detached', cause: context.detachment ?? 'there is no stream' };
  return { state: isIn(ATTACHING) ? 'attaching' : 'attached' };
}
