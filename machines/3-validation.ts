/**
 * Stage 3, validation: received WAL is proved, unit by unit, before anything is made of it.
 *
 * Guarantees: checksum, own place, history hash, commit ids, segment headers and seals, and payload structure of every
 * unit hold against the history before it (P5-I4, P5-I5, P5-I6). The verdict depends on the bytes alone: the same
 * files give the same verdict, whatever the batches were and however often it is begun again (P5-I11). Halts on the
 * first unit that does not pass, and keeps its bytes.
 * Source: MISSION stage 3, DESIGN 2 and 6.
 */
import { receivedIsStillThere, validationCheck } from '../src/core/checks/validation.ts';
import type { ValidationFacts } from '../src/core/validation.ts';
import type { ChainState } from '../src/core/wal/chain.ts';
import { claim, prove, route } from './claims.ts';
import type { NodeContext } from './context.ts';
import { notProvided, onFault, record, type Done } from './1-role.ts';

type Validated = Done<ValidationFacts>;

export const validationActors = {
  validate: notProvided<ValidationFacts, { readonly from: ChainState; readonly receivedLsn: number }>(
    'validate',
  ),
};

const ofUnit = (rule: string) => claim(validationCheck(rule), ({ validation }) => validation);

export const validationClaims = {
  'P5-I11 receivedIsStillThere': claim(receivedIsStillThere, ({ validation }) => validation),
  'P5-I5 unitIsFramed': ofUnit('P5-I5 unitIsFramed'),
  'P5-I5 checksumMatches': ofUnit('P5-I5 checksumMatches'),
  'P5-I4 clusterIsOurs': ofUnit('P5-I4 clusterIsOurs'),
  'P5-I4 unitIsInOrder': ofUnit('P5-I4 unitIsInOrder'),
  'P5-I4 historyIsContinuous': ofUnit('P5-I4 historyIsContinuous'),
  'P5-I6 commitIdsAreDense': ofUnit('P5-I6 commitIdsAreDense'),
  'P5-I5 payloadIsWellFormed': ofUnit('P5-I5 payloadIsWellFormed'),
};

/** Proven WAL waits in memory to be applied; the validator runs no further ahead than this. */
const PROVEN_BYTES_MAX = 8 * 1024 * 1024;

export const validationRoutes = {
  'route somethingIsUnvalidated': route(
    'Received WAL waits to be proven, and not too much proven WAL waits to be applied.',
    ({ receivedLsn, validated, applied }) =>
      receivedLsn !== null &&
      validated !== null &&
      validated.lsn < receivedLsn &&
      validated.lsn - (applied?.lsn ?? 0) < PROVEN_BYTES_MAX,
  ),
};

export const validationActions = {
  recordValidation: record((_, validation: ValidationFacts) => ({ validation })),
  recordValidated: record(({ validation, validated, proven }) =>
    validation === null
      ? { validated }
      : { validated: validation.to, proven: [...proven, { from: validation.from, to: validation.to }] },
  ),
};

/** The proofs of one piece, in the order in which a violation is reported. */
const unitProofs = <const Done extends string>(done: Done) =>
  ({
    provingPresence: prove(
      'P5-I11 receivedIsStillThere',
      'provingFraming',
      '#node.halted',
      'Do the files hold what was received?',
    ),
    provingFraming: prove(
      'P5-I5 unitIsFramed',
      'provingChecksum',
      '#node.halted',
      'Are magic, sizes and kinds those of the format?',
    ),
    provingChecksum: prove(
      'P5-I5 checksumMatches',
      'provingCluster',
      '#node.halted',
      'Does every checksum match its bytes?',
    ),
    provingCluster: prove(
      'P5-I4 clusterIsOurs',
      'provingPlace',
      '#node.halted',
      'Is every segment of our cluster?',
    ),
    provingPlace: prove(
      'P5-I4 unitIsInOrder',
      'provingHistory',
      '#node.halted',
      'Does every unit stand at the LSN that it names?',
    ),
    provingHistory: prove(
      'P5-I4 historyIsContinuous',
      'provingCommitIds',
      '#node.halted',
      'Does every unit name the history before it?',
    ),
    provingCommitIds: prove(
      'P5-I6 commitIdsAreDense',
      'provingPayload',
      '#node.halted',
      'Do the commit ids go on by one?',
    ),
    provingPayload: prove(
      'P5-I5 payloadIsWellFormed',
      done,
      '#node.halted',
      'Does every length in the payload add up?',
    ),
  }) as const;

type Args = { readonly context: NodeContext };

/** From the next piece on disk to its proof; `done` is where a proved piece leads. */
export const validationSteps = <const Done extends string>(done: Done) =>
  ({
    checking: {
      description: 'Reading the next piece from disk and computing what it says and is.',
      meta: { invariants: ['P5-I5'] },
      invoke: {
        id: 'validate',
        src: 'validate',
        input: ({ context }: Args) => ({
          from: context.validated as ChainState,
          receivedLsn: context.receivedLsn as number,
        }),
        onDone: {
          target: 'provingPresence',
          actions: { type: 'recordValidation', params: ({ event }: Validated) => event.output },
        },
        onError: onFault('validate', '#node.halted'),
      },
    },
    ...unitProofs('counting'),
    counting: {
      description: 'Every claim holds: the piece is proved.',
      meta: { invariants: ['P5-I5'] },
      always: { target: done, actions: 'recordValidated' },
    },
  }) as const;

export const validating = {
  description: 'Proving received WAL. What is not proved does not exist for anything behind it.',
  meta: { invariants: ['P5-I4', 'P5-I5'] },
  initial: 'idle',
  states: {
    idle: {
      description: 'All that was received is proved, or enough of it waits to be applied.',
      meta: { invariants: ['P5-I5'] },
      always: { guard: 'route somethingIsUnvalidated', target: 'checking' },
    },
    ...validationSteps('idle'),
  },
} as const;
