/**
 * The chart of a primary: the node chart with replication left out (P5-I16). A primary finds out who it is, recovers
 * its own WAL, and then rests in `disabled` while its write path makes history.
 *
 * Guarantees: nothing is written to a directory that is not its own; no commit is taken before recovery is through; a
 * torn tail is cut and corruption is refused. Halts on a damaged checkpoint or base file, corrupt WAL, or a failed write.
 * Source: DESIGN 2, 4 and 6.
 */
import { setup } from 'xstate';
import * as check from '../src/core/checks/recovery.ts';
import type { Checkpoint } from '../src/core/storage/checkpoint.ts';
import type { InvariantId } from '../src/core/invariants.ts';
import type { DiskSurvey } from '../src/core/recovery/survey.ts';
import { claim, guardsOf, prove } from './claims.ts';
import { initialContext, type NodeContext, type NodeEvent, type NodeInput } from './context.ts';
import {
  disabled,
  halted,
  initializing,
  MICROSTEPS_MAX,
  nodeWide,
  notProvided,
  onFault,
  provingNoHalt,
  record,
  roleActions,
  roleActors,
  roleClaims,
  roleRoutes,
  stopped,
} from './1-role.ts';

const recoveryFacts = ({ recordedHalt, survey }: NodeContext) => ({ recordedHalt, survey });

export const primaryClaims = {
  ...roleClaims,
  'P5-I10 noHaltIsRecorded': claim(check.noHaltIsRecorded, recoveryFacts),
  'P5-I11 checkpointIsIntact': claim(check.checkpointIsIntact, recoveryFacts),
  'P5-I8 baseIsInPlace': claim(check.baseIsInPlace, recoveryFacts),
  'P5-I4 prefixIsProven': claim(check.prefixIsProven, recoveryFacts),
  'P5-I11 tailIsTornAtMost': claim(check.tailIsTornAtMost, recoveryFacts),
};

/** Every guard of the chart that is no check, by its name. */
export const primaryRoutes = { ...roleRoutes };

/** Every effect of the chart: what it is asked, and what it answers. */
export const primaryEffects = {
  ...roleActors,
  surveyDisk: notProvided<DiskSurvey, null>('surveyDisk'),
  repairPrimary: notProvided<Checkpoint, DiskSurvey>('repairPrimary'),
};

const primarySetup = setup({
  types: {
    context: {} as NodeContext,
    events: {} as NodeEvent,
    input: {} as NodeInput,
    meta: {} as { readonly invariants: readonly InvariantId[] },
  },
  actors: primaryEffects,
  guards: { ...guardsOf(primaryClaims), ...guardsOf(primaryRoutes) },
  actions: {
    ...roleActions,
    recordHalt: record((context, { rule }: { rule: keyof typeof primaryClaims }) => ({
      halt: primaryClaims[rule].halt(context),
    })),
    recordSurvey: record((_, survey: DiskSurvey) => ({ survey })),
    recordApplied: record((_, applied: Checkpoint) => ({ applied })),
  },
});

export const primaryMachine = primarySetup.createMachine({
  id: 'node',
  options: { maxIterations: MICROSTEPS_MAX },
  description: 'A primary: it creates history and is passive in replication.',
  context: ({ input }) => initialContext(input),
  initial: 'initializing',
  on: nodeWide,
  states: {
    initializing: initializing('#node.recovering'),
    recovering: {
      description: 'Restoring the state that the WAL proves. No commit and no read yet.',
      meta: { invariants: ['P5-I4', 'P5-I11'] },
      initial: 'provingNoHalt',
      states: {
        provingNoHalt,
        surveying: {
          description: 'Reading checkpoint, base file header and WAL; nothing is changed.',
          meta: { invariants: ['P5-I11'] },
          invoke: {
            id: 'surveyDisk',
            src: 'surveyDisk',
            input: null,
            onDone: {
              target: 'provingCheckpoint',
              actions: { type: 'recordSurvey', params: ({ event }) => event.output },
            },
            onError: onFault('surveyDisk', '#node.halted.refusing'),
          },
        },
        provingCheckpoint: prove(
          'P5-I11 checkpointIsIntact',
          'provingBase',
          '#node.halted.refusing',
          'Can the checkpoint be trusted?',
        ),
        provingBase: prove(
          'P5-I8 baseIsInPlace',
          'provingPrefix',
          '#node.halted.refusing',
          'Does the base file stand where the checkpoint says?',
        ),
        provingPrefix: prove(
          'P5-I4 prefixIsProven',
          'provingTail',
          '#node.halted.refusing',
          'Does the WAL lead to the checkpoint?',
        ),
        provingTail: prove(
          'P5-I11 tailIsTornAtMost',
          'repairing',
          '#node.halted.refusing',
          'Is what fails at the end a torn write, and not corruption?',
        ),
        repairing: {
          description: 'Cutting a torn tail, completing a segment roll, replaying the WAL into the index.',
          meta: { invariants: ['P5-I11'] },
          invoke: {
            id: 'repairPrimary',
            src: 'repairPrimary',
            input: ({ context }) => context.survey as DiskSurvey,
            onDone: {
              target: '#node.disabled',
              actions: { type: 'recordApplied', params: ({ event }) => event.output },
            },
            onError: onFault('repairPrimary', '#node.halted'),
          },
        },
      },
    },
    disabled,
    halted,
    stopped,
  },
});
