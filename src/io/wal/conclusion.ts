import type { JsonObject } from '../../core/bytes.ts';
import { positionToJson } from '../../core/position.ts';
import type { ChainState } from '../../core/wal/chain.ts';
import type { Beginning } from './beginning.ts';
import type { ProofEnding } from './proof.ts';
import { findStop, natureOf, type StopNature, type WalStop } from './stop.ts';
import type { WalFiles } from './files.ts';

/** `proven`: all that was read is proved, but the reader left off before the end. */
export type WalEndVerdict = 'clean' | 'proven' | StopNature;

/** What was proved of a WAL, from where, and how it ended; as JSON, its fields in one order. */
export interface WalConclusion {
  readonly verdict: WalEndVerdict;
  readonly message: string;
  /** `null` where nothing is there, or nothing of it could be proved. */
  readonly begins_at: JsonObject | null;
  readonly proven_to: JsonObject | null;
  readonly stop: JsonObject | null;
  readonly notes: readonly string[];
}

/** A WAL that has no segment yet. */
export const NO_WAL: WalConclusion = {
  verdict: 'clean',
  message: 'there is no WAL yet',
  begins_at: null,
  proven_to: null,
  stop: null,
  notes: [],
};

/** The conclusion on a proof that went on as far as it could. */
export async function conclude(
  wal: WalFiles,
  beginning: Beginning,
  { to, stop }: ProofEnding,
): Promise<WalConclusion> {
  const startLsn = beginning.chain.lsn;
  const found = await findStop(wal, startLsn, stop);
  if (found === null)
    return conclusion('clean', `every unit is proved; the WAL ends at LSN ${to.lsn}`, beginning, to, null);
  const nature = natureOf(found, wal.discontinuityFrom(startLsn));
  return conclusion(nature, stopMessage(nature, found), beginning, to, found);
}

/** The conclusion on a proof that was left at a unit, for lack of interest in what comes. */
export function concludeEarly(beginning: Beginning, to: ChainState): WalConclusion {
  const message = `every unit before LSN ${to.lsn} is proved; from there on nothing was asked for, and nothing was judged`;
  return conclusion('proven', message, beginning, to, null);
}

function conclusion(
  verdict: WalEndVerdict,
  message: string,
  beginning: Beginning,
  to: ChainState,
  stop: WalStop | null,
): WalConclusion {
  const { chain, hashFrom } = beginning;
  // A header that did not hold has no word to take.
  const isKnown = hashFrom !== 'segment header' || to.lsn > chain.lsn;
  return {
    verdict,
    message,
    begins_at: isKnown ? { ...positionToJson(chain), hash_from: hashFrom } : null,
    proven_to: isKnown ? positionToJson(to) : null,
    stop: stop && stopJson(stop),
    notes: isKnown ? notesOn(beginning) : [],
  };
}

/** A stop as other programs read it. */
export function stopJson({ validUnitLsn, ...place }: WalStop): JsonObject {
  return { ...place, valid_unit_lsn: validUnitLsn };
}

const NATURES: Readonly<Record<StopNature, string>> = {
  torn: 'torn tail',
  corrupt: 'corrupt unit',
  'broken chain': 'broken chain: what follows does not continue the history before it',
};

function stopMessage(nature: StopNature, stop: WalStop): string {
  const { lsn, file, byte, rule, expected, found, validUnitLsn } = stop;
  const behind =
    validUnitLsn === null
      ? 'nothing valid stands at it or behind it'
      : `a unit that is valid in itself stands at LSN ${validUnitLsn}`;
  return `${NATURES[nature]}: at LSN ${lsn} (${file}, byte ${byte}) ${rule} does not hold: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}; ${behind}`;
}

function notesOn({ chain, hashFrom, isSought }: Beginning): string[] {
  if (hashFrom === 'genesis') return [];
  const history = `the history before LSN ${chain.lsn} ${isSought ? 'was not looked at' : 'is not here'}`;
  return [`${history}; its hash is taken from the ${hashFrom}`];
}
