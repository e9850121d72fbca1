import type { Json, JsonObject } from '../../core/bytes.ts';
import { CHAIN_CHECKS } from '../../core/checks/wal.ts';
import { stopEvidence } from '../../core/recovery/survey.ts';
import { segmentFileName } from '../../core/wal/segment-header.ts';
import type { ProofStop } from '../../core/wal/proof.ts';
import type { Discontinuity, WalFiles } from './files.ts';
import { findValidUnit } from './survey.ts';

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

/**
 * What stopped the proof of the files from a segment on, or `null` where nothing did: a unit, or two files that do not
 * join.
 */
export async function findStop(
  wal: WalFiles,
  startLsn: number,
  stop: ProofStop | null,
): Promise<WalStop | null> {
  const discontinuity = wal.discontinuityFrom(startLsn);
  if (stop !== null) return stopOf(wal, stop, discontinuity);
  return discontinuity && stopBetween(wal, discontinuity);
}

async function stopOf(wal: WalFiles, stop: ProofStop, discontinuity: Discontinuity | null): Promise<WalStop> {
  const { rule, file, byte, lsn, evidence } = stopEvidence(stop);
  return {
    kind: stop.kind === 'incomplete' ? 'incomplete' : 'invalid',
    rule,
    file,
    byte,
    lsn,
    ...expectedAndFound(evidence),
    validUnitLsn:
      (await findValidUnit(wal, lsn, wal.endLsn)) ??
      // The search ends where no file holds the next byte.
      (discontinuity && (await findValidUnit(wal, discontinuity.foundLsn, wal.endLsn))),
  };
}

function expectedAndFound({ expected = null, found = null }: JsonObject) {
  return { expected, found };
}

async function stopBetween(wal: WalFiles, { expectedLsn, foundLsn }: Discontinuity): Promise<WalStop> {
  return {
    kind: 'discontinuity',
    rule: 'P5-I4 segmentsJoin',
    file: segmentFileName(foundLsn),
    byte: 0,
    lsn: expectedLsn,
    expected: { start_lsn: expectedLsn },
    found: { start_lsn: foundLsn },
    validUnitLsn: await findValidUnit(wal, foundLsn, wal.endLsn),
  };
}

/** What a stop says of the WAL. `broken chain`: what is there is whole, but it does not continue the history before it. */
export type StopNature = 'torn' | 'corrupt' | 'broken chain';

export function natureOf(stop: WalStop, discontinuity: Discontinuity | null): StopNature {
  if (stop.kind === 'beginning' || stop.kind === 'discontinuity') return 'broken chain';
  // What a write that never ended leaves: nothing valid from there on, and no further file.
  if (stop.validUnitLsn === null && discontinuity === null) return 'torn';
  if (stop.kind === 'incomplete') return isCutByHole(stop, discontinuity) ? 'broken chain' : 'corrupt';
  return CHAIN_CHECKS.some(({ rule }) => rule === stop.rule) ? 'broken chain' : 'corrupt';
}

/** A unit that the end of its file cuts off, with nothing valid before that end: the next file begins too late. */
function isCutByHole({ validUnitLsn }: WalStop, discontinuity: Discontinuity | null): boolean {
  if (discontinuity === null) return false;
  return validUnitLsn === null || validUnitLsn >= discontinuity.expectedLsn;
}
