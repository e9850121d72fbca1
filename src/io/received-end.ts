import { firstViolation } from '../core/checks/check.ts';
import { FRAMING_CHECKS } from '../core/checks/wal.ts';
import { SEGMENT_HEADER_BYTES } from '../core/limits.ts';
import { advance, chainAtSegment, observeUnit, unitBytes, type ChainState } from '../core/wal/chain.ts';
import { readSegmentHeader } from '../core/wal/segment-header.ts';
import type { WalFiles } from './wal-files.ts';

/**
 * Finds where the last whole unit of the received WAL ends, by framing alone. What stands behind it is part of a unit
 * whose rest never came.
 */
export async function findReceivedEnd(wal: WalFiles, clusterId: string): Promise<number> {
  const last = wal.segments.findLast(({ bytes }) => bytes >= SEGMENT_HEADER_BYTES);
  if (last === undefined) return wal.startLsn;
  const header = await wal.read(last.startLsn, SEGMENT_HEADER_BYTES);
  let chain: ChainState = {
    ...chainAtSegment(readSegmentHeader(header)),
    lsn: last.startLsn,
    segmentStartLsn: last.startLsn,
    clusterId,
  };
  while (chain.lsn < wal.endLsn) {
    const needed = await unitAt(wal, chain);
    const unit = needed === null ? null : await wal.read(chain.lsn, needed);
    if (needed === null || unit === null || unit.length < needed) break;
    const facts = observeUnit(chain, unit, 0, 'framing');
    if (firstViolation(FRAMING_CHECKS, facts) !== undefined) break;
    chain = advance(facts);
  }
  return chain.lsn;
}

async function unitAt(wal: WalFiles, chain: ChainState): Promise<number | null> {
  return unitBytes(chain, await wal.read(chain.lsn, SEGMENT_HEADER_BYTES), 0);
}
