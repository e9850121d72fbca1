import { Gauge, type Registry } from 'prom-client';
import type { NodeContext } from '../../machines/context.ts';
import { replicaState, type ReplicaState } from '../../machines/replica-state.ts';
import type { Role } from '../core/identity.ts';
import type { Position } from '../core/position.ts';
import type { SegmentFile } from '../io/wal/files.ts';
import type { FlightFigures } from './flight-recorder.ts';
import type { NodeSnapshot } from './node-snapshot.ts';

/** What the gauges of a node are read from. */
export interface GaugeFacts {
  readonly snapshot: () => NodeSnapshot;
  readonly applied: () => Position | null;
  /** The segments on disk; `null` while the files are closed. */
  readonly segments: () => readonly SegmentFile[] | null;
  /** `null` without a flight recorder. */
  readonly flight: () => FlightFigures | null;
}

/** A record, so that a state that is new cannot be forgotten here. */
const STATES: Readonly<Record<ReplicaState, true>> = {
  Disabled: true,
  Initializing: true,
  Bootstrapping: true,
  Recovering: true,
  ReceivingWAL: true,
  ValidatingWAL: true,
  ApplyingWAL: true,
  Ready: true,
  ReplicationHalted: true,
  Stopped: true,
};

/**
 * Where the primary’s durable history ends, as far as this node knows: what was proved is the primary’s, so it stands
 * at least there, whatever it last said of itself. `null` before it has said anything.
 */
export function primaryPosition({
  primaryDurable,
  validated,
}: NodeContext): Pick<Position, 'lsn' | 'commitId'> | null {
  return (
    primaryDurable && {
      lsn: Math.max(primaryDurable.lsn, validated?.lsn ?? 0),
      commitId: Math.max(primaryDurable.commitId, validated?.commitId ?? 0),
    }
  );
}

/** Adds to a registry what is read from a node of this role at every scrape. */
export function registerGauges(registry: Registry, role: Role, node: GaugeFacts): void {
  registerStates(registry, node);
  for (const [name, help, value] of [...figures(node), ...(role === 'replica' ? followed(node) : [])]) {
    new Gauge({
      name: `replichart_${name}`,
      help,
      registers: [registry],
      collect() {
        const now = value();
        if (now === null) this.remove();
        else this.set(now);
      },
    });
  }
}

type Figure = readonly [name: string, help: string, value: () => number | null];

function figures({ snapshot, applied, segments, flight }: GaugeFacts): readonly Figure[] {
  const total = (held: readonly SegmentFile[] | null) =>
    held && held.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    [
      'chart_failed',
      '1 when the chart itself has failed, which is a bug: nothing is decided any more.',
      () => Number(snapshot().status === 'error'),
    ],
    ['wal_applied_position_bytes', 'LSN up to which WAL is applied.', () => applied()?.lsn ?? null],
    ['applied_commit_id', 'The last commit that is applied.', () => applied()?.commitId ?? null],
    ['wal_bytes', 'Bytes of WAL on disk.', () => total(segments())],
    ['wal_segments', 'Segment files on disk.', () => segments()?.length ?? null],
    [
      'flight_recording',
      '1 while the flight recorder records, 0 when a fault has ended it; absent without one.',
      () => flight() && Number(flight()?.isRecording),
    ],
    [
      'flight_steps_lost',
      'Steps of this run that are not in the journal of the flight recorder, because the disk did not keep up or a fault has ended the recording; absent without one.',
      () => flight()?.lost ?? null,
    ],
  ];
}

function isAttached({ attachment, detachment, halt }: NodeContext): boolean {
  return attachment?.answer.kind === 'attached' && detachment === null && halt === null;
}

/** What only a node that follows another has: how far it has come, and how far the primary is. */
function followed({ snapshot, applied }: GaugeFacts): readonly Figure[] {
  const context = () => snapshot().context;
  const primary = () => primaryPosition(context());
  const lag = (of: (position: Pick<Position, 'lsn' | 'commitId'>) => number) => {
    // What the primary said before the stream ended is not where it stands now.
    const [ahead, behind] = [isAttached(context()) ? primary() : null, applied()];
    return ahead && behind && of(ahead) - of(behind);
  };
  return [
    [
      'wal_received_position_bytes',
      'LSN at which the received, durable WAL ends.',
      () => context().receivedLsn,
    ],
    [
      'wal_validated_position_bytes',
      'LSN at which the proven WAL ends.',
      () => context().validated?.lsn ?? null,
    ],
    ['validated_commit_id', 'The last commit that is proven.', () => context().validated?.commitId ?? null],
    ['attached', '1 while a stream of the primary is open, else 0.', () => Number(isAttached(context()))],
    [
      'primary_position_bytes',
      'LSN at which the primary’s durable WAL ended when it last said so.',
      () => primary()?.lsn ?? null,
    ],
    [
      'primary_commit_id',
      'The primary’s last durable commit when it last said so.',
      () => primary()?.commitId ?? null,
    ],
    [
      'replication_lag_bytes',
      'Bytes of the primary’s WAL that are not applied here; absent while no stream is open.',
      () => lag(({ lsn }) => lsn),
    ],
    [
      'replication_lag_commits',
      'Commits of the primary that are not applied here; absent while no stream is open.',
      () => lag(({ commitId }) => commitId),
    ],
  ];
}

function registerStates(registry: Registry, { snapshot }: GaugeFacts): void {
  new Gauge({
    name: 'replichart_info',
    help: 'Which node this is.',
    labelNames: ['role', 'node_id', 'cluster_id'],
    registers: [registry],
    collect() {
      const { input, identity } = snapshot().context;
      this.reset();
      if (identity !== null)
        this.set({ role: input.role, node_id: identity.nodeId, cluster_id: identity.clusterId }, 1);
    },
  });
  new Gauge({
    name: 'replichart_state',
    help: 'The state of the node: 1 for the one it is in, 0 for every other.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const current = replicaState(snapshot().value);
      for (const state of Object.keys(STATES)) this.set({ state }, Number(state === current));
    },
  });
}
