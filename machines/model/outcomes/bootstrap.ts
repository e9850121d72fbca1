import type { FetchFacts, SnapshotSummary } from '../../../src/core/bootstrap.ts';
import { FORMAT_VERSION, SEGMENT_HEADER_BYTES } from '../../../src/core/limits.ts';
import { positionOf } from '../../../src/core/position.ts';
import { SEGMENT_MAGIC } from '../../../src/core/wal/segment-header.ts';
import type { bootstrapActors, ProbeInput } from '../../5-bootstrap.ts';
import { checkpointAfter, CLUSTER, hashAfter, otherThan, positionAfter, UNIT_BYTES } from '../history.ts';
import type { Outcomes } from '../outcome.ts';
import { refused, unreachable } from './source.ts';

/** A snapshot of the state after the first unit. */
export const SNAPSHOT: SnapshotSummary = {
  snapshotId: '1',
  clusterId: CLUSTER,
  cut: { ...positionAfter(1), segmentIndex: 1 },
  stateDigest: hashAfter(1),
  versions: 1,
  keys: 1,
  bytes: 300,
};

type Fetched = Extract<FetchFacts, { kind: 'fetched' }>;
const fetched =
  (change: Partial<Fetched>, summary: Partial<SnapshotSummary> = {}) =>
  ({ clusterId }: { readonly clusterId: string }): FetchFacts => ({
    kind: 'fetched',
    clusterId,
    snapshot: { ...SNAPSHOT, ...summary, clusterId: summary.clusterId ?? clusterId },
    blocks: 1,
    blockFault: null,
    ...change,
  });

const probed =
  (startLsn: number) =>
  ({ clusterId, snapshot: { cut } }: ProbeInput) =>
    ({
      kind: 'probed',
      cut,
      clusterId,
      streamStartLsn: cut.lsn,
      header: {
        magic: SEGMENT_MAGIC,
        headerBytes: SEGMENT_HEADER_BYTES,
        formatVersion: FORMAT_VERSION,
        clusterId,
        segmentIndex: cut.segmentIndex,
        startLsn: cut.lsn + startLsn,
        firstCommitId: cut.commitId + 1,
        historyHash: cut.historyHash,
        reserved: 0,
        crcStored: 1,
        crcComputed: 1,
      },
    }) as const;

export const bootstrapOutcomes: Outcomes<typeof bootstrapActors> = {
  discardPartial: { discarded: () => null },
  fetchSnapshot: {
    fetched: fetched({}),
    none: () => ({ kind: 'none' }),
    refused: () => refused('SNAPSHOT_UNKNOWN'),
    unreachable: () => unreachable,
    'a damaged manifest': () => ({ kind: 'manifest damaged', snapshotId: '1', expected: 'a', found: 'b' }),
    'of another cluster': (input) => fetched({}, { clusterId: otherThan(input.clusterId) })(input),
    'a damaged block': fetched({ blockFault: { block: 0, expected: { bytes: 1 }, found: { bytes: 2 } } }),
  },
  verifySnapshot: {
    whole: (snapshot) => verified(snapshot, snapshot.stateDigest),
    'of another state': (snapshot) => verified(snapshot, hashAfter(9, 9)),
  },
  probeResume: {
    'resumes at the cut': probed(0),
    'resumes elsewhere': probed(UNIT_BYTES),
    'refused: pruned': () => refused('WAL_PRUNED'),
    'refused: diverged': () => refused('HISTORY_DIVERGED'),
    'refused for now': () => refused('UNAUTHORIZED'),
    unreachable: () => unreachable,
  },
  installSnapshot: {
    'at the cut': ({ cut }) => ({
      cut,
      checkpoint: { ...checkpointAfter(cut.commitId, cut.commitId), ...positionOf(cut) },
    }),
    'with a checkpoint elsewhere': ({ cut }) => ({
      cut,
      checkpoint: checkpointAfter(cut.commitId + 1, cut.commitId),
    }),
  },
};

function verified(snapshot: SnapshotSummary, stateDigest: string) {
  const { clusterId, cut, versions, keys, bytes } = snapshot;
  return { snapshot, header: { clusterId, cut }, fault: null, stateDigest, versions, keys, bytes };
}
