import { dataOf, status, type PositionJson } from './http.ts';
import { DemoFailure } from './failure.ts';
import type { DemoNode, Processes, StartOptions } from './processes.ts';
import { Relay } from './relay.ts';
import { until } from './until.ts';

/** So that several segments appear, and the last commit of the story does not end near a segment's size. */
export const SEGMENT_BYTES_MAX = 7 * 1024 * 1024;

/** A replica of the demonstration, by its name. */
export const REPLICAS = ['replica-a', 'replica-b', 'replica-c'] as const;
export type ReplicaName = (typeof REPLICAS)[number];
export type NodeName = 'primary' | ReplicaName;
export const NODES: readonly NodeName[] = ['primary', ...REPLICAS];

/** What people call a node. */
export function titleOf(name: NodeName): string {
  return name === 'primary' ? 'the primary' : `replica ${name.slice(-1).toUpperCase()}`;
}

/** How a replica is started. */
export interface ReplicaStart extends Pick<StartOptions, 'fileBytesMax'> {
  readonly bootstrap?: 'wal' | 'snapshot';
}

/**
 * The nodes of a demonstration: one primary, and replicas that each follow it through a relay of their own where they
 * are to be interfered with. A node that is started again listens where it did.
 */
export class Fleet {
  readonly processes: Processes;
  readonly #isRelayed: boolean;
  readonly #nodes = new Map<NodeName, DemoNode>();
  readonly #relays = new Map<ReplicaName, Relay>();

  constructor(processes: Processes, { isRelayed }: { readonly isRelayed: boolean }) {
    this.processes = processes;
    this.#isRelayed = isRelayed;
  }

  /** A node that was started. @throws DemoFailure for one that never was. */
  of(name: NodeName): DemoNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new DemoFailure(`${name} was never started`);
    return node;
  }

  /** Every node that was started, the primary first. */
  get nodes(): readonly NodeName[] {
    return NODES.filter((name) => this.#nodes.has(name));
  }

  /** What a replica follows through. */
  async relayOf(name: ReplicaName): Promise<Relay> {
    const relay = this.#relays.get(name) ?? (await Relay.to(this.of('primary').url));
    this.#relays.set(name, relay);
    return relay;
  }

  async startPrimary(): Promise<DemoNode> {
    const flags = ['--segment-bytes-max', String(SEGMENT_BYTES_MAX)];
    const primary = await this.#start('primary', 'primary', { flags });
    for (const relay of this.#relays.values()) relay.retarget(primary.url);
    return primary;
  }

  async startReplica(
    name: ReplicaName,
    { bootstrap = 'wal', ...options }: ReplicaStart = {},
  ): Promise<DemoNode> {
    const isRelayed = this.#isRelayed || this.#relays.has(name);
    const primary = isRelayed ? (await this.relayOf(name)).url : this.of('primary').url;
    const flags = ['--primary', primary, '--bootstrap', bootstrap];
    return this.#start(name, 'replica', { ...options, flags });
  }

  isRunning(name: NodeName): boolean {
    return this.processes.isRunning(name);
  }

  /** Where a node stands. */
  async positionOf(name: NodeName): Promise<PositionJson> {
    const { data } = await dataOf(status, this.of(name).url, 'v1/status');
    if (data.position === null) throw new DemoFailure(`${name} stands nowhere yet: ${data.machine_state}`);
    return data.position;
  }

  /** Resolves when a replica has applied what the primary holds at this moment. @throws DemoFailure when it does not. */
  async caughtUp(name: ReplicaName): Promise<void> {
    const { lsn } = await this.positionOf('primary');
    await until(
      `${titleOf(name)} has applied the WAL to LSN ${lsn}`,
      async () => (await dataOf(status, this.of(name).url, 'v1/status')).data,
      ({ position }) => position !== null && position.lsn >= lsn,
      { isHopeless: ({ failure }) => failure !== null, progress: ({ position }) => position?.lsn },
    );
  }

  /** Ends the relays; the processes are not this one's to end. */
  async close(): Promise<void> {
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
    this.#relays.clear();
  }

  async #start(name: NodeName, role: 'primary' | 'replica', options: StartOptions): Promise<DemoNode> {
    const before = this.#nodes.get(name);
    const node = await this.processes.start(name, role, {
      ...options,
      ...(before === undefined ? {} : { port: Number(new URL(before.url).port) }),
    });
    this.#nodes.set(name, node);
    return node;
  }
}
