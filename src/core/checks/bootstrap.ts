import type { FetchFacts, InstalledFacts, ResumeFacts, VerifiedFacts } from '../bootstrap.ts';
import { hex32, numberJson, type JsonObject } from '../bytes.ts';
import { positionToJson, samePosition } from '../position.ts';
import { SEGMENT_MAGIC } from '../wal/segment-header.ts';
import { defineCheck, type Check } from './check.ts';

export const manifestIsIntact: Check<FetchFacts | null> = defineCheck('P5-I8 manifestIsIntact', {
  description: 'The manifest carries its own hash and covers the whole snapshot.',
  code: 'SNAPSHOT_CORRUPT',
  claim: (facts) => (facts === null ? null : facts.kind !== 'manifest damaged'),
  evidence: (facts) =>
    facts?.kind === 'manifest damaged'
      ? { snapshot_id: facts.snapshotId, expected: facts.expected, found: facts.found }
      : { answer: facts?.kind ?? null },
});

type Fetched = Extract<FetchFacts, { kind: 'fetched' }>;
const fetched = (facts: FetchFacts | null): Fetched | null => (facts?.kind === 'fetched' ? facts : null);

export const snapshotIsOfOurCluster: Check<FetchFacts | null> = defineCheck('P5-I8 snapshotIsOfOurCluster', {
  description: 'The snapshot is of the cluster of this node.',
  code: 'CLUSTER_FOREIGN',
  claim: (facts) => {
    const found = fetched(facts);
    return found === null ? null : found.snapshot.clusterId === found.clusterId;
  },
  evidence: (facts) => {
    const found = fetched(facts);
    return {
      expected: { cluster_id: found?.clusterId ?? null },
      found: { cluster_id: found?.snapshot.clusterId ?? null },
    };
  },
});

export const blocksAreIntact: Check<FetchFacts | null> = defineCheck('P5-I8 blocksAreIntact', {
  description: 'Every block that was transferred has the size and SHA-256 that the manifest says.',
  code: 'SNAPSHOT_CORRUPT',
  claim: (facts) => {
    const found = fetched(facts);
    return found === null ? null : found.blockFault === null;
  },
  evidence: (facts) => {
    const found = fetched(facts);
    return found === null ? {} : { blocks: found.blocks, fault: found.blockFault && { ...found.blockFault } };
  },
});

export const baseIsWhole: Check<VerifiedFacts | null> = defineCheck('P5-I8 baseIsWhole', {
  description:
    'Read back from disk, header, every version, order, counts and state digest are those of the manifest.',
  code: 'SNAPSHOT_CORRUPT',
  claim: (facts) =>
    facts === null
      ? null
      : facts.fault === null && JSON.stringify(expectedBase(facts)) === JSON.stringify(foundBase(facts)),
  evidence: (facts) =>
    facts === null ? {} : { expected: expectedBase(facts), found: foundBase(facts), fault: facts.fault },
});

function expectedBase({ snapshot }: VerifiedFacts): JsonObject {
  const { clusterId, cut, stateDigest, versions, keys, bytes } = snapshot;
  return {
    cluster_id: clusterId,
    cut: { ...positionToJson(cut), segment_index: cut.segmentIndex },
    state_digest: stateDigest,
    versions,
    keys,
    bytes,
  };
}

function foundBase({ header, stateDigest, versions, keys, bytes }: VerifiedFacts): JsonObject {
  return {
    cluster_id: header?.clusterId ?? null,
    cut: header && { ...positionToJson(header.cut), segment_index: header.cut.segmentIndex },
    state_digest: stateDigest,
    versions,
    keys,
    bytes,
  };
}

export const walResumesAtTheCut: Check<ResumeFacts | null> = defineCheck('P5-I9 walResumesAtTheCut', {
  description:
    'The primary’s next segment begins exactly at the cut and names the cut’s history: no gap, no overlap.',
  code: 'SNAPSHOT_DISCONTINUOUS',
  claim: (facts) => {
    if (facts === null || facts.kind === 'unreachable') return null;
    if (facts.kind === 'refused') return false;
    const { cut, header, clusterId, streamStartLsn } = facts;
    return (
      header !== null &&
      streamStartLsn === cut.lsn &&
      header.magic === SEGMENT_MAGIC &&
      header.crcStored === header.crcComputed &&
      header.clusterId === clusterId &&
      header.startLsn === cut.lsn &&
      header.segmentIndex === cut.segmentIndex &&
      header.firstCommitId === cut.commitId + 1 &&
      header.historyHash === cut.historyHash
    );
  },
  evidence: (facts) => {
    if (facts === null) return {};
    if (facts.kind !== 'probed') return { answer: facts.kind, message: facts.message };
    const { cut, header, clusterId, streamStartLsn } = facts;
    return {
      expected: {
        cluster_id: clusterId,
        start_lsn: cut.lsn,
        segment_index: cut.segmentIndex,
        first_commit_id: cut.commitId + 1,
        history_hash: cut.historyHash,
      },
      found: header && {
        cluster_id: header.clusterId,
        start_lsn: numberJson(header.startLsn),
        segment_index: numberJson(header.segmentIndex),
        first_commit_id: numberJson(header.firstCommitId),
        history_hash: header.historyHash,
        crc32c: hex32(header.crcStored),
        crc32c_computed: hex32(header.crcComputed),
      },
      stream_start_lsn: streamStartLsn,
    };
  },
});

export const installedIsTheCut: Check<InstalledFacts | null> = defineCheck('P5-I8 installedIsTheCut', {
  description: 'What was installed is checkpointed exactly at the cut.',
  code: 'CHECKPOINT_DAMAGED',
  claim: (facts) =>
    facts === null
      ? null
      : samePosition(facts.cut, facts.checkpoint) && facts.checkpoint.snapshotCut === facts.cut.commitId,
  evidence: (facts) =>
    facts === null ? {} : { expected: positionToJson(facts.cut), found: positionToJson(facts.checkpoint) },
});
