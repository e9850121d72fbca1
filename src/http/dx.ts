import type { FastifyInstance } from 'fastify';
import { explainMachine } from '../node/explain-machine.ts';
import { explainRecovery } from '../node/explain-recovery.ts';
import type { ServedNode } from '../node/served-node.ts';
import { answer } from './answer.ts';
import * as contract from './contract/dx.ts';
import * as why from './contract/why.ts';
import type { EndpointName } from './contract/endpoints.ts';
import { envelope } from './envelope.ts';
import { EventStreams } from './events.ts';
import { blockingReasons } from './health.ts';
import { checkpointsJson, mvccJson, segmentsJson, snapshotsJson, versionsJson } from './holdings-json.ts';
import { replicationJson, statusJson, walJson } from './replication-json.ts';
import { pageRoutes } from './page.ts';
import { viewRequest } from './view-request.ts';

/** The read-only, deterministic view of a node: what it is, where it stands, why. It can be left out whole. */
export function dxPlane(
  app: FastifyInstance,
  served: () => ServedNode,
  endpoints: readonly EndpointName[],
): void {
  const commitIdOf = (node: ServedNode) => node.applied()?.commitId ?? null;

  pageRoutes(app);

  answer(app, contract.getStatus, async () => {
    const node = served();
    return envelope(statusJson(node), commitIdOf(node));
  });
  answer(app, contract.getReplication, async () => {
    const node = served();
    return envelope(replicationJson(node, blockingReasons(node)), commitIdOf(node));
  });
  answer(app, contract.getWal, async ({ query }) => {
    const node = served();
    return envelope({ ...walJson(node), ...segmentsJson(node, query) }, commitIdOf(node));
  });
  answer(app, contract.getMvcc, async ({ query }) => {
    const node = served();
    return envelope(await mvccJson(node, query.digest_at), commitIdOf(node));
  });
  answer(app, contract.getVersions, async ({ query }) => {
    const versions = await versionsJson(served(), query);
    return envelope(versions, versions.view_commit_id, [], query.at === undefined ? 'live' : 'explicit');
  });
  answer(app, contract.getSnapshots, async ({ query }) => {
    const node = served();
    return envelope(await snapshotsJson(node, query), commitIdOf(node));
  });
  answer(app, contract.getCheckpoints, async () => {
    const node = served();
    return envelope(await checkpointsJson(node), commitIdOf(node));
  });
  answer(app, why.getMachine, async ({ query }) => {
    const node = served();
    const chart = query.chart === false ? null : node.chart.chart();
    return envelope({ ...explainMachine(node.chart, node.snapshot()), chart }, commitIdOf(node));
  });
  answer(app, why.explainReplication, async ({ query }) => {
    const explanation = await served().gate.explain(viewRequest(query));
    return envelope(explanation, explanation.observed_snapshot.commit_id);
  });
  answer(app, why.explainRecovery, async () => {
    const node = served();
    return envelope(explainRecovery(node.snapshot()), commitIdOf(node));
  });
  answer(app, why.explainRead, async ({ query }) => {
    const bytes = (text: string | undefined, base64: string | undefined) =>
      text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
    const explanation = await served().gate.explainRead(
      bytes(query.collection, query.collection_base64),
      bytes(query.id, query.id_base64),
      viewRequest(query),
    );
    return envelope(explanation, explanation.observed_snapshot.commit_id);
  });
  const events = new EventStreams(app);
  answer(app, why.getEvents, async ({ query, request, reply }) => {
    events.send(served().transitions, query, request.headers['last-event-id'], reply);
    return reply;
  });
  answer(app, contract.getMetrics, async ({ reply }) => {
    const { metrics } = served();
    return reply.type(metrics.contentType).send(await metrics.text());
  });
  // The description is large and never changes while a node runs: it is made into text once, when it is first asked for.
  let description: Promise<string> | null = null;
  answer(app, contract.getOpenApi, async ({ reply }) => {
    description ??= describe(endpoints);
    return reply.type('application/json; charset=utf-8').send(await description);
  });
}

async function describe(endpoints: readonly EndpointName[]): Promise<string> {
  const { openApi } = await import('./contract/openapi.ts');
  return JSON.stringify(openApi(endpoints));
}
