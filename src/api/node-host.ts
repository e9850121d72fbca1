import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { RolePlanes } from '../http/planes.ts';
import { resolveConfig, type NodeConfig, type NodeConfigInput } from '../core/config.ts';
import type { JsonObject } from '../core/bytes.ts';
import { listen, type NodeServer } from '../http/server.ts';
import { configFileChecks } from '../io/config-files.ts';
import { levelVersionIndex } from '../io/level/level-version-index.ts';
import { nodeFileSystem } from '../io/node-file-system.ts';
import type { NodePorts } from '../node/ports.ts';
import type { ServedNode } from '../node/served-node.ts';
import { HostedNode } from './hosted.ts';
import { loggerOf } from './logger.ts';

/** What a host may bring of its own; everything else is the real thing. */
export interface HostPorts extends Partial<NodePorts> {
  /** Stops the node when it is aborted; a start under way is given up, and leaves nothing open. */
  readonly signal?: AbortSignal | undefined;
}

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

/** Starts a node, and a server that speaks for it where `listen` says so; nothing is left of a start that fails. */
export async function host<Node extends ServedNode>(
  config: NodeConfig,
  ports: NodePorts,
  open: (ports: NodePorts) => Promise<Node>,
  {
    planes = () => undefined,
    signal,
  }: { readonly planes?: RolePlanes<Node>; readonly signal?: AbortSignal | undefined },
): Promise<HostedNode<Node>> {
  signal?.throwIfAborted();
  for (const { prove } of configFileChecks(config)) await prove();
  const server: NodeServer<Node> | null =
    config.listen === undefined ? null : await listen(config, config.listen, ports.logger, planes);
  try {
    const node = await open(ports);
    const hosted = new HostedNode({ node, server, config, logger: ports.logger, planes });
    server?.serve(node);
    if (signal !== undefined) await hosted.stopOn(signal);
    return hosted;
  } catch (error) {
    await server?.close();
    throw error;
  }
}
