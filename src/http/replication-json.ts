import { replicaState } from '../../machines/replica-state.ts';
import { haltToJson } from '../core/halt.ts';
import { blockingChecks } from '../core/read-safety.ts';
import { positionToJson } from '../core/position.ts';
import { baseCutOf, type ServedNode } from '../node/served-node.ts';
import { stateOf } from '../core/state-line.ts';

/** What a node is and where it stands. */
export function statusJson(node: ServedNode) {
  const snapshot = node.snapshot();
  const { identity, input, halt } = snapshot.context;
  const applied = node.applied();
  return {
    role: input.role,
    node_id: identity?.nodeId ?? null,
    cluster_id: identity?.clusterId ?? null,
    replication: input.replication,
    replica_state: replicaState(snapshot.value),
    machine_state: stateOf(snapshot),
    position: applied && positionToJson(applied),
    blocking_reason: blockingReason(node),
    failure: halt && haltToJson(halt),
  };
}

/** What stands against a read now, if anything does: the halt, or the first rule of the gate that does not hold. */
function blockingReason(node: ServedNode) {
  const facts = node.gate.facts();
  if (facts.halt !== null) {
    const { code, invariant, rule } = facts.halt;
    return { code, invariant, rule };
  }
  const against = blockingChecks(facts)[0];
  return against === undefined
    ? null
    : { code: against.code(facts), invariant: against.invariant, rule: against.rule };
}

/** How far the WAL of a node has come: received, proved and applied are three different things. */
export function walJson(node: ServedNode) {
  const { context } = node.snapshot();
  const { receivedLsn, validated } = context;
  const applied = node.applied();
  const primary = node.primaryPosition();
  return {
    wal_received_lsn: receivedLsn,
    wal_validated_lsn: validated?.lsn ?? null,
    wal_applied_lsn: applied?.lsn ?? null,
    validated_commit_id: validated?.commitId ?? null,
    applied_commit_id: applied?.commitId ?? null,
    history_hash: (applied ?? validated)?.historyHash ?? null,
    primary_durable_lsn: primary?.lsn ?? null,
    primary_commit_id: primary?.commitId ?? null,
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
    read_safety: blocking.length === 0 ? ('Safe' as const) : ('Unsafe' as const),
    blocking_reason: blocking[0] ?? null,
    detachment,
    failure: halt && haltToJson(halt),
  };
}

/** Whether this node's state began with a snapshot. */
function bootstrapState(node: ServedNode): 'NotStarted' | 'InProgress' | 'Complete' {
  if (replicaState(node.snapshot().value) === 'Bootstrapping') return 'InProgress';
  return (baseCutOf(node) ?? 0) > 0 ? 'Complete' : 'NotStarted';
}
