import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { resolveConfig, type NodeConfig, type NodeConfigInput } from '../core/config.ts';
import type { JsonObject } from '../core/bytes.ts';
import { listen, type NodeServer } from '../http/server.ts';
import { configFileChecks } from '../io/config-files.ts';
import { levelVersionIndex } from '../io/level/level-version-index.ts';
import { nodeFileSystem } from '../io/node-file-system.ts';
import type { NodePorts } from '../node/ports.ts';
import type { ServedNode } from '../node/served-node.ts';
import { loggerOf } from './logger.ts';

/** What a host may bring of its own; everything else is the real thing. */
export type HostPorts = Partial<NodePorts>;

/** The configuration of a node as a host writes it; the role is known by the function that is called. */
export type NodeOptions = Omit<NodeConfigInput, 'role'>;

export function configOf(role: 'primary' | 'replica', options: NodeOptions): NodeConfig {
  const config = resolveConfig([{ name: 'options', values: { ...options, role } as JsonObject }]);
  return { ...config, dataDir: resolve(config.dataDir) };
}

export function portsOf(config: NodeConfig, ports: HostPorts): NodePorts {
  return {
    files: ports.files ?? nodeFileSystem,
    indexStore: ports.indexStore ?? levelVersionIndex,
    walSource: ports.walSource,
    logger: ports.logger ?? loggerOf(config),
    newUuid: ports.newUuid ?? randomUUID,
    ...(ports.inspect === undefined ? {} : { inspect: ports.inspect }),
    wrapEffect: ports.wrapEffect,
  };
}

/** A node and the server that speaks for it; stopped together, the server first. */
export interface HostedNode<Node extends ServedNode> {
  readonly node: Node;
  /** Where it is served; `null` when it is not. */
  readonly url: string | null;
  readonly stop: () => Promise<void>;
}

export async function host<Node extends ServedNode & { stop(): Promise<void> }>(
  config: NodeConfig,
  ports: NodePorts,
  open: (ports: NodePorts) => Promise<Node>,
  planes: (app: FastifyInstance, served: () => Node) => void = () => undefined,
): Promise<HostedNode<Node>> {
  for (const { prove } of configFileChecks(config)) await prove();
  const server: NodeServer<Node> | null =
    config.listen === undefined ? null : await listen(config, config.listen, ports.logger, planes);
  try {
    const node = await open(ports);
    server?.serve(node);
    let stopping: Promise<void> | null = null;
    const stop = async () => {
      await server?.close();
      await node.stop();
    };
    return { node, url: server?.url ?? null, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await server?.close();
    throw error;
  }
}
