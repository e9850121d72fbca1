/**
 * Stage 4, application: proven WAL becomes stored versions.
 *
 * Guarantees: only proven WAL is applied (P5-I5), in WAL order and without a gap (P5-I4), by one applier (P5-I13);
 * whole commits and their checkpoint become visible together or not at all, so that a crash leaves either (P5-I11);
 * commit ids are taken as facts (P5-I6). Halts when a batch does not follow what is applied, or the checkpoint is not
 * the one that the WAL gives.
 * Source: MISSION stage 4, DESIGN 3 and 6.
 */
import type { ApplicationFacts } from '../src/core/application.ts';
import * as check from '../src/core/checks/application.ts';
import type { Checkpoint } from '../src/core/storage/checkpoint.ts';
import { claim, prove, route } from './claims.ts';
import type { NodeContext } from './context.ts';
import { notProvided, onFault, record, type Done } from './1-role.ts';

export const applicationActors = {
  boundary: notProvided<null, null>('boundary'),
  apply: notProvided<ApplicationFacts, { readonly applied: Checkpoint }>('apply'),
};

const nextBatch = ({ applied, proven, validated }: NodeContext) => ({
  applied,
  next: proven[0] ?? null,
  validated,
});

export const applicationClaims = {
  'P5-I5 batchIsProven': claim(check.batchIsProven, nextBatch),
  'P5-I4 batchFollowsApplied': claim(check.batchFollowsApplied, nextBatch),
  'P5-I6 appliedIsAsProven': claim(check.appliedIsAsProven, ({ inFlight, application }) => ({
    inFlight,
    application,
  })),
};

export const applicationRoutes = {
  'route somethingIsProven': route('Proven WAL waits to be applied.', ({ proven }) => proven.length > 0),
};

export const applicationActions = {
  recordInFlight: record(({ proven: [inFlight = null, ...proven] }) => ({ inFlight, proven })),
  recordApplication: record((_, application: ApplicationFacts) => ({ application })),
  recordApplied: record(({ application, applied }) => ({
    applied: application?.checkpoint ?? applied,
    inFlight: null,
  })),
};

type Args = { readonly context: NodeContext };

/** From the first batch that waits to the application boundary; `done` is where that leads. */
export const applicationSteps = <const Next extends string>(done: Next) =>
  ({
    provingOrder: prove(
      'P5-I4 batchFollowsApplied',
      'starting',
      '#node.halted',
      'Does the batch follow what was applied last?',
    ),
    starting: {
      description: 'From here on an application is in flight.',
      meta: { invariants: ['P5-I12', 'P5-I13'] },
      always: { target: 'replaying', actions: 'recordInFlight' },
    },
    replaying: {
      description: 'Writing versions and checkpoint in one atomic batch.',
      meta: { invariants: ['P5-I11', 'P5-I12', 'P5-I13'] },
      invoke: {
        id: 'apply',
        src: 'apply',
        input: ({ context }: Args) => ({ applied: context.applied as Checkpoint }),
        onDone: {
          target: 'provingCheckpoint',
          actions: { type: 'recordApplication', params: ({ event }: Done<ApplicationFacts>) => event.output },
        },
        onError: onFault('apply', '#node.halted'),
      },
    },
    provingCheckpoint: prove(
      'P5-I6 appliedIsAsProven',
      'finishing',
      '#node.halted',
      'Is the checkpoint the position that the WAL gives?',
    ),
    finishing: {
      description: 'The batch is visible as a whole.',
      meta: { invariants: ['P5-I11', 'P5-I12'] },
      always: { target: 'pausing', actions: 'recordApplied' },
    },
    pausing: {
      description: 'The application boundary: reads that waited for it are admitted before the next batch.',
      meta: { invariants: ['P5-I12'] },
      invoke: {
        id: 'boundary',
        src: 'boundary',
        input: null,
        onDone: done,
        onError: onFault('boundary', '#node.halted'),
      },
    },
  }) as const;

export const applying = {
  description: 'Replaying proven WAL into storage, one batch at a time.',
  meta: { invariants: ['P5-I4', 'P5-I5', 'P5-I6', 'P5-I13'] },
  initial: 'idle',
  states: {
    idle: {
      description: 'All that was proved is applied; no application is in flight.',
      meta: { invariants: ['P5-I13'] },
      always: { guard: 'route somethingIsProven', target: 'provingProof' },
    },
    provingProof: prove(
      'P5-I5 batchIsProven',
      'provingOrder',
      '#node.halted',
      'Does the batch lie within proven WAL?',
    ),
    ...applicationSteps('idle'),
  },
} as const;
