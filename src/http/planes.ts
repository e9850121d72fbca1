import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';
import type { ServedNode } from '../node/served-node.ts';
import { requireTokens } from './access.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from './contract/endpoints.ts';
import { dataPlane } from './data-plane.ts';
import { dxPlane } from './dx.ts';
import { healthPlane } from './health.ts';
import { allowOrigins } from './origins.ts';
import { answerProblems } from './problem.ts';
import { logRequests } from './request-log.ts';

/** The planes that a role adds to those which every node has. */
export type RolePlanes<Node extends ServedNode> = (app: FastifyInstance, served: () => Node) => void;

/** What is served, and how it is kept. */
export interface Mounted<Node extends ServedNode> {
  readonly config: NodeConfig;
  readonly logger: Logger;
  /** `null` as long as the node is starting. */
  readonly node: () => Node | null;
  readonly planes: RolePlanes<Node>;
}

/** Puts all planes of a node into a server, with their tokens, their refusals and their log; to no other route of it. */
export function mountPlanes<Node extends ServedNode>(
  app: FastifyInstance,
  { config, logger, node, planes }: Mounted<Node>,
): void {
  const served = (): Node => {
    const found = node();
    if (found === null) throw new ReplichartError('NODE_STARTING', 'the node is starting');
    return found;
  };
  logRequests(app, logger);
  answerProblems(app);
  // Before tokens are asked for: a page must be able to read that its token is missing.
  if (config.dx === 'enabled') allowOrigins(app, config.dxOrigins);
  requireTokens(app, config);
  healthPlane(app, node);
  if (config.dx === 'enabled') dxPlane(app, served, endpointsOf(config));
  dataPlane(app, served);
  planes(app, served);
}

/** What a node of this configuration serves: only a primary has a replication plane, and makes snapshots. */
function endpointsOf({ role }: NodeConfig): readonly EndpointName[] {
  const ofPrimary: readonly EndpointName[] = ['postSnapshot', 'deleteSnapshot'];
  return ENDPOINT_NAMES.filter(
    (name) => role === 'primary' || (ENDPOINTS[name].plane !== 'replication' && !ofPrimary.includes(name)),
  );
}
