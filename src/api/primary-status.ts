import type { HaltReason } from '../core/halt.ts';
import type { NodeSnapshot } from '../node/node-snapshot.ts';
import { endedStatus } from './ended-status.ts';

/** What a primary is doing. */
export type PrimaryStatus =
  | { readonly name: 'Starting' | 'Working' }
  | { readonly name: 'Halted'; readonly halt: HaltReason; readonly recorded: boolean }
  | { readonly name: 'Stopped'; readonly halt: HaltReason | null }
  | { readonly name: 'Failed' };

/** A pure function of the chart's state. */
export function primaryStatus(snapshot: NodeSnapshot): PrimaryStatus {
  const ended = endedStatus(snapshot, 'Halted');
  // The chart of a primary names what it leaves out: a working primary is one in which replication is disabled.
  return ended ?? { name: snapshot.value === 'disabled' ? 'Working' : 'Starting' };
}
