import type { StateValue } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import type { Position } from '../core/position.ts';

/** A node as its chart shows it at one moment. */
export interface NodeSnapshot {
  /** `error`: the chart itself has failed, which is a bug; nothing is decided any more, so nothing is permitted. */
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value: StateValue;
  readonly context: NodeContext;
}

/** Which view a read asks for: the newest, one commit id, or one full position. */
export interface ViewRequest {
  readonly at?: number;
  /** A position that some node has given: refused where it is not of this node's history. */
  readonly position?: Position;
}
