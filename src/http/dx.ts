import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { replicaState } from '../../machines/replica-state.ts';
import { haltToJson } from '../core/halt.ts';
import { positionToJson } from '../core/position.ts';
import { explainRecovery } from '../node/explain-recovery.ts';
import { stateLine } from '../node/transition-log.ts';
import type { ServedNode } from '../node/served-node.ts';
import { parse, queryNumber, viewRequest } from './request.ts';
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
  app.get('/v1/mvcc', async (request) => {
    const node = served();
    const { digest_at: at } = parse(mvccQuery, request.query, 'query');
    return envelope(await mvccJson(node, at), node.applied()?.commitId ?? null);
  });
  app.get('/v1/explain/replication', async (request) => {
    const node = served();
    const explanation = await node.gate.explain(viewRequest(request));
    return envelope({ ...explanation }, explanation.observed_snapshot.commit_id);
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

const mvccQuery = z.object({ digest_at: queryNumber.optional() });

/** The views that can be had. A state digest is a read of everything, so it passes the gate like any other. */
async function mvccJson(node: ServedNode, digestAt: number | undefined) {
  const applied = node.applied();
  const digest =
    digestAt === undefined ? null : await node.gate.read((view) => view.stateDigest(), { at: digestAt });
  return {
    newest_view_commit_id: applied?.commitId ?? null,
    position: applied && positionToJson(applied),
    snapshot_cut_commit_id: node.snapshot().context.applied?.snapshotCut ?? null,
    state_digest: digest && {
      commit_id: digest.commitId,
      sha256: digest.sha256,
      versions: digest.versions,
      keys: digest.keys,
    },
  };
}

export function statusJson(node: ServedNode) {
  const { value, context, status } = node.snapshot();
  const { identity, input, halt } = context;
  const applied = node.applied();
  return {
    role: input.role,
    node_id: identity?.nodeId ?? null,
    cluster_id: identity?.clusterId ?? null,
    replication: input.replication,
    replica_state: replicaState(value),
    machine_state: status === 'error' ? `failed in ${stateLine(value)}` : stateLine(value),
    position: applied && positionToJson(applied),
    blocking_reason: halt === null ? null : { code: halt.code, invariant: halt.invariant, rule: halt.rule },
    failure: halt && haltToJson(halt),
  };
}
