import { hex, sha256 } from '../bytes.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../limits.ts';
import { GENESIS, type Position } from '../position.ts';
import { FRAME_KIND, FRAME_MAGIC, frameCrc, readFrameHeader, type FrameHeader } from './frame.ts';
import { inspectPayload, type PayloadFault } from './payload.ts';
import { readSegmentHeader, segmentFileName, type SegmentHeader } from './segment-header.ts';

/** Where a reader of the WAL stands, and what must come next: all that the next unit is judged by. */
export interface ChainState extends Position {
  readonly clusterId: string;
  readonly segmentIndex: number;
  readonly segmentStartLsn: number;
  readonly expects: 'segment header' | 'frame';
}

/** The WAL is a sequence of units: segment headers and frames. */
interface UnitPlace {
  /** The segment file the unit stands in, and the byte in it. */
  readonly file: string;
  readonly byte: number;
  readonly chain: ChainState;
}

export interface HeaderFacts extends UnitPlace {
  readonly unit: 'segment header';
  readonly header: SegmentHeader;
}

export interface FrameFacts extends UnitPlace {
  readonly unit: 'frame';
  readonly header: FrameHeader;
  /** `null` where the header's size cannot be believed or bytes are missing, so that nothing can be computed. */
  readonly computed: {
    readonly crc: number;
    readonly historyHash: string;
    readonly payloadFault: PayloadFault | null;
  } | null;
}

/** One unit as it was found, beside what the history before it calls for. Judged by the checks in `checks/wal.ts`. */
export type UnitFacts = HeaderFacts | FrameFacts;

/** The chain before the first byte of a cluster's WAL. */
export function genesisChain(clusterId: string): ChainState {
  return { ...GENESIS, clusterId, segmentIndex: 0, segmentStartLsn: 0, expects: 'segment header' };
}

/** The chain at the start of a segment, as the segment's own header and its place tell it. */
export function chainAtSegment(header: SegmentHeader): ChainState {
  return {
    commitId: header.firstCommitId - 1,
    lsn: header.startLsn,
    historyHash: header.historyHash,
    clusterId: header.clusterId,
    segmentIndex: header.segmentIndex,
    segmentStartLsn: header.startLsn,
    expects: 'segment header',
  };
}

/** The chain at the cut of a snapshot: the next segment begins there. */
export function chainAtCut(clusterId: string, cut: Position & { readonly segmentIndex: number }): ChainState {
  const { commitId, lsn, historyHash, segmentIndex } = cut;
  return {
    commitId,
    lsn,
    historyHash,
    clusterId,
    segmentIndex,
    segmentStartLsn: lsn,
    expects: 'segment header',
  };
}

/** Whether a size could be a frame's at all. */
export function isFrameSize(bytes: number): boolean {
  return bytes >= FRAME_HEADER_BYTES && bytes <= FRAME_BYTES_MAX;
}

/**
 * How many bytes the unit at `offset` takes by its own account, or `null` where its header is not complete yet.
 * A frame that cannot be one counts as its header only: the checks will say so.
 */
export function unitBytes(chain: ChainState, buffer: Buffer, offset: number): number | null {
  const available = buffer.length - offset;
  if (chain.expects === 'segment header')
    return available >= SEGMENT_HEADER_BYTES ? SEGMENT_HEADER_BYTES : null;
  if (available < FRAME_HEADER_BYTES) return null;
  const bytes = buffer.readUInt32LE(offset + 4);
  const isFrame = buffer.toString('latin1', offset, offset + 4) === FRAME_MAGIC && isFrameSize(bytes);
  return isFrame ? bytes : FRAME_HEADER_BYTES;
}

/**
 * Observes the unit that starts at `offset` and is complete in `buffer`.
 * `depth`: `framing` looks at headers only, as ingress does; `whole` computes checksum, hash and payload structure.
 */
export function observeUnit(
  chain: ChainState,
  buffer: Buffer,
  offset: number,
  depth: 'framing' | 'whole',
): UnitFacts {
  const place = {
    chain,
    file: segmentFileName(chain.segmentStartLsn),
    byte: chain.lsn - chain.segmentStartLsn,
  };
  if (chain.expects === 'segment header')
    return { ...place, unit: 'segment header', header: readSegmentHeader(buffer, offset) };
  const header = readFrameHeader(buffer, offset);
  const frame = buffer.subarray(offset, offset + header.frameBytes);
  const readable = isFrameSize(header.frameBytes) && frame.length === header.frameBytes;
  if (depth === 'framing' || !readable) return { ...place, unit: 'frame', header, computed: null };
  const computed = {
    crc: frameCrc(frame),
    historyHash: hex(sha256(frame)),
    payloadFault: inspectPayload(frame, header.firstCommitId, header.commitCount),
  };
  return { ...place, unit: 'frame', header, computed };
}

/** The chain after a unit that was judged good. */
export function advance(facts: UnitFacts): ChainState {
  const { chain } = facts;
  if (facts.unit === 'segment header')
    return { ...chain, lsn: chain.lsn + SEGMENT_HEADER_BYTES, expects: 'frame' };
  const lsn = chain.lsn + facts.header.frameBytes;
  const commitId = chain.commitId + facts.header.commitCount;
  // Where only the framing was looked at, the hash is not known: the position says so by keeping none.
  const historyHash = facts.computed?.historyHash ?? '';
  return facts.header.kind === FRAME_KIND.seal
    ? {
        ...chain,
        lsn,
        commitId,
        historyHash,
        segmentIndex: chain.segmentIndex + 1,
        segmentStartLsn: lsn,
        expects: 'segment header',
      }
    : { ...chain, lsn, commitId, historyHash };
}
