import type { ProvenRange } from './application.ts';
import { defineCheck, holds, verdictOf, type Check, type Verdict } from './checks/check.ts';
import { haltToJson, type HaltReason } from './halt.ts';
import type { Role } from './identity.ts';
import { positionToJson, type Position } from './position.ts';

/** The view that a read asks for. */
export interface ViewFacts {
  /** Its upper bound; `null` before anything is applied. */
  readonly commitId: number | null;
  /** The full position that was asked for, and what this node's own history says of it. */
  readonly token: {
    readonly position: Position;
    readonly found: 'in history' | 'not in history' | 'ahead' | 'before what is kept' | 'not looked up';
    readonly foundHash: string | null;
  } | null;
}

/** Everything that the gate decides by: one moment of one node. */
export interface ReadFacts {
  readonly role: Role;
  /** Whose history it is: two clusters may hold the same commits. `null` before it is known. */
  readonly clusterId: string | null;
  /** The state of the chart, as one line; where the chart does not run any more, that is said before it. */
  readonly state: string;
  readonly halt: HaltReason | null;
  readonly receivedLsn: number | null;
  readonly validated: Position | null;
  readonly applied: Position | null;
  readonly inFlight: ProvenRange | null;
  readonly view: ViewFacts;
}

export const nodeIsActive: Check<ReadFacts> = defineCheck('P5-I12 nodeIsActive', {
  description:
    'The node is a primary at work or a replica that replicates: not starting, bootstrapping, recovering, halted or stopped.',
  code: 'READS_BLOCKED',
  claim: ({ role, state }) => {
    // The first word is the top-level state: regions and children follow behind "." and " | ".
    const top = /^\w+/.exec(state)?.[0];
    return !state.includes(' in ') && top === (role === 'primary' ? 'disabled' : 'replicating');
  },
  evidence: ({ role, state }) => ({ role, state }),
});

export const nothingIsHalted: Check<ReadFacts> = defineCheck('P5-I10 nothingIsHalted', {
  description: 'Nothing has halted this node.',
  code: 'READS_BLOCKED',
  claim: ({ halt }) => halt === null,
  evidence: ({ halt }) => ({ halt: halt && haltToJson(halt) }),
});

export const prefixHolds: Check<ReadFacts> = defineCheck('P5-I4 prefixHolds', {
  description: 'What is applied is proven, and what is proven was received: a prefix of the primary’s WAL.',
  code: 'READS_BLOCKED',
  claim: ({ role, receivedLsn, validated, applied }) => {
    if (applied === null) return null;
    if (role === 'primary') return true;
    if (validated === null || receivedLsn === null) return null;
    return (
      applied.lsn <= validated.lsn && applied.commitId <= validated.commitId && validated.lsn <= receivedLsn
    );
  },
  evidence: ({ receivedLsn, validated, applied }) => ({
    wal_received_lsn: receivedLsn,
    wal_validated_lsn: validated?.lsn ?? null,
    applied: applied && positionToJson(applied),
  }),
});

export const viewIsApplied: Check<ReadFacts> = defineCheck('P5-I12 viewIsApplied', {
  description: 'The view lies at or below what is applied.',
  code: 'VIEW_ABOVE_APPLIED',
  claim: ({ applied, view }) =>
    applied === null || view.commitId === null
      ? null
      : view.commitId <= applied.commitId && view.token?.found !== 'ahead',
  evidence: ({ applied, view }) => ({
    view_commit_id: view.commitId,
    applied_commit_id: applied?.commitId ?? null,
    ...(view.token === null ? {} : { view_lsn: view.token.position.lsn, applied_lsn: applied?.lsn ?? null }),
  }),
});

export const viewIsInHistory: Check<ReadFacts> = defineCheck('P5-I4 viewIsInHistory', {
  description: 'The position that was asked for, if one was, is a position of this very history.',
  code: ({ view }) => (view.token?.found === 'not in history' ? 'HISTORY_DIVERGED' : 'READS_BLOCKED'),
  claim: ({ view: { token } }) => {
    if (token === null || token.found === 'in history') return true;
    // Of what this node does not hold, or not any more, it cannot say whose history it is.
    return token.found === 'not in history' ? false : null;
  },
  evidence: ({ view: { token } }) =>
    token === null
      ? { position: null }
      : { position: positionToJson(token.position), found: token.found, found_hash: token.foundHash },
});

export const noApplicationIsInFlight: Check<ReadFacts> = defineCheck('P5-I12 noApplicationIsInFlight', {
  description: 'No application is in flight at this moment.',
  code: 'READS_BLOCKED',
  claim: ({ inFlight }) => inFlight === null,
  evidence: ({ inFlight }) => ({
    in_flight: inFlight && { from: positionToJson(inFlight.from), to: positionToJson(inFlight.to) },
  }),
});

/** The predicate of the read gate, rule by rule, in the order in which it is always evaluated and shown. */
export const GATE_CHECKS: readonly Check<ReadFacts>[] = [
  nodeIsActive,
  nothingIsHalted,
  prefixHolds,
  viewIsApplied,
  viewIsInHistory,
  noApplicationIsInFlight,
];

/** The whole predicate as one claim: the guard of the chart's gate. */
export const readsAreProven: Check<ReadFacts> = defineCheck('P5-I12 readsAreProven', {
  description: 'Every rule of the read gate holds.',
  code: 'READS_BLOCKED',
  claim: (facts) => GATE_CHECKS.every((check) => holds(check, facts)),
  evidence: (facts) =>
    Object.fromEntries(GATE_CHECKS.map((check) => [check.rule, verdictOf(check, facts).evaluation])),
});

/** What the gate says to a read. */
export type Admission =
  | { readonly kind: 'admitted' }
  /** Only an application in flight stands against it: it is looked at again at the next application boundary. */
  | { readonly kind: 'deferred' }
  | { readonly kind: 'refused'; readonly check: Check<ReadFacts> };

export function admissionOf(facts: ReadFacts): Admission {
  const against = GATE_CHECKS.filter((check) => !holds(check, facts));
  const [first] = against;
  if (first === undefined) return { kind: 'admitted' };
  return against.length === 1 && first === noApplicationIsInFlight
    ? { kind: 'deferred' }
    : { kind: 'refused', check: first };
}

/** The checks that stand against reads at all. An application in flight only defers one. */
export function blockingChecks(facts: ReadFacts): readonly Check<ReadFacts>[] {
  return GATE_CHECKS.filter((check) => check !== noApplicationIsInFlight && !holds(check, facts));
}

/** All rules, evaluated without stopping at the first that fails. */
export function gateVerdicts(facts: ReadFacts): readonly Verdict[] {
  return GATE_CHECKS.map((check) => verdictOf(check, facts));
}
