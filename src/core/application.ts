import type { Position } from './position.ts';
import type { Checkpoint } from './storage/checkpoint.ts';

/** A stretch of proven WAL that waits to be applied, or is being applied. */
export interface ProvenRange {
  readonly from: Position;
  readonly to: Position;
}

/** What the applier did. */
export interface ApplicationFacts {
  readonly range: ProvenRange;
  readonly checkpoint: Checkpoint;
}
