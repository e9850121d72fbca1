/** The public API of Replichart. */
export { createPrimary, type Primary, type PrimaryOptions } from './api/create-primary.ts';
export { createReplica, type Replica, type ReplicaOptions } from './api/create-replica.ts';
export type { HostPorts, NodeOptions } from './api/node-host.ts';
export { ERRORS, EXIT, InvariantBug, ReplichartError, type ErrorCode } from './core/errors.ts';
export type { Explanation } from './core/explain/explanation.ts';
export { FAILURES, type FailureId } from './core/failure-matrix.ts';
export { INVARIANTS, type InvariantId } from './core/invariants.ts';
export type { Position } from './core/position.ts';
export type { Operation } from './core/wal/operation.ts';
export type { ReadDocument, ReadView, ScanOptions } from './node/read-view.ts';
export type { NodeSnapshot, ViewRequest } from './node/node-snapshot.ts';
