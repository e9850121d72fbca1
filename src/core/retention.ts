import type { SnapshotCut } from './storage/base-format.ts';

/** What stands against the end of history that is no longer kept as WAL. */
export interface RetentionLimits {
  /** What is applied: of nothing behind it a node could make a base file. */
  readonly appliedLsn: number;
  /** Where the oldest snapshot that is kept was cut: who begins with it goes on there. `null`: there is none. */
  readonly oldestSnapshotLsn: number | null;
  /**
   * Commits behind this one are asked for still, from its own position on: that stands before the cut of a snapshot that was made
   * right behind it. `null`: none are.
   */
  readonly upToCommitId: number | null;
}

/** Whether the history before a cut may go. */
export function mayPruneTo(
  { lsn, commitId }: Pick<SnapshotCut, 'lsn' | 'commitId'>,
  { appliedLsn, oldestSnapshotLsn, upToCommitId }: RetentionLimits,
): boolean {
  return (
    // The header of the segment that begins there is applied, and so proved.
    lsn < appliedLsn && lsn <= (oldestSnapshotLsn ?? Infinity) && commitId < (upToCommitId ?? Infinity)
  );
}
