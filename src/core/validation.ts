import type { ChainState, UnitFacts } from './wal/chain.ts';

/** What the validator saw in the next piece of received WAL. */
export interface ValidationFacts {
  readonly from: ChainState;
  /** Where the proven WAL ends now: before the suspect, if there is one. */
  readonly to: ChainState;
  /** The first unit that did not pass, as raw facts; `null` when all passed. */
  readonly suspect: UnitFacts | null;
  /** A unit that the files end in the middle of, though it was received whole. */
  readonly incompleteLsn: number | null;
}
