import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Json, JsonObject } from '../core/bytes.ts';
import type { Identity } from '../core/identity.ts';
import { SEGMENT_HEADER_BYTES } from '../core/limits.ts';
import { positionOf, type Position } from '../core/position.ts';
import { stopEvidence } from '../core/recovery/survey.ts';
import { BASE_HEADER_BYTES, decodeBaseHeader, type SnapshotCut } from '../core/storage/base-format.ts';
import { chainAtCut, genesisChain, type ChainState } from '../core/wal/chain.ts';
import type { ProofStop } from '../core/wal/proof.ts';
import { segmentFileName } from '../core/wal/segment-header.ts';
import { BaseFile } from './base-file.ts';
import type { DataDirectory } from './data-directory.ts';
import { WalFiles } from './wal-files.ts';
import { findValidUnit } from './wal-survey.ts';
import { WALK_BYTES, proveNext } from './wal-walk.ts';

/** Where the proof of a WAL ended before the WAL did, and why. */
export interface WalStop {
  readonly kind: 'beginning' | 'incomplete' | 'invalid' | 'discontinuity';
  readonly rule: string;
  readonly file: string;
  readonly byte: number;
  readonly lsn: number;
  readonly expected: Json;
  readonly found: Json;
  /** A unit that is valid in itself, at the stop or behind it: no torn write leaves one. */
  readonly validUnitLsn: number | null;
}

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

/** How long a running node is given to finish what it was just writing. */
const SECOND_LOOK_MS = 100;

/**
 * Proves the whole WAL of a data directory from its first byte on, as recovery would prove it, without the index.
 * Only reads, so the node may run: its WAL is proved up to where it ended when this began. Memory: one piece.
 *
 * A stop at the end is a torn tail where no unit at it or behind it is valid in itself; else it is corruption.
 */
export async function verifyWal(
  directory: DataDirectory,
  { clusterId, role }: Identity,
  progress: (done: WalProgress) => void = () => undefined,
): Promise<WalVerdict> {
  let wal = await WalFiles.openToRead(directory.files, directory.walDirectory);
  try {
    const segments = wal.segments.length;
    const { startLsn, endLsn } = wal;
    const nothing = { segments, frames: 0, commits: 0, bytes: 0, provenTo: null };
    if (segments === 0) return { verdict: 'clean', ...nothing, stop: null };
    const cuts = role === 'replica' ? await cutsOf(directory) : [];
    const start = chainAtStart(clusterId, startLsn, cuts);
    if (start === null) return { verdict: 'corrupt', ...nothing, stop: wrongBeginning(startLsn, cuts) };

    let chain = start;
    let frames = 0;
    const walk = async (): Promise<ProofStop | null> => {
      const { discontinuity } = wal;
      // Up to the first place where the files do not join; there is no stream behind it.
      const joinedLsn =
        discontinuity === null ? wal.endLsn : Math.min(discontinuity.expectedLsn, discontinuity.foundLsn);
      while (chain.lsn < joinedLsn && chain.lsn < endLsn) {
        const { batch, stop } = await proveNext(wal, chain, joinedLsn, WALK_BYTES);
        const stands = batch.to.lsn === chain.lsn;
        chain = batch.to;
        frames += batch.frames.length;
        progress({ bytes: chain.lsn - startLsn, totalBytes: endLsn - startLsn, commitId: chain.commitId });
        if (stop !== null) return stop;
        // The file gives less than it had when it was listed.
        if (stands) return missing(chain, 0, null);
      }
      const ended = chain.lsn === wal.endLsn && discontinuity === null;
      return ended && wal.segments.at(-1)?.bytes === 0 ? missing(chain, 0, SEGMENT_HEADER_BYTES) : null;
    };

    let stop = await walk();
    if (stop?.kind === 'incomplete' && wal.discontinuity === null) {
      // A node that runs may have been at work on this very unit.
      await wait(SECOND_LOOK_MS);
      await wal.close();
      wal = await WalFiles.openToRead(directory.files, directory.walDirectory);
      stop = await walk();
      // Behind the end that was there at first, what is incomplete is not looked at.
      if (stop?.kind === 'incomplete' && chain.lsn >= endLsn && wal.endLsn > endLsn) stop = null;
    }
    const found = stop === null ? discontinuityOf(wal) : await stopOf(wal, stop);
    return {
      verdict: found === null ? 'clean' : isTorn(found, wal) ? 'torn' : 'corrupt',
      segments,
      frames,
      commits: chain.commitId - start.commitId,
      bytes: chain.lsn - start.lsn,
      provenTo: positionOf(chain),
      stop: found,
    };
  } finally {
    await wal.close();
  }
}

/** A WAL begins with the history of its cluster, or where a base file of the same node ends. */
function chainAtStart(clusterId: string, startLsn: number, cuts: readonly SnapshotCut[]): ChainState | null {
  if (startLsn === 0) return genesisChain(clusterId);
  const cut = cuts.find(({ lsn }) => lsn === startLsn);
  return cut === undefined ? null : chainAtCut(clusterId, cut);
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

/** The cuts that the base files of a replica are of, as far as their headers are intact. */
async function cutsOf({ files, baseDirectory }: DataDirectory): Promise<SnapshotCut[]> {
  const cuts: SnapshotCut[] = [];
  for (const name of await files.list(baseDirectory)) {
    if (!name.endsWith('.base')) continue;
    const base = await BaseFile.open(files, join(baseDirectory, name));
    try {
      const bytes = base.readRecord(0, BASE_HEADER_BYTES);
      const header = bytes && decodeBaseHeader(bytes);
      if (header !== null) cuts.push(header.cut);
    } finally {
      await base.close();
    }
  }
  return cuts;
}

function missing(chain: ChainState, availableBytes: number, neededBytes: number | null): ProofStop {
  return {
    kind: 'incomplete',
    lsn: chain.lsn,
    file: segmentFileName(chain.segmentStartLsn),
    byte: chain.lsn - chain.segmentStartLsn,
    availableBytes,
    neededBytes,
  };
}

async function stopOf(wal: WalFiles, stop: ProofStop): Promise<WalStop> {
  const { rule, file, byte, lsn, evidence } = stopEvidence(stop);
  return {
    kind: stop.kind === 'incomplete' ? 'incomplete' : 'invalid',
    rule,
    file,
    byte,
    lsn,
    ...expectedAndFound(evidence),
    validUnitLsn: await findValidUnit(wal, lsn, wal.endLsn),
  };
}

function expectedAndFound({ expected = null, found = null }: JsonObject) {
  return { expected, found };
}

function discontinuityOf(wal: WalFiles): WalStop | null {
  const { discontinuity } = wal;
  if (discontinuity === null) return null;
  const { expectedLsn, foundLsn } = discontinuity;
  return {
    kind: 'discontinuity',
    rule: 'P5-I4 segmentsJoin',
    file: segmentFileName(foundLsn),
    byte: 0,
    lsn: expectedLsn,
    expected: { start_lsn: expectedLsn },
    found: { start_lsn: foundLsn },
    validUnitLsn: null,
  };
}

/** What a write that never ended leaves: nothing valid from there on, and no further file. */
function isTorn({ kind, validUnitLsn }: WalStop, { discontinuity }: WalFiles): boolean {
  return (kind === 'incomplete' || kind === 'invalid') && validUnitLsn === null && discontinuity === null;
}
