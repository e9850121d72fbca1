import { ReplichartError } from '../../core/errors.ts';
import { SEGMENT_HEADER_BYTES } from '../../core/limits.ts';
import { samePosition } from '../../core/position.ts';
import { stopEvidence } from '../../core/recovery/survey.ts';
import type { SnapshotCut } from '../../core/storage/base-format.ts';
import { Census } from '../../core/storage/census.ts';
import { KeyMaker } from '../../core/storage/index-entry.ts';
import type { ChainState } from '../../core/wal/chain.ts';
import { operationCrcOf } from '../../core/wal/operation.ts';
import { forEachOperation } from '../../core/wal/payload.ts';
import type { WalFiles } from './files.ts';
import { walkWal } from './walk.ts';

/**
 * Counts the versions in the WAL between where a node begins and a cut, and proves on the way that it leads to that cut. Memory:
 * one piece, and the keys of one frame.
 *
 * @throws ReplichartError `WAL_CORRUPT`
 */
export async function censusOfWal(
  wal: WalFiles,
  from: ChainState,
  cut: SnapshotCut,
  proceed: () => void = () => undefined,
): Promise<Census> {
  const census = new Census();
  let to = from;
  for await (const { batch, stop } of walkWal(wal, from, cut.lsn)) {
    proceed();
    for (const { bytes } of batch.frames) addFrame(census, bytes);
    to = batch.to;
    if (stop !== null) throw corrupt({ stop: { ...stopEvidence(stop) } });
  }
  if (samePosition(to, cut) && to.segmentIndex === cut.segmentIndex) {
    // The header with which the WAL will begin.
    for await (const { stop } of walkWal(wal, to, cut.lsn + SEGMENT_HEADER_BYTES))
      if (stop !== null) throw corrupt({ stop: { ...stopEvidence(stop) } });
    return census;
  }
  const { commitId, lsn, historyHash } = to;
  throw corrupt({
    expected: { commit_id: cut.commitId, lsn: cut.lsn, history_hash: cut.historyHash },
    found: { commit_id: commitId, lsn, history_hash: historyHash },
  });
}

/** Of a commit that wrote a document more than once, the last of it is the version. */
function addFrame(census: Census, frame: Buffer): void {
  const maker = new KeyMaker();
  const last = new Map<string, number>();
  forEachOperation(frame, (commitId, offset, bytes) => {
    const key = maker.keyOf(frame, offset, commitId).toString('latin1');
    last.set(key, operationCrcOf(frame.subarray(offset, offset + bytes)));
  });
  for (const crc of last.values()) census.add(crc);
}

function corrupt(evidence: NonNullable<ReplichartError['evidence']>): ReplichartError {
  return new ReplichartError('WAL_CORRUPT', 'the WAL that was to be pruned does not lead to the cut', {
    evidence,
  });
}
