import { firstViolation } from '../checks/check.ts';
import { UNIT_CHECKS } from '../checks/wal.ts';
import { advance, observeUnit, unitBytes, type ChainState, type UnitFacts } from './chain.ts';
import { FRAME_KIND } from './frame.ts';
import { segmentFileName } from './segment-header.ts';

/** A frame of commits inside a proven batch. */
export interface ProvenFrame {
  readonly lsn: number;
  readonly bytes: Buffer;
}

/** A unit that passed every check, and its bytes: for those who show what the WAL holds. */
export interface ProvenUnit {
  readonly facts: UnitFacts;
  readonly bytes: Buffer;
}

/**
 * WAL that was proved: every unit of it passed every check of `UNIT_CHECKS` against the history before it. Nothing
 * else can be applied, and only this file can make one (P5-I5).
 */
export class ProvenBatch {
  readonly from: ChainState;
  readonly to: ChainState;
  /** The frames that hold commits; seals, cuts and segment headers only move the position. */
  readonly frames: readonly ProvenFrame[];
  readonly #proven = true;

  private constructor(from: ChainState, to: ChainState, frames: readonly ProvenFrame[]) {
    this.from = from;
    this.to = to;
    this.frames = frames;
  }

  static isProven(value: unknown): value is ProvenBatch {
    return typeof value === 'object' && value !== null && #proven in value && value.#proven;
  }

  /** Proves as many whole units of `buffer` as are good. `buffer` starts at the chain's LSN. */
  static prove(from: ChainState, buffer: Buffer): Proof {
    const frames: ProvenFrame[] = [];
    const units: ProvenUnit[] = [];
    let chain = from;
    for (;;) {
      const offset = chain.lsn - from.lsn;
      const bytes = unitBytes(chain, buffer, offset);
      const available = buffer.length - offset;
      if (bytes === null || bytes > available) {
        const stop: ProofStop | null =
          available === 0
            ? null
            : {
                kind: 'incomplete',
                lsn: chain.lsn,
                file: segmentFileName(chain.segmentStartLsn),
                byte: chain.lsn - chain.segmentStartLsn,
                availableBytes: available,
                neededBytes: bytes,
              };
        return { batch: new ProvenBatch(from, chain, frames), units, stop };
      }
      const facts = observeUnit(chain, buffer, offset, 'whole');
      if (firstViolation(UNIT_CHECKS, facts) !== undefined)
        return { batch: new ProvenBatch(from, chain, frames), units, stop: { kind: 'suspect', facts } };
      const unit = buffer.subarray(offset, offset + bytes);
      if (facts.unit === 'frame' && facts.header.kind === FRAME_KIND.commits)
        frames.push({ lsn: chain.lsn, bytes: unit });
      units.push({ facts, bytes: unit });
      chain = advance(facts);
    }
  }

  /** What the primary itself has just made: it is history because the primary says so (P5-I6). */
  static authored(from: ChainState, to: ChainState, frames: readonly ProvenFrame[]): ProvenBatch {
    return new ProvenBatch(from, to, frames);
  }
}

/** Why proving stopped before the end of the bytes. */
export type ProofStop =
  | { readonly kind: 'suspect'; readonly facts: UnitFacts }
  | {
      readonly kind: 'incomplete';
      readonly lsn: number;
      readonly file: string;
      readonly byte: number;
      readonly availableBytes: number;
      /** What the unit takes by its own account; `null` where not even its header is whole. */
      readonly neededBytes: number | null;
    };

export interface Proof {
  readonly batch: ProvenBatch;
  /** Every unit of the batch in its order: segment headers, seals and cuts as well. */
  readonly units: readonly ProvenUnit[];
  readonly stop: ProofStop | null;
}
