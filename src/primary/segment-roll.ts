import { advance, observeUnit, type ChainState } from '../core/wal/chain.ts';
import { encodeFrame, type FrameKind } from '../core/wal/frame.ts';
import { encodeSegmentHeader } from '../core/wal/segment-header.ts';
import type { WalFiles } from '../io/wal/files.ts';

/**
 * Seals the current segment and starts the next one; the frames named in `before` come first. Durable when it resolves:
 * the seal is synced before the next file is made.
 */
export async function rollSegment(
  wal: WalFiles,
  from: ChainState,
  before: readonly Exclude<FrameKind, 'commits'>[],
): Promise<ChainState> {
  let chain = from;
  for (const kind of [...before, 'seal'] as const) {
    const { bytes } = encodeFrame({
      lsn: chain.lsn,
      kind,
      firstCommitId: chain.commitId + 1,
      previousHash: chain.historyHash,
      commits: [],
    });
    await wal.append([bytes]);
    // One frame, one fsync: were the seal durable before the cut, a power cut would leave a hole with history behind it.
    await wal.datasync();
    chain = advance(observeUnit(chain, bytes, 0, 'whole'));
  }
  return startSegment(wal, chain);
}

/** Starts the segment that a seal calls for, or the first one. */
export async function startSegment(wal: WalFiles, chain: ChainState): Promise<ChainState> {
  const header = encodeSegmentHeader({
    clusterId: chain.clusterId,
    segmentIndex: chain.segmentIndex,
    startLsn: chain.lsn,
    firstCommitId: chain.commitId + 1,
    historyHash: chain.historyHash,
  });
  await wal.startSegment(chain.lsn, header);
  return advance(observeUnit(chain, header, 0, 'whole'));
}
