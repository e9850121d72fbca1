import type { StateValue } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import type { Position } from '../core/position.ts';
import type { PreparedCommit } from '../core/wal/operation.ts';
import type { ReadView } from './read-view.ts';

/** A node as its chart shows it at one moment. */
export interface NodeSnapshot {
  readonly value: StateValue;
  readonly context: NodeContext;
}

/** Which view a read asks for: the newest, or one commit id. */
export interface ViewRequest {
  readonly at?: number;
}

/** What the faces of a node need of it, whichever its role. */
export interface ServedNode {
  snapshot(): NodeSnapshot;
  /** What is applied and can be read; `null` before recovery is through. */
  applied(): Position | null;
  /** @throws ReplichartError `WRITE_REFUSED` on a replica. */
  commit(commit: PreparedCommit): Promise<Position>;
  /**
   * Runs `use` on one immutable view.
   * @throws ReplichartError with the reason when the read is refused.
   */
  read<Result>(use: (view: ReadView) => Promise<Result>, request?: ViewRequest): Promise<Result>;
}
