import type { JsonObject } from './bytes.ts';
import type { SourceFailure } from './ingress.ts';
import type { Checkpoint } from './storage/checkpoint.ts';
import type { SnapshotCut } from './storage/base-format.ts';
import type { Manifest } from './storage/manifest.ts';
import type { SegmentHeader } from './wal/segment-header.ts';

/** What a snapshot says that it is, without its list of blocks. */
export type SnapshotSummary = Omit<Manifest, 'blocks'>;

/** What came of fetching the newest snapshot. */
export type FetchFacts =
  | { readonly kind: 'none' }
  | SourceFailure
  | {
      readonly kind: 'manifest damaged';
      readonly snapshotId: string;
      readonly expected: string;
      readonly found: string;
    }
  | {
      readonly kind: 'fetched';
      /** The cluster of this node. */
      readonly clusterId: string;
      readonly snapshot: SnapshotSummary;
      readonly blocks: number;
      /** The first block that was not what the manifest says. */
      readonly blockFault: {
        readonly block: number;
        readonly expected: JsonObject;
        readonly found: JsonObject;
      } | null;
    };

/** What the transferred file is, read back from disk. */
export interface VerifiedFacts {
  readonly snapshot: SnapshotSummary;
  readonly header: { readonly clusterId: string; readonly cut: SnapshotCut } | null;
  readonly fault: JsonObject | null;
  readonly stateDigest: string;
  readonly versions: number;
  readonly keys: number;
  readonly bytes: number;
}

/** How the primary's WAL goes on at the cut. */
export type ResumeFacts =
  | SourceFailure
  | {
      readonly kind: 'probed';
      readonly cut: SnapshotCut;
      readonly clusterId: string;
      readonly streamStartLsn: number;
      /** The segment header that stands at the cut; `null` where the stream ended before it. */
      readonly header: SegmentHeader | null;
    };

export interface InstalledFacts {
  readonly cut: SnapshotCut;
  readonly checkpoint: Checkpoint;
}
