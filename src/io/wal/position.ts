import { ReplichartError } from '../../core/errors.ts';
import { SEGMENT_HEADER_BYTES } from '../../core/limits.ts';
import { positionOf, positionToJson, type Position } from '../../core/position.ts';
import { advance, chainAtSegment, observeUnit, unitBytes } from '../../core/wal/chain.ts';
import { frameCrc, readFrameHeader } from '../../core/wal/frame.ts';
import { readSegmentHeader } from '../../core/wal/segment-header.ts';
import type { WalFiles } from './files.ts';
import { WALK_BYTES } from './walk.ts';

/** A position as somebody claims it; what is left out is not compared. */
export interface ClaimedPosition {
  readonly lsn: number;
  readonly commitId?: number | undefined;
  readonly historyHash?: string | undefined;
}

/**
 * Finds the position at an LSN of durable history and compares it with what is claimed.
 *
 * @throws ReplichartError `WAL_PRUNED`, `POSITION_INVALID` (no frame boundary), `HISTORY_DIVERGED` (beyond durable
 *   history, or another history).
 */
export async function locatePosition(
  wal: WalFiles,
  durable: Position,
  claimed: ClaimedPosition,
): Promise<Position> {
  if (claimed.lsn > durable.lsn)
    throw new ReplichartError('HISTORY_DIVERGED', 'the position lies beyond the history of this primary', {
      evidence: { claimed: claimedJson(claimed), durable: positionToJson(durable) },
    });
  const found = claimed.lsn === durable.lsn ? durable : await keptPositionAt(wal, claimed);
  if (found === null)
    throw new ReplichartError('POSITION_INVALID', `LSN ${claimed.lsn} is no frame boundary`, {
      evidence: { claimed: claimedJson(claimed) },
    });
  const { commitId, historyHash } = claimed;
  if (
    // Commits that shared a frame share its end: the position of each but the last names a lower commit id.
    (commitId !== undefined && commitId > found.commitId) ||
    (historyHash !== undefined && historyHash !== found.historyHash)
  )
    throw new ReplichartError('HISTORY_DIVERGED', 'the position belongs to another history', {
      evidence: { claimed: claimedJson(claimed), found: positionToJson(found) },
    });
  return positionOf(found);
}

/** What was pruned while it was looked at is not taken for something broken. */
async function keptPositionAt(wal: WalFiles, claimed: ClaimedPosition): Promise<Position | null> {
  const assertKept = () => {
    if (claimed.lsn < wal.startLsn)
      throw new ReplichartError('WAL_PRUNED', `the WAL before LSN ${wal.startLsn} is no longer kept`, {
        evidence: { claimed: claimedJson(claimed), oldest_lsn: wal.startLsn },
      });
  };
  assertKept();
  try {
    const found = await positionAt(wal, claimed.lsn);
    if (found === null) assertKept();
    return found;
  } catch (error) {
    assertKept();
    throw error;
  }
}

function claimedJson({ lsn, commitId, historyHash }: ClaimedPosition) {
  return { commit_id: commitId ?? null, lsn, history_hash: historyHash ?? null };
}

/**
 * Hops from unit to unit of the segment that holds `lsn`. Every frame names the hash of the history before it, so
 * nothing has to be hashed; memory is one piece.
 */
async function positionAt(wal: WalFiles, lsn: number): Promise<Position | null> {
  const segment = wal.segmentAt(lsn);
  if (segment === undefined) return null;
  const headerBytes = await wal.read(segment.startLsn, SEGMENT_HEADER_BYTES);
  let chain = chainAtSegment(readSegmentHeader(headerBytes));
  if (lsn === chain.lsn) return chain;
  chain = advance(observeUnit(chain, headerBytes, 0, 'framing'));
  const first = chain.lsn;
  while (chain.lsn <= lsn) {
    const piece = await wal.read(chain.lsn, WALK_BYTES);
    if (piece.length === 0) return null;
    const pieceLsn = chain.lsn;
    for (;;) {
      const offset = chain.lsn - pieceLsn;
      const bytes = unitBytes(chain, piece, offset);
      if (bytes === null) break;
      if (chain.lsn === lsn) {
        await assertIntact(wal, lsn, bytes);
        return {
          lsn,
          commitId: chain.commitId,
          historyHash: lsn === first ? chain.historyHash : readFrameHeader(piece, offset).previousHash,
        };
      }
      chain = advance(observeUnit(chain, piece, offset, 'framing'));
      if (chain.lsn > lsn) return null;
      if (chain.lsn - pieceLsn >= piece.length) break;
    }
    if (chain.lsn === pieceLsn) return null;
  }
  return null;
}

/** The hash that is compared stands in this frame: a flipped bit in it must not look like another history. */
async function assertIntact(wal: WalFiles, lsn: number, bytes: number): Promise<void> {
  const frame = await wal.read(lsn, bytes);
  if (frame.length < bytes || frame.readUInt32LE(64) !== frameCrc(frame))
    throw new ReplichartError('WAL_CORRUPT', `the frame at LSN ${lsn} does not carry its checksum`, {
      evidence: { lsn, frame_bytes: bytes },
    });
}
