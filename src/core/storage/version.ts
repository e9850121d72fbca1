import type { VersionPlace } from './index-entry.ts';

/** One version of one document as it stands in the log; `document` is `null` for a deletion. */
export interface Version {
  readonly commitId: number;
  readonly collection: Buffer;
  readonly id: Buffer;
  readonly document: Buffer | null;
}

/** A version together with the operation record that it was read from. */
export interface StoredVersion extends Version {
  readonly record: Buffer;
  readonly place: VersionPlace;
}
