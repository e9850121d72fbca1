import { hex32, numberJson, type JsonObject } from '../bytes.ts';
import { FORMAT_VERSION, FRAME_BYTES_MAX, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../limits.ts';
import { isFrameSize, type FrameFacts, type HeaderFacts, type UnitFacts } from '../wal/chain.ts';
import { FRAME_KIND, FRAME_MAGIC } from '../wal/frame.ts';
import { SEGMENT_MAGIC } from '../wal/segment-header.ts';
import { defineCheck, type Check } from './check.ts';

const KNOWN_KINDS: readonly number[] = Object.values(FRAME_KIND);

/** A check on a unit gives the place for free, and looks at headers and frames each in its own way. */
function unitCheck(
  rule: Check<UnitFacts>['rule'],
  description: string,
  code: 'WAL_CORRUPT' | 'WAL_DISORDERED' | 'HISTORY_DIVERGED' | 'CLUSTER_FOREIGN',
  header: { claim: (facts: HeaderFacts) => boolean; evidence: (facts: HeaderFacts) => JsonObject },
  frame: { claim: (facts: FrameFacts) => boolean | null; evidence: (facts: FrameFacts) => JsonObject },
): Check<UnitFacts> {
  return defineCheck<UnitFacts>(rule, {
    description,
    code,
    claim: (facts) => (facts.unit === 'frame' ? frame.claim(facts) : header.claim(facts)),
    evidence: (facts) => ({
      file: facts.file,
      byte: facts.byte,
      lsn: facts.chain.lsn,
      unit: facts.unit,
      ...(facts.unit === 'frame' ? frame.evidence(facts) : header.evidence(facts)),
    }),
  });
}

export const unitIsFramed = unitCheck(
  'P5-I5 unitIsFramed',
  'Magic, size, version and kind are those of the format.',
  'WAL_CORRUPT',
  {
    claim: ({ header }) =>
      header.magic === SEGMENT_MAGIC &&
      header.headerBytes === SEGMENT_HEADER_BYTES &&
      header.formatVersion === FORMAT_VERSION &&
      header.reserved === 0,
    evidence: ({ header }) => ({
      expected: {
        magic: SEGMENT_MAGIC,
        header_bytes: SEGMENT_HEADER_BYTES,
        format_version: FORMAT_VERSION,
        reserved: 0,
      },
      found: {
        magic: header.magic,
        header_bytes: header.headerBytes,
        format_version: header.formatVersion,
        reserved: header.reserved,
      },
    }),
  },
  {
    claim: ({ header }) =>
      header.magic === FRAME_MAGIC &&
      isFrameSize(header.frameBytes) &&
      KNOWN_KINDS.includes(header.kind) &&
      (header.kind === FRAME_KIND.commits
        ? header.commitCount > 0
        : header.commitCount === 0 && header.frameBytes === FRAME_HEADER_BYTES) &&
      header.reserved === 0,
    evidence: ({ header }) => ({
      expected: {
        magic: FRAME_MAGIC,
        frame_bytes_min: FRAME_HEADER_BYTES,
        frame_bytes_max: FRAME_BYTES_MAX,
        kind: KNOWN_KINDS,
        reserved: 0,
      },
      found: {
        magic: header.magic,
        frame_bytes: header.frameBytes,
        kind: header.kind,
        commit_count: header.commitCount,
        reserved: header.reserved,
      },
    }),
  },
);

export const checksumMatches = unitCheck(
  'P5-I5 checksumMatches',
  'The CRC32C that the unit carries is the CRC32C of its bytes.',
  'WAL_CORRUPT',
  {
    claim: ({ header }) => header.crcStored === header.crcComputed,
    evidence: ({ header }) => ({
      expected: { crc32c: hex32(header.crcComputed) },
      found: { crc32c: hex32(header.crcStored) },
    }),
  },
  {
    claim: ({ header, computed }) => (computed === null ? null : header.crcStored === computed.crc),
    evidence: ({ header, computed }) => ({
      expected: { crc32c: computed === null ? null : hex32(computed.crc) },
      found: { crc32c: hex32(header.crcStored) },
    }),
  },
);

export const clusterIsOurs = unitCheck(
  'P5-I4 clusterIsOurs',
  'The segment belongs to the cluster of this node.',
  'CLUSTER_FOREIGN',
  {
    claim: ({ header, chain }) => header.clusterId === chain.clusterId,
    evidence: ({ header, chain }) => ({
      expected: { cluster_id: chain.clusterId },
      found: { cluster_id: header.clusterId },
    }),
  },
  // A frame is bound to its cluster by the segment header before it.
  { claim: () => true, evidence: ({ chain }) => ({ cluster_id: chain.clusterId }) },
);

export const unitIsInOrder = unitCheck(
  'P5-I4 unitIsInOrder',
  'The unit stands at the LSN that it names: no gap, no overlap, no duplicate, nothing reordered.',
  'WAL_DISORDERED',
  {
    claim: ({ header, chain }) => header.startLsn === chain.lsn && header.segmentIndex === chain.segmentIndex,
    evidence: ({ header, chain }) => ({
      expected: { start_lsn: chain.lsn, segment_index: chain.segmentIndex },
      found: { start_lsn: numberJson(header.startLsn), segment_index: numberJson(header.segmentIndex) },
    }),
  },
  {
    claim: ({ header, chain }) => header.ownLsn === chain.lsn,
    evidence: ({ header, chain }) => ({
      expected: { own_lsn: chain.lsn },
      found: { own_lsn: numberJson(header.ownLsn) },
    }),
  },
);

export const historyIsContinuous = unitCheck(
  'P5-I4 historyIsContinuous',
  'The unit names the hash of the very history that this node holds before it.',
  'HISTORY_DIVERGED',
  {
    claim: ({ header, chain }) => header.historyHash === chain.historyHash,
    evidence: ({ header, chain }) => ({
      expected: { history_hash: chain.historyHash },
      found: { history_hash: header.historyHash },
    }),
  },
  {
    claim: ({ header, chain }) => header.previousHash === chain.historyHash,
    evidence: ({ header, chain }) => ({
      expected: { previous_hash: chain.historyHash },
      found: { previous_hash: header.previousHash },
    }),
  },
);

export const commitIdsAreDense = unitCheck(
  'P5-I6 commitIdsAreDense',
  'Commit ids go on by one from the last, as only the primary assigns them.',
  'WAL_DISORDERED',
  {
    claim: ({ header, chain }) => header.firstCommitId === chain.commitId + 1,
    evidence: ({ header, chain }) => ({
      expected: { first_commit_id: chain.commitId + 1 },
      found: { first_commit_id: numberJson(header.firstCommitId) },
    }),
  },
  {
    claim: ({ header, chain, computed }) =>
      computed === null
        ? null
        : header.firstCommitId === chain.commitId + 1 && computed.payloadFault?.kind !== 'commit id',
    evidence: ({ header, chain, computed }) => ({
      expected: { first_commit_id: chain.commitId + 1, ...faultOf(computed, 'commit id')?.expected },
      found: { first_commit_id: numberJson(header.firstCommitId), ...faultOf(computed, 'commit id')?.found },
    }),
  },
);

export const payloadIsWellFormed = unitCheck(
  'P5-I5 payloadIsWellFormed',
  'Every length in the payload adds up and every operation is of a known kind.',
  'WAL_CORRUPT',
  { claim: () => true, evidence: () => ({}) },
  {
    claim: ({ computed }) => (computed === null ? null : computed.payloadFault?.kind !== 'structure'),
    evidence: ({ computed }) => {
      const fault = faultOf(computed, 'structure');
      return fault === null
        ? {}
        : { offset_in_frame: fault.offset, expected: fault.expected, found: fault.found };
    },
  },
);

function faultOf(computed: FrameFacts['computed'], kind: 'commit id' | 'structure') {
  return computed?.payloadFault?.kind === kind ? computed.payloadFault : null;
}

/** What ingress looks at: framing and order, nothing else. */
export const FRAMING_CHECKS: readonly Check<UnitFacts>[] = [unitIsFramed, clusterIsOurs, unitIsInOrder];

/** What binds a unit to the very history before it: one that fails them only is a good unit of another place. */
export const CHAIN_CHECKS: readonly Check<UnitFacts>[] = [
  clusterIsOurs,
  unitIsInOrder,
  historyIsContinuous,
  commitIdsAreDense,
];

/** Everything that is proved of a unit before it may be applied, in the order in which it is reported. */
export const UNIT_CHECKS: readonly Check<UnitFacts>[] = [
  unitIsFramed,
  checksumMatches,
  clusterIsOurs,
  unitIsInOrder,
  historyIsContinuous,
  commitIdsAreDense,
  payloadIsWellFormed,
];
