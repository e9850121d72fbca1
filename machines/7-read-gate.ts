/**
 * Stage 7, read gate: a read is admitted only when it is proven that the primary would give the same answer.
 *
 * Guarantees: the gate is open exactly while every rule of the predicate holds (P5-I12); the same checks admit or
 * refuse every single read, and explain it. Between two batches there is always an application boundary at which
 * deferred reads are admitted, so that a replica under full load still answers. Outside `replicating` there is no gate:
 * no read.
 * Source: MISSION stage 7, DESIGN 6.
 */
import { readsAreProven, type ReadFacts } from '../src/core/read-safety.ts';
import { claim, route } from './claims.ts';
import type { NodeContext } from './context.ts';

/** The facts of the gate as the chart itself sees them from within `replicating`, for the newest view. */
function gateFacts({
  input,
  identity,
  halt,
  receivedLsn,
  validated,
  applied,
  inFlight,
}: NodeContext): ReadFacts {
  return {
    role: input.role,
    clusterId: identity?.clusterId ?? null,
    state: 'replicating',
    halt,
    receivedLsn,
    validated,
    applied,
    inFlight,
    view: { commitId: applied?.commitId ?? null, token: null },
  };
}

export const readGateClaims = { 'P5-I12 readsAreProven': claim(readsAreProven, gateFacts) };

export const readGateRoutes = {
  'route applicationIsInFlight': route(
    'A batch is being applied at this moment.',
    ({ inFlight }) => inFlight !== null,
  ),
};

export const readGate = {
  description: 'Whether a read is admitted at this moment.',
  meta: { invariants: ['P5-I7', 'P5-I12'] },
  initial: 'closed',
  states: {
    closed: {
      description:
        'A rule of the gate does not hold. Reads are deferred to the next application boundary, or refused.',
      meta: { invariants: ['P5-I12'] },
      always: {
        guard: 'P5-I12 readsAreProven',
        target: 'open',
        meta: { invariants: ['P5-I12'] },
        description: 'every rule of the read gate holds',
      },
    },
    open: {
      description: 'Every rule holds: a read is what the primary would answer for the same view.',
      meta: { invariants: ['P5-I7', 'P5-I12'] },
      always: { guard: 'route applicationIsInFlight', target: 'closed' },
    },
  },
} as const;
