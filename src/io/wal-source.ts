import type { MeetFacts, SourceFailure } from '../core/ingress.ts';
import type { Position } from '../core/position.ts';

/** Bytes of the stream and where they stand, or the primary's durable position between two of them. */
export type WalChunk =
  | { readonly kind: 'wal'; readonly lsn: number; readonly bytes: Buffer }
  | { readonly kind: 'notice'; readonly position: Position };

/** A stream that was opened. It ends when the connection does; an error says only why it was lost. */
export interface WalStream {
  readonly clusterId: string;
  readonly startLsn: number;
  readonly durable: Position | null;
  /** Read one at a time: what is not asked for stays with the sender. */
  readonly chunks: AsyncIterable<WalChunk>;
  close(): void;
}

export type OpenedWal = { readonly kind: 'opened'; readonly stream: WalStream } | SourceFailure;

/**
 * Where a replica gets history from: HTTP, a directory, a simulation. Expected failures are answers, not errors; nothing
 * is tried twice.
 */
export interface WalSource {
  identify(): Promise<MeetFacts>;
  openWal(from: Position): Promise<OpenedWal>;
  /** Ids of the snapshots that can be had. */
  listSnapshots(): Promise<SnapshotList>;
  /** The manifest of a snapshot, as it is stored. */
  snapshotManifest(snapshotId: string): Promise<SourceBytes>;
  /** One block of a snapshot. */
  snapshotBlock(snapshotId: string, index: number): Promise<SourceBytes>;
  close(): Promise<void>;
}

export type SnapshotList =
  { readonly kind: 'listed'; readonly snapshotIds: readonly string[] } | SourceFailure;
export type SourceBytes = { readonly kind: 'bytes'; readonly bytes: Buffer } | SourceFailure;
