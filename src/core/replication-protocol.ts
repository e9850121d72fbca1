/** Response headers of the WAL stream (docs/FORMAT.md). */
export const REPLICATION_HEADERS = {
  clusterId: 'replichart-cluster-id',
  startLsn: 'replichart-start-lsn',
  durableCommitId: 'replichart-durable-commit-id',
  durableLsn: 'replichart-durable-lsn',
  durableHash: 'replichart-durable-history-hash',
} as const;
