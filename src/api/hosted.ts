import type { Logger } from 'pino';
import type { NodeConfig } from '../core/config.ts';
import { describeError, ReplichartError } from '../core/errors.ts';
import type { RolePlanes } from '../http/planes.ts';
import type { NodeServer } from '../http/server.ts';
import type { ServedNode } from '../node/served-node.ts';

interface Parts<Node extends ServedNode> {
  readonly node: Node;
  /** `null` when the node is not served by itself. */
  readonly server: NodeServer<Node> | null;
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly planes: RolePlanes<Node>;
}

/** A node in a host: with the server that speaks for it, and whatever else of the host does. All end before the node. */
export class HostedNode<Node extends ServedNode = ServedNode> {
  readonly node: Node;
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly planes: RolePlanes<Node>;
  readonly #server: NodeServer<Node> | null;
  readonly #ends = new Set<() => Promise<void>>();
  #stopping: Promise<void> | null = null;

  constructor({ node, server, config, logger, planes }: Parts<Node>) {
    this.node = node;
    this.config = config;
    this.logger = logger;
    this.planes = planes;
    this.#server = server;
  }

  /** Where it is served; `null` when it is not. */
  get url(): string | null {
    return this.#server?.url ?? null;
  }

  readonly stop = (): Promise<void> => (this.#stopping ??= this.#stop());

  /** What is to end before the node does. */
  before(end: () => Promise<void>): void {
    this.#ends.add(end);
  }

  /** Stops the node when the signal is aborted. @throws the signal's reason where it was aborted meanwhile. */
  async stopOn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) {
      await this.stop();
      signal.throwIfAborted();
    }
    const stop = () =>
      void this.stop().catch((error: unknown) =>
        this.logger.error({ error: describeError(error) }, 'the node could not be stopped'),
      );
    signal.addEventListener('abort', stop, { once: true });
    this.before(async () => signal.removeEventListener('abort', stop));
  }

  async #stop(): Promise<void> {
    try {
      for (const end of this.#ends) await end();
      await this.#server?.close();
    } finally {
      // Whatever becomes of those who speak for it: its files are closed.
      await this.node.stop();
    }
  }
}

const known = new WeakMap<object, HostedNode>();

/** So that what serves a node finds it behind its handle. */
export function remember<Node extends ServedNode>(handle: object, hosted: HostedNode<Node>): void {
  known.set(handle, hosted as unknown as HostedNode);
}

/** @throws ReplichartError `CONFIG_INVALID` for anything that is no handle of a node. */
export function hostedBy(handle: object): HostedNode {
  const hosted = known.get(handle);
  if (hosted === undefined)
    throw new ReplichartError('CONFIG_INVALID', 'node: it must be what createPrimary or createReplica gave');
  return hosted;
}
