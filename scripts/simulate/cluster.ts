/** A primary, its replicas and what is known of their history: everything that the plan acts on and the checks look at. */
import type { Position } from '../../src/core/position.ts';
import { openPrimary, type PrimaryNode } from '../../src/primary/primary.ts';
import { openReplica, type ReplicaNode } from '../../src/replica/replica.ts';
import type { Clock } from './clock.ts';
import type { Figures } from './figures.ts';
import { History } from './history.ts';
import { CLUSTER, Host, WAL, type Cause, type Sabotage } from './host.ts';
import { alters, Link } from './network.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Plan } from './plan.ts';

/** A replica with its link, and what was last seen of it. */
export interface Follower {
  readonly host: Host<ReplicaNode>;
  readonly link: Link;
  /** The history that it follows, as far as can be told. */
  history: History;
}

export class Cluster {
  readonly clock: Clock;
  readonly primary: Host<PrimaryNode>;
  readonly followers: readonly Follower[];
  readonly figures: Figures = {};
  /** Every history there was; a primary goes on with the last one. */
  readonly histories: History[] = [new History()];
  /** Positions that were acknowledged. */
  readonly positions: Position[] = [];
  /** What must not have happened, and did. */
  failure: unknown = null;
  backup: {
    readonly disk: SimulatedDisk;
    readonly history: History;
    readonly causes: readonly Cause[];
  } | null = null;

  constructor(clock: Clock, plan: Plan, sabotage: Sabotage) {
    this.clock = clock;
    const report = (error: unknown) => this.report(error);
    const happened = (what: string) => this.count(what);
    this.primary = new Host<PrimaryNode>({
      name: 'primary',
      role: 'primary',
      clock,
      config: { clusterId: CLUSTER },
      segmentBytesMax: plan.segmentBytesMax,
      number: 0,
      sabotage,
      open: openPrimary,
      report,
      happened,
    });
    this.followers = plan.replicas.map(({ bootstrap, knowsCluster, pieces }, index) => {
      const link = new Link(
        clock,
        () => this.primary.running,
        pieces,
        (fault) => {
          if (alters(fault)) host.causes.add('altered');
          this.count(fault);
        },
      );
      const host: Host<ReplicaNode> = new Host<ReplicaNode>({
        name: `replica ${index + 1}`,
        role: 'replica',
        clock,
        config: {
          ...(knowsCluster ? { clusterId: CLUSTER } : {}),
          primaryUrl: 'http://127.0.0.1:1',
          replication: 'enabled',
          bootstrap,
        },
        segmentBytesMax: plan.segmentBytesMax,
        number: index + 1,
        sabotage,
        source: (lane) => link.source(lane),
        open: openReplica,
        report,
        happened,
      });
      return { host, link, history: this.history };
    });
  }

  /** The history that the primary writes now. */
  get history(): History {
    return this.histories.at(-1) as History;
  }

  /** The node at a place of the plan; a thinned plan may have fewer. */
  host(place: number): Host<PrimaryNode> | Host<ReplicaNode> {
    return this.followers[place]?.host ?? this.primary;
  }

  count(what: string): void {
    this.figures[what] = (this.figures[what] ?? 0) + 1;
  }

  report(error: unknown): void {
    this.failure ??= error;
  }

  /** Work that nobody waits for; what it fails with is not lost. */
  background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.report(error));
  }
}

/** All WAL of a list of files, and where it begins. */
export function walOf(files: readonly { readonly name: string; readonly bytes: Buffer }[]): {
  readonly startLsn: number | null;
  readonly bytes: Buffer;
} {
  const segments = files.filter(({ name }) => name.endsWith('.wal'));
  const [first] = segments;
  return {
    startLsn: first === undefined ? null : Number(/(\d+)\.wal$/.exec(first.name)?.[1]),
    bytes: Buffer.concat(segments.map(({ bytes }) => bytes)),
  };
}

export const durableWal = (disk: SimulatedDisk) => walOf(disk.durableIn(WAL));
export const seenWal = (disk: SimulatedDisk) => walOf(disk.filesIn(WAL));
