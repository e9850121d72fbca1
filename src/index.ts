/** The public API of Replichart. */
export { createPrimary, type Primary, type PrimaryOptions } from './api/create-primary.ts';
export { createReplica, type Replica, type ReplicaOptions } from './api/create-replica.ts';
export type { Health, NodeHandle } from './api/node-handle.ts';
export type { HostPorts, NodeOptions } from './api/node-host.ts';
export type { PrimaryStatus } from './api/primary-status.ts';
export type { Progress, ReplicaStatus, StreamState } from './api/replica-status.ts';
export { ERRORS, EXIT, InvariantBug, ReplichartError, type ErrorCode } from './core/errors.ts';
export type { Explanation } from './core/explain/explanation.ts';
export { FAILURES, type FailureId } from './core/failure-matrix.ts';
export type { HaltReason } from './core/halt.ts';
export { INVARIANTS, type InvariantId } from './core/invariants.ts';
export type { Position } from './core/position.ts';
export type { Operation } from './core/wal/operation.ts';
export type { Change, CommittedChanges } from './io/wal/commits.ts';
export type { ChangesOptions } from './node/change-feed.ts';
export type { Pruned, PruneRequest } from './node/pruner.ts';
export type { ReadDocument, ReadView, ScanOptions } from './node/read-view.ts';
export type { NodeSnapshot, ViewRequest } from './node/node-snapshot.ts';

// What a host may bring of its own.
export type { FileHandle, FileSystem } from './io/file-system.ts';
export type { IndexEntry, VersionIndex, VersionIndexStore } from './io/version-index.ts';
export type { OpenedWal, WalChunk, WalSource, WalStream } from './io/wal-source.ts';
