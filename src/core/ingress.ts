import type { JsonObject } from './bytes.ts';
import type { ErrorCode } from './errors.ts';
import type { Position } from './position.ts';
import type { UnitFacts } from './wal/chain.ts';

/** What a primary says of itself. */
export interface PrimaryIdentity {
  readonly clusterId: string;
  readonly formatVersion: number;
  readonly oldestLsn: number;
  readonly durable: Position;
}

/** A refusal or a silence, as data: it is for the chart to say what follows. */
export type SourceFailure =
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly evidence: JsonObject;
    }
  | { readonly kind: 'unreachable'; readonly message: string };

export type MeetFacts = { readonly kind: 'met'; readonly primary: PrimaryIdentity } | SourceFailure;

/** What came of asking for the stream at a position. */
export type AttachAnswer =
  | {
      readonly kind: 'attached';
      readonly clusterId: string;
      /** NaN, which equals nothing, where the source did not say it. */
      readonly startLsn: number;
      readonly durable: Position | null;
    }
  | SourceFailure;

export interface AttachFacts {
  readonly clusterId: string;
  readonly requested: Position;
  readonly answer: AttachAnswer;
}

/** What the next read of the stream brought: only whole units, and no judgement. */
export interface ReceiptFacts {
  /** Where the node's received WAL ends, and where the bytes at hand begin and end. */
  readonly expectedLsn: number;
  readonly fromLsn: number;
  readonly toLsn: number;
  readonly units: number;
  /** The unit that the framing checks are to look at, when one stopped the reading. */
  readonly suspect: UnitFacts | null;
  /** A chunk that did not begin where the one before it ended, or a unit that goes on behind the end of durable history. */
  readonly chunkGap: { readonly expectedLsn: number; readonly foundLsn: number } | null;
  /** The primary's durable position, if it said one. */
  readonly primary: Position | null;
  /** Why the stream has ended, if it has and nothing whole is left of it. */
  readonly ended: string | null;
}
