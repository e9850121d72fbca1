import type { Checkpoint } from '../storage/checkpoint.ts';
import type { ChainState } from '../wal/chain.ts';

/** What the repair of a replica did and where it left off. */
export interface RepairFacts {
  /** `null` where the node is to begin with a snapshot. */
  readonly resume: {
    /** Where the proven WAL ends that is kept; behind the checkpoint it is replayed. */
    readonly receivedLsn: number;
    /** The chain at the checkpoint. */
    readonly validated: ChainState;
    readonly applied: Checkpoint;
  } | null;
  readonly discardedPartials: readonly string[];
  /** The WAL that was discarded: from the first unit that is not proven. */
  readonly discardedTail: {
    readonly fromLsn: number;
    readonly bytes: number;
    readonly rule: string;
    readonly keptIn: string | null;
  } | null;
}
