import { join } from 'node:path';
import type { Identity } from '../../core/identity.ts';
import { positionOf, type Position } from '../../core/position.ts';
import type { SnapshotCut } from '../../core/storage/base-format.ts';
import { FRAME_KIND } from '../../core/wal/frame.ts';
import type { ProofStop, ProvenUnit } from '../../core/wal/proof.ts';
import { segmentFileName } from '../../core/wal/segment-header.ts';
import { readBaseFile } from '../base-file.ts';
import { isBaseName } from '../base-files.ts';
import type { DataDirectory } from '../data-directory.ts';
import { chainAtStart, firstSegment, placeOfNode } from './beginning.ts';
import type { WalFiles } from './files.ts';
import { proveToEnd, WalReader } from './proof.ts';
import { findStop, natureOf, type WalStop } from './stop.ts';

export interface WalVerdict {
  readonly verdict: 'clean' | 'torn' | 'corrupt';
  readonly segments: number;
  /** Frames of commits, and the commits in them, that were proved. */
  readonly frames: number;
  readonly commits: number;
  /** Bytes that were proved. */
  readonly bytes: number;
  /** `null` where nothing is there to prove, or not even its beginning is known. */
  readonly provenTo: Position | null;
  readonly stop: WalStop | null;
}

/** How far the proof has come. */
export interface WalProgress {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly commitId: number;
}

/**
 * Proves the whole WAL of a data directory from its first byte on, as recovery would prove it, without the index; and the base
 * file that stands in the place of what was before it.
 * Only reads, so the node may run: its WAL is proved up to where it ended when this began. Memory: one piece.
 *
 * A stop at the end is a torn tail where no unit at it or behind it is valid in itself; else it is corruption.
 */
export async function verifyWal(
  directory: DataDirectory,
  identity: Identity,
  progress: (done: WalProgress) => void = () => undefined,
): Promise<WalVerdict> {
  for (let looks = 1; ; looks += 1)
    try {
      return await verifyOnce(directory, identity, progress);
    } catch (error) {
      // A running node that is pruned takes files away that were listed: what is there now is looked at.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || looks === LOOKS_MAX) throw error;
    }
}

/** A node is not pruned so often that every look is in vain. */
const LOOKS_MAX = 5;

async function verifyOnce(
  directory: DataDirectory,
  identity: Identity,
  progress: (done: WalProgress) => void,
): Promise<WalVerdict> {
  const reader = await WalReader.open(directory.files, directory.walDirectory);
  try {
    const { cuts } = await placeOfNode(directory, identity);
    const brokenBase = await findBrokenBase(directory, identity);
    const counted = reader.wal.segments.slice(firstSegment(reader.wal, cuts));
    const segments = counted.length;
    const nothing = { segments, frames: 0, commits: 0, bytes: 0, provenTo: null };
    const [first] = counted;
    if (brokenBase !== null) return { verdict: 'corrupt', ...nothing, stop: brokenBase };
    if (first === undefined) return { verdict: 'clean', ...nothing, stop: null };
    const { startLsn } = first;
    const { endLsn } = reader.wal;
    const start = chainAtStart(identity.clusterId, startLsn, cuts);
    if (start === null) return { verdict: 'corrupt', ...nothing, stop: wrongBeginning(startLsn, cuts) };

    let to = start;
    let frames = 0;
    let stop: ProofStop | null = null;
    for await (const step of proveToEnd(reader, start)) {
      to = step.to;
      if (step.kind === 'ended') {
        stop = step.stop;
      } else {
        frames += step.units.filter(holdsCommits).length;
        progress({ bytes: to.lsn - startLsn, totalBytes: endLsn - startLsn, commitId: to.commitId });
      }
    }
    const found = await findStop(reader.wal, startLsn, stop);
    return {
      verdict: found === null ? 'clean' : isTorn(found, reader.wal, startLsn) ? 'torn' : 'corrupt',
      segments,
      frames,
      commits: to.commitId - start.commitId,
      bytes: to.lsn - start.lsn,
      provenTo: positionOf(to),
      stop: found,
    };
  } finally {
    await reader.close();
  }
}

/** What stands in the place of the history before the WAL is history: each base file is read from its first byte to its last. */
async function findBrokenBase(
  { files, baseDirectory }: DataDirectory,
  { clusterId }: Identity,
): Promise<WalStop | null> {
  const names = (await files.list(baseDirectory)).filter(
    (name) => name.endsWith('.base') && isBaseName(name),
  );
  for (const name of names) {
    const { header, fault } = await readBaseFile(files, join(baseDirectory, name));
    const isOurs = header === null || header.clusterId === clusterId;
    if (fault === null && isOurs) continue;
    return {
      kind: 'beginning',
      rule: 'P5-I8 baseIsWhole',
      file: `base/${name}`,
      byte: fault?.offset ?? 0,
      lsn: header?.cut.lsn ?? 0,
      expected: fault?.expected ?? { cluster_id: clusterId },
      found: fault?.found ?? { cluster_id: header?.clusterId ?? null },
      validUnitLsn: null,
    };
  }
  return null;
}

function holdsCommits({ facts }: ProvenUnit): boolean {
  return facts.unit === 'frame' && facts.header.kind === FRAME_KIND.commits;
}

function isTorn(stop: WalStop, wal: WalFiles, startLsn: number): boolean {
  return natureOf(stop, wal.discontinuityFrom(startLsn)) === 'torn';
}

function wrongBeginning(startLsn: number, cuts: readonly SnapshotCut[]): WalStop {
  return {
    kind: 'beginning',
    rule: 'P5-I9 walBeginsWithHistoryOrAtTheCut',
    file: segmentFileName(startLsn),
    byte: 0,
    lsn: startLsn,
    expected: { start_lsn: cuts.length === 0 ? 0 : cuts.map(({ lsn }) => lsn) },
    found: { start_lsn: startLsn },
    validUnitLsn: null,
  };
}
