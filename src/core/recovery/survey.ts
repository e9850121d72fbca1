import type { JsonObject } from '../bytes.ts';
import { UNIT_CHECKS } from '../checks/wal.ts';
import { firstViolation } from '../checks/check.ts';
import { assertThat } from '../errors.ts';
import type { Checkpoint } from '../storage/checkpoint.ts';
import type { ChainState } from '../wal/chain.ts';
import type { ProofStop } from '../wal/proof.ts';

/** What a proof found in its way, as evidence: small, and without a byte of the WAL itself. */
export interface StopEvidence {
  /** `torn`: the bytes end too early. `invalid`: a unit breaks a rule. */
  readonly kind: 'torn' | 'invalid';
  readonly rule: string;
  readonly lsn: number;
  readonly file: string;
  readonly byte: number;
  readonly evidence: JsonObject;
}

/** The rule that a unit breaks whose bytes end too early. No check: there is no unit yet to be checked. */
export const UNIT_IS_WHOLE = 'P5-I11 unitIsWhole';

export function stopEvidence(stop: ProofStop): StopEvidence {
  if (stop.kind === 'incomplete') {
    const { lsn, file, byte, availableBytes, neededBytes } = stop;
    return {
      kind: 'torn',
      rule: UNIT_IS_WHOLE,
      lsn,
      file,
      byte,
      evidence: { expected: { unit_bytes: neededBytes }, found: { bytes_available: availableBytes } },
    };
  }
  const { facts } = stop;
  const check = firstViolation(UNIT_CHECKS, facts);
  assertThat(check !== undefined, 'a suspect breaks a rule: that is what made it one');
  return {
    kind: 'invalid',
    rule: check.rule,
    lsn: facts.chain.lsn,
    file: facts.file,
    byte: facts.byte,
    evidence: check.evidence(facts),
  };
}

/** The state of a node's files before anything is done to them. Everything recovery decides by. */
export interface DiskSurvey {
  readonly checkpoint:
    | { readonly state: 'absent' }
    | { readonly state: 'damaged'; readonly bytes: string }
    | { readonly state: 'intact'; readonly value: Checkpoint };
  readonly wal: {
    readonly segments: number;
    readonly startLsn: number;
    readonly endLsn: number;
    /** Where one segment file does not begin at the end of the one before it. */
    readonly discontinuity: { readonly expectedLsn: number; readonly foundLsn: number } | null;
  };
  /** The base file that the checkpoint names: found by its header. */
  readonly base: {
    readonly state: 'not needed' | 'intact' | 'missing' | 'damaged';
    readonly cutCommitId: number | null;
  };
  /** Names of what an interrupted start left: none of it counts for anything. */
  readonly partials: readonly string[];
  /** The WAL from the start of the checkpoint's segment to the checkpoint: does it lead to the checkpoint's hash? */
  readonly prefix:
    | { readonly state: 'proven'; readonly chain: ChainState }
    | { readonly state: 'broken'; readonly evidence: JsonObject };
  /** The WAL after the checkpoint. */
  readonly tail: {
    /** Where the proven WAL ends; `null` where the prefix is broken and nothing follows from it. */
    readonly provenTo: ChainState | null;
    readonly stop: StopEvidence | null;
    /** A frame or segment header that is valid in itself, behind the stop. */
    readonly validUnitAfterLsn: number | null;
  };
}
