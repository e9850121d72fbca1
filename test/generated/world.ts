import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { NODE } from '../../machines/model/history.ts';
import type { TestPath } from '../../machines/model/paths.ts';
import { configOf, portsOf } from '../../src/api/node-host.ts';
import type { NodeContext } from '../../machines/context.ts';
import type { Position } from '../../src/index.ts';
import { listen, type NodeServer } from '../../src/http/server.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import { openPrimary } from '../../src/primary/primary.ts';
import { openReplica } from '../../src/replica/replica.ts';
import { replicationPlane } from '../../src/http/replication-plane.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import { ChartWatch } from './chart-watch.ts';
import { Disk } from './faults.ts';
import { Gates } from './gates.ts';
import { HeldSource } from './held-source.ts';
import type { RealHistory, Units } from './history.ts';
import { Relay } from './relay.ts';

export const OWN_UUID = NODE;
const logger = pino({ level: 'silent' });

type Node = ServedNode & { stop(): Promise<void> };

/** One real node on its own data directory, with everything that a path may do to it. */
export interface World {
  readonly role: 'primary' | 'replica';
  readonly history: RealHistory;
  /** The history that this node holds a part of. */
  readonly units: Units;
  readonly dataDir: string;
  readonly disk: Disk;
  readonly gates: Gates;
  readonly chart: ChartWatch;
  readonly relay: Relay;
  readonly source: HeldSource;
  readonly server: NodeServer<Node>;
  /** Settles when the host's start has come to its end: with the node, or with why it is refused. */
  readonly opened: Promise<{ readonly node: Node | null; readonly error: unknown }>;
  /** What the path has done to the files, for those who compare them. */
  readonly left: {
    identity: Buffer | null;
    /** The halt record that the path left there; the node may have written another. */
    haltRecord: 'absent' | 'present';
    evidence: number;
    /** From this LSN on the files were damaged on purpose. */
    damagedFrom: number;
    /** What the primary said last of its durable history; `null` before it has said anything. */
    primarySaid: Position | null;
    /** An effect was made to lie: what it did is not what it said. */
    appliedBeyond: number;
    /** The host has its node, and the server speaks for it. */
    isServed: boolean;
    /** All the files, since the start was refused. */
    refusedWith: Readonly<Record<string, string>> | null;
  };
}

export async function startWorld(role: World['role'], history: RealHistory, path: TestPath): Promise<World> {
  const { input } = path.start;
  const refusal = path.steps.findIndex(({ snapshot }) => snapshot.matches({ halted: 'refusing' }));
  const afterRefusal = refusal < 0 ? [] : path.steps.slice(refusal + 1).map(({ move }) => move.event);
  const root = await mkdtemp(join(tmpdir(), 'replichart-walk-'));
  const dataDir = join(root, 'data');
  await mkdir(dataDir);
  const relay = await Relay.before(history.followed.url);
  const [disk, gates, chart, source] = [
    new Disk(),
    new Gates(),
    new ChartWatch(afterRefusal),
    new HeldSource(relay.url),
  ];
  const config = configOf(role, {
    dataDir,
    replication: input.replication,
    bootstrap: input.bootstrap,
    listen: '127.0.0.1:0',
    ...(role === 'replica' ? { primaryUrl: relay.url } : {}),
    ...(input.clusterId === null ? {} : { clusterId: input.clusterId }),
    ...(input.nodeId === null ? {} : { nodeId: input.nodeId }),
  });
  const ports = portsOf(config, {
    files: disk.files,
    indexStore: (files, directory) => disk.index(levelVersionIndex(files, directory)),
    walSource: () => source,
    logger,
    inspect: chart.inspect,
    newUuid: () => OWN_UUID,
    wrapEffect: gates.wrap,
  });
  const server = await listen<Node>(config, '127.0.0.1:0', logger, (app, served) => {
    if (role === 'primary') replicationPlane(app, served as () => PrimaryNode);
  });
  const opening: Promise<Node> = role === 'primary' ? openPrimary(config, ports) : openReplica(config, ports);
  const opened = opening.then(
    (node) => {
      server.serve(node);
      return { node, error: null };
    },
    (error: unknown) => ({ node: null, error }),
  );
  await chart.settledAfter('xstate.init');
  return {
    role,
    history,
    units: role === 'primary' ? history.alone : history.followed,
    dataDir,
    disk,
    gates,
    chart,
    relay,
    source,
    server,
    opened,
    left: {
      identity: null,
      haltRecord: 'absent',
      evidence: 0,
      damagedFrom: Infinity,
      primarySaid: null,
      appliedBeyond: 0,
      isServed: false,
      refusedWith: null,
    },
  };
}

export function contextOf(world: World): NodeContext {
  return world.chart.rested.context as NodeContext;
}

/** Stops the node wherever it is, as its host would, with every effect set free. */
export async function stopWorld({ chart, gates, opened, server, relay, disk }: World): Promise<void> {
  disk.heal();
  chart.send({ type: 'node.stop' });
  gates.free();
  await server.close();
  const { node } = await opened;
  await node?.stop();
  await relay.close();
}

export async function removeWorld({ dataDir }: World): Promise<void> {
  await rm(join(dataDir, '..'), { recursive: true });
}

export async function fileOf(world: World, name: string): Promise<Buffer | null> {
  try {
    return await readFile(join(world.dataDir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
