import type { FastifyInstance } from 'fastify';
import { replicaState } from '../../machines/replica-state.ts';
import { haltToJson } from '../core/halt.ts';
import { positionToJson } from '../core/position.ts';
import { explainRecovery } from '../node/explain-recovery.ts';
import { stateLine } from '../node/transition-log.ts';
import type { ServedNode } from '../node/served-node.ts';
import { envelope } from './envelope.ts';
import { blockingReasons } from './health.ts';
import { replicationJson, walJson } from './replication-json.ts';

/** The read-only, deterministic view of a node: what it is, where it stands, why. */
export function dxPlane(app: FastifyInstance, served: () => ServedNode): void {
  app.get('/v1/status', async () => {
    const node = served();
    const applied = node.applied();
    return envelope(statusJson(node), applied?.commitId ?? null);
  });
  app.get('/v1/wal', async () => {
    const node = served();
    return envelope(walJson(node), node.applied()?.commitId ?? null);
  });
  app.get('/v1/explain/recovery', async () => {
    const node = served();
    return envelope({ ...explainRecovery(node.snapshot()) }, node.applied()?.commitId ?? null);
  });
  app.get('/v1/replication', async () => {
    const node = served();
    return envelope(replicationJson(node, blockingReasons(node)), node.applied()?.commitId ?? null);
  });
}

export function statusJson(node: ServedNode) {
  const { value, context } = node.snapshot();
  const { identity, input, halt } = context;
  const applied = node.applied();
  return {
    role: input.role,
    node_id: identity?.nodeId ?? null,
    cluster_id: identity?.clusterId ?? null,
    replication: input.replication,
    replica_state: replicaState(value),
    machine_state: stateLine(value),
    position: applied && positionToJson(applied),
    blocking_reason: halt === null ? null : { code: halt.code, invariant: halt.invariant, rule: halt.rule },
    failure: halt && haltToJson(halt),
  };
}
