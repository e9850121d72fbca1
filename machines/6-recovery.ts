/**
 * Stage 6, recovery: one way from any files to one state.
 *
 * Guarantees: what is done is decided by a table from what the disk shows, and by nothing else (P5-I11): the same files
 * give the same outcome and the same explanation, however often recovery is begun again. What was durable and is not
 * provable any more halts; what was never proved is discarded and fetched again (P5-I4). Nothing is read before it is
 * through (P5-I12). A recorded halt stays (P5-I10).
 * Source: MISSION stage 6, DESIGN 2, 3 and 6.
 */
import * as check from '../src/core/checks/recovery.ts';
import { decideRecovery, recoveryInputs, type RecoveryPlan } from '../src/core/recovery/decision.ts';
import type { RepairFacts } from '../src/core/recovery/repair.ts';
import type { DiskSurvey } from '../src/core/recovery/survey.ts';
import { claim, prove, route } from './claims.ts';
import type { NodeContext } from './context.ts';
import { notProvided, onFault, provingNoHalt, record, type Done } from './1-role.ts';
import { validationSteps } from './3-validation.ts';
import { applicationSteps } from './4-application.ts';

export interface RepairInput {
  readonly plan: RecoveryPlan;
  readonly survey: DiskSurvey;
}

export const recoveryActors = {
  surveyReplica: notProvided<DiskSurvey, null>('surveyReplica'),
  repairReplica: notProvided<RepairFacts, RepairInput>('repairReplica'),
};

const recoveryFacts = ({ recordedHalt, survey }: NodeContext) => ({ recordedHalt, survey });

export const recoveryClaims = {
  'P5-I10 noHaltIsRecorded': claim(check.noHaltIsRecorded, recoveryFacts),
  'P5-I11 checkpointIsIntact': claim(check.checkpointIsIntact, recoveryFacts),
  'P5-I8 baseIsInPlace': claim(check.baseIsInPlace, recoveryFacts),
  'P5-I4 prefixIsProven': claim(check.prefixIsProven, recoveryFacts),
};

export const recoveryRoutes = {
  'route planIsToBootstrap': route(
    'The decision table says that the node begins from a snapshot.',
    ({ plan }) => plan?.outcome === 'bootstrap',
  ),
  'route nothingIsToReplay': route(
    'All WAL that recovery kept is applied.',
    ({ repair, applied }) => repair?.resume?.receivedLsn === applied?.lsn,
  ),
};

export const recoveryActions = {
  recordSurvey: record((_, survey: DiskSurvey) => ({ survey })),
  recordPlan: record((context) => {
    const inputs = recoveryInputs(recoveryFacts(context), context.input.bootstrap);
    return { plan: inputs === null ? null : decideRecovery(inputs) };
  }),
  recordRepair: record((_, repair: RepairFacts) => ({ repair, ...repair.resume })),
};

type Args = { readonly context: NodeContext };

export const recovering = {
  description: 'Bringing the files to where the WAL proves that they are. No read is served.',
  meta: { invariants: ['P5-I4', 'P5-I11', 'P5-I12'] },
  initial: 'provingNoHalt',
  states: {
    provingNoHalt,
    surveying: {
      description: 'Reading checkpoint, base file header and WAL; nothing is changed.',
      meta: { invariants: ['P5-I11'] },
      invoke: {
        id: 'surveyReplica',
        src: 'surveyReplica',
        input: null,
        onDone: {
          target: 'provingCheckpoint',
          actions: { type: 'recordSurvey', params: ({ event }: Done<DiskSurvey>) => event.output },
        },
        onError: onFault('surveyReplica', '#node.halted.refusing'),
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
      'planning',
      '#node.halted',
      'Does the WAL lead to the checkpoint?',
    ),
    planning: {
      description: 'Looking up in the decision table what is to be done.',
      meta: { invariants: ['P5-I11'] },
      always: { target: 'repairing', actions: 'recordPlan' },
    },
    repairing: {
      description: 'Discarding what is partial or not proven, and making durable what is kept.',
      meta: { invariants: ['P5-I4', 'P5-I11'] },
      invoke: {
        id: 'repairReplica',
        src: 'repairReplica',
        input: ({ context }: Args): RepairInput => ({
          plan: context.plan as RecoveryPlan,
          survey: context.survey as DiskSurvey,
        }),
        onDone: {
          target: 'routing',
          actions: { type: 'recordRepair', params: ({ event }: Done<RepairFacts>) => event.output },
        },
        onError: onFault('repairReplica', '#node.halted'),
      },
    },
    routing: {
      description: 'A node without state bootstraps; one with WAL behind its checkpoint replays it first.',
      meta: { invariants: ['P5-I8', 'P5-I11'] },
      always: [
        { guard: 'route planIsToBootstrap', target: '#node.bootstrapping' },
        { guard: 'route nothingIsToReplay', target: '#node.replicating' },
        { target: 'replaying' },
      ],
    },
    replaying: {
      description: 'Proving the WAL behind the checkpoint again, and applying it.',
      meta: { invariants: ['P5-I4', 'P5-I5', 'P5-I11'] },
      initial: 'checking',
      states: {
        // A piece that was proved a moment ago lies within proven WAL; whether it follows what is applied is asked.
        ...validationSteps('provingOrder'),
        ...applicationSteps('continuing'),
        continuing: {
          description: 'Piece after piece, until all that is kept is applied.',
          meta: { invariants: ['P5-I11'] },
          always: [{ guard: 'route nothingIsToReplay', target: '#node.replicating' }, { target: 'checking' }],
        },
      },
    },
  },
} as const;
