import type { Json } from '../core/bytes.ts';
import { EXIT, type ExitCode } from '../core/errors.ts';

/** One claim of the demonstration: what must be, what is, and whether they agree. */
export interface Proof {
  readonly id: string;
  readonly claim: string;
  readonly holds: boolean;
  readonly expected: Json;
  readonly found: Json;
  /** What was measured, in a line for people. */
  readonly shown: string;
  /** What the program says when the claim does not hold. */
  readonly exit: ExitCode;
}

interface Claim {
  readonly id: string;
  readonly claim: string;
  readonly expected: Json;
  readonly found: Json;
  readonly shown: string;
  /** Nodes that do not hold the same history or the same state: divergence. */
  readonly divergence?: boolean;
}

/** A claim holds when what was found is, as JSON, exactly what was expected. */
export function proofOf({ id, claim, expected, found, shown, divergence }: Claim): Proof {
  const holds = JSON.stringify(expected) === JSON.stringify(found);
  return {
    id,
    claim,
    holds,
    expected,
    found,
    shown,
    exit: divergence === true ? EXIT.corruption : EXIT.failure,
  };
}

/** Divergence is the gravest that can be found; without it any broken claim is a failure. */
export function exitOf(proofs: readonly Proof[]): ExitCode {
  const broken = proofs.filter(({ holds }) => !holds).map(({ exit }) => exit);
  return broken.includes(EXIT.corruption) ? EXIT.corruption : broken.length > 0 ? EXIT.failure : EXIT.ok;
}
