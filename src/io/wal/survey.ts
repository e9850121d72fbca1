import { crc32c } from '../../core/bytes.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../../core/limits.ts';
import { samePosition } from '../../core/position.ts';
import { stopEvidence, type DiskSurvey } from '../../core/recovery/survey.ts';
import { GENESIS_CHECKPOINT, type Checkpoint } from '../../core/storage/checkpoint.ts';
import { chainAtCut, chainAtSegment, genesisChain, type ChainState } from '../../core/wal/chain.ts';
import { FRAME_MAGIC, frameCrc } from '../../core/wal/frame.ts';
import { readSegmentHeader, SEGMENT_MAGIC } from '../../core/wal/segment-header.ts';
import type { Storage } from '../storage.ts';
import type { WalFiles } from './files.ts';
import { WALK_BYTES, walkWal } from './walk.ts';

type Prefix =
  { readonly chain: ChainState } | { readonly broken: DiskSurvey['prefix'] & { state: 'broken' } };

/**
 * Observes the files of a node: checkpoint, the WAL of the checkpoint's segment, and the WAL after it. Changes nothing
 * and judges nothing. Cost: one segment and the tail, whatever the WAL's length.
 */
export async function surveyDisk(
  storage: Storage,
  wal: WalFiles,
  clusterId: string,
  around: Pick<DiskSurvey, 'base' | 'partials'>,
  /** Where the WAL of this node begins: with history, or at the cut of its base file; `null` where that is not known. */
  originLsn: number | null,
): Promise<DiskSurvey> {
  const found = await storage.readCheckpoint();
  // A node that holds no WAL yet stands at the cut of its base file.
  if (found.state === 'intact' && found.checkpoint.snapshotCut > 0 && wal.segments.length === 0)
    wal.beginAt(originLsn ?? found.checkpoint.lsn);
  const checkpoint: DiskSurvey['checkpoint'] =
    found.state === 'intact' ? { state: 'intact', value: found.checkpoint } : found;
  const walFacts: DiskSurvey['wal'] = {
    segments: wal.segments.length,
    startLsn: wal.startLsn,
    endLsn: wal.endLsn,
    discontinuity: wal.discontinuity,
  };
  const from = found.state === 'intact' ? found.checkpoint : GENESIS_CHECKPOINT;
  const prefix = holeBefore(wal, originLsn) ?? (await provePrefix(wal, from, clusterId, originLsn));
  if ('broken' in prefix)
    return {
      checkpoint,
      wal: walFacts,
      ...around,
      prefix: prefix.broken,
      tail: { provenTo: null, stop: null, validUnitAfterLsn: null },
    };
  return {
    checkpoint,
    wal: walFacts,
    ...around,
    prefix: { state: 'proven', chain: prefix.chain },
    tail: await proveTail(wal, prefix.chain),
  };
}

/**
 * Only the segment of the checkpoint is walked, so a beginning that is gone is seen by where the files begin. Files that begin
 * before the cut of the base file were left by an interrupted prune.
 */
function holeBefore(wal: WalFiles, originLsn: number | null): Prefix | null {
  if (originLsn === null || wal.segments.length === 0 || wal.startLsn <= originLsn) return null;
  return broken({
    expected_start_lsn: originLsn,
    found_start_lsn: wal.startLsn,
    missing: 'WAL at the beginning',
  });
}

/** Walks from the start of the segment that holds the checkpoint up to it. */
async function provePrefix(
  wal: WalFiles,
  checkpoint: Checkpoint,
  clusterId: string,
  originLsn: number | null,
): Promise<Prefix> {
  const before = wal.segmentAt(checkpoint.lsn - 1);
  if (before === undefined) {
    // Nothing stands before the checkpoint: so it is the very beginning, or the cut of the base file.
    if (checkpoint.lsn === 0 && checkpoint.commitId === 0) return { chain: genesisChain(clusterId) };
    // By its LSN, not by its commit id: the segment header behind the cut is applied as well, and holds no commit.
    if (checkpoint.snapshotCut === checkpoint.commitId && checkpoint.lsn === originLsn)
      return { chain: chainAtCut(clusterId, checkpoint) };
    return broken({
      expected_lsn: checkpoint.lsn,
      found_lsn: wal.endLsn,
      missing: 'WAL before the checkpoint',
    });
  }
  const headerBytes = await wal.read(before.startLsn, SEGMENT_HEADER_BYTES);
  if (headerBytes.length < SEGMENT_HEADER_BYTES)
    return broken({ lsn: before.startLsn, missing: 'segment header' });
  // The header is taken at its word about the history before it; that word is proved by where it leads.
  const start: ChainState = {
    ...chainAtSegment(readSegmentHeader(headerBytes)),
    lsn: before.startLsn,
    segmentStartLsn: before.startLsn,
    clusterId,
  };
  let chain = start;
  for await (const { batch, stop } of walkWal(wal, start, checkpoint.lsn)) {
    chain = batch.to;
    if (stop !== null) return broken({ stop: { ...stopEvidence(stop) } });
  }
  return samePosition(chain, checkpoint)
    ? { chain }
    : broken({
        expected: {
          commit_id: checkpoint.commitId,
          lsn: checkpoint.lsn,
          history_hash: checkpoint.historyHash,
        },
        found: { commit_id: chain.commitId, lsn: chain.lsn, history_hash: chain.historyHash },
      });
}

function broken(evidence: (DiskSurvey['prefix'] & { state: 'broken' })['evidence']): Prefix {
  return { broken: { state: 'broken', evidence } };
}

async function proveTail(wal: WalFiles, from: ChainState): Promise<DiskSurvey['tail']> {
  let chain = from;
  for await (const { batch, stop } of walkWal(wal, from, wal.endLsn)) {
    chain = batch.to;
    if (stop !== null)
      return {
        provenTo: chain,
        stop: stopEvidence(stop),
        // From the stop itself on: a unit that is whole and carries its checksum was not torn, whatever else it breaks.
        validUnitAfterLsn: await findValidUnit(wal, chain.lsn, wal.endLsn),
      };
  }
  return { provenTo: chain, stop: null, validUnitAfterLsn: null };
}

/**
 * Searches for the first unit that is valid in itself: magic, own LSN equal to where it stands, and checksum. Such a thing does
 * not come about by a torn write, so what stands before it was once whole.
 */
export async function findValidUnit(wal: WalFiles, fromLsn: number, endLsn: number): Promise<number | null> {
  let lsn = fromLsn;
  while (lsn < endLsn) {
    const piece = await wal.read(lsn, Math.min(WALK_BYTES, endLsn - lsn));
    if (piece.length === 0) return null;
    const frameLsn = await findInPiece(wal, lsn, piece, FRAME_MAGIC);
    const headerLsn = await findInPiece(wal, lsn, piece, SEGMENT_MAGIC);
    if (frameLsn !== null || headerLsn !== null) return Math.min(frameLsn ?? Infinity, headerLsn ?? Infinity);
    // A magic may lie across the end of the piece.
    const whole = wal.segmentAt(lsn + piece.length) === wal.segmentAt(lsn) && piece.length === WALK_BYTES;
    lsn += whole ? piece.length - SEGMENT_MAGIC.length : piece.length;
  }
  return null;
}

async function findInPiece(
  wal: WalFiles,
  pieceLsn: number,
  piece: Buffer,
  magic: string,
): Promise<number | null> {
  for (let at = piece.indexOf(magic, 0, 'latin1'); at >= 0; at = piece.indexOf(magic, at + 1, 'latin1'))
    if (await isValidUnit(wal, pieceLsn + at, magic)) return pieceLsn + at;
  return null;
}

async function isValidUnit(wal: WalFiles, lsn: number, magic: string): Promise<boolean> {
  if (magic === SEGMENT_MAGIC) {
    const header = await wal.read(lsn, SEGMENT_HEADER_BYTES);
    if (header.length < SEGMENT_HEADER_BYTES) return false;
    return header.readUInt32LE(92) === crc32c(header.subarray(0, 92)) && ownLsn(header, 40) === lsn;
  }
  const header = await wal.read(lsn, FRAME_HEADER_BYTES);
  if (header.length < FRAME_HEADER_BYTES || ownLsn(header, 8) !== lsn) return false;
  const bytes = header.readUInt32LE(4);
  if (bytes < FRAME_HEADER_BYTES || bytes > FRAME_BYTES_MAX) return false;
  const frame = await wal.read(lsn, bytes);
  return frame.length === bytes && frame.readUInt32LE(64) === frameCrc(frame);
}

function ownLsn(header: Buffer, offset: number): number {
  return Number(header.readBigUInt64LE(offset));
}
