import { replicaState } from '../../machines/replica-state.ts';
import { haltToJson } from '../core/halt.ts';
import type { ServedNode } from '../node/served-node.ts';

/** How far the WAL of a node has come: received, proved and applied are three different things. */
export function walJson(node: ServedNode) {
  const { receivedLsn, validated, primaryDurable } = node.snapshot().context;
  const applied = node.applied();
  return {
    wal_received_lsn: receivedLsn,
    wal_validated_lsn: validated?.lsn ?? null,
    wal_applied_lsn: applied?.lsn ?? null,
    validated_commit_id: validated?.commitId ?? null,
    applied_commit_id: applied?.commitId ?? null,
    history_hash: (applied ?? validated)?.historyHash ?? null,
    // What was proved is the primary's: it stands at least there, whatever it last said of itself.
    primary_durable_lsn: primaryDurable && Math.max(primaryDurable.lsn, validated?.lsn ?? 0),
    primary_commit_id: primaryDurable && Math.max(primaryDurable.commitId, validated?.commitId ?? 0),
  };
}

/** The state of replication on a node (DESIGN 7); what is not known is `null`. */
export function replicationJson(node: ServedNode, blocking: readonly string[]) {
  const { value, context } = node.snapshot();
  const { identity, input, halt, detachment } = context;
  const wal = walJson(node);
  return {
    role: input.role,
    replica_id: identity?.nodeId ?? null,
    replica_state: replicaState(value),
    replica_commit_id: wal.applied_commit_id,
    primary_commit_id: wal.primary_commit_id,
    wal_received_lsn: wal.wal_received_lsn,
    wal_validated_lsn: wal.wal_validated_lsn,
    wal_applied_lsn: wal.wal_applied_lsn,
    history_hash: wal.history_hash,
    snapshot_bootstrap_state: bootstrapState(node),
    read_safety: blocking.length === 0 ? 'Safe' : 'Unsafe',
    blocking_reason: blocking[0] ?? null,
    detachment,
    failure: halt && haltToJson(halt),
  };
}

/** Whether this node's state began with a snapshot. */
function bootstrapState(node: ServedNode): 'NotStarted' | 'InProgress' | 'Complete' {
  const { value, context } = node.snapshot();
  if (replicaState(value) === 'Bootstrapping') return 'InProgress';
  return (context.applied?.snapshotCut ?? 0) > 0 ? 'Complete' : 'NotStarted';
}
