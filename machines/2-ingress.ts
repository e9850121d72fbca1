/**
 * Stage 2, ingress: bytes of the primary's WAL become bytes of this node's WAL, and nothing else.
 *
 * Guarantees: what is received is of our cluster, in order, without gap, overlap or duplicate (P5-I4), durable before
 * it is counted, and changes nothing that a read could see. A lost, refused or stalled connection detaches; attaching
 * again is a command. Halts on anything out of order, on a foreign cluster, and on a position the primary disowns.
 * Source: MISSION stage 2, DESIGN 5 and 6.
 */
import * as check from '../src/core/checks/ingress.ts';
import { UNBOUND_CLUSTER } from '../src/core/identity.ts';
import type { AttachFacts, MeetFacts, ReceiptFacts } from '../src/core/ingress.ts';
import type { ChainState } from '../src/core/wal/chain.ts';
import { claim, prove, route } from './claims.ts';
import type { NodeContext } from './context.ts';
import { notProvided, onFault, record, type Done } from './1-role.ts';

export const ingressActors = {
  meetPrimary: notProvided<MeetFacts, null>('meetPrimary'),
  attach: notProvided<AttachFacts, ChainState>('attach'),
  receive: notProvided<ReceiptFacts, { readonly expectedLsn: number }>('receive'),
  persist: notProvided<number, { readonly fromLsn: number }>('persist'),
};

const meetingFacts = ({ input, meeting }: NodeContext) => ({
  expectedClusterId: input.clusterId,
  meeting,
});

export const ingressClaims = {
  'P5-I10 primaryIsMet': claim(check.primaryIsMet, meetingFacts),
  'P5-I1 formatIsShared': claim(check.formatIsShared, meetingFacts),
  'P5-I1 primaryIsOfOurCluster': claim(check.primaryIsOfOurCluster, meetingFacts),
  'P5-I4 historyIsThePrimarys': claim(check.historyIsThePrimarys, ({ attachment }) => attachment),
  'P5-I4 streamIsOurs': claim(check.streamIsOurs, ({ attachment }) => attachment),
  'P5-I4 receivedIsInOrder': claim(check.receivedIsInOrder, ({ receipt }) => receipt),
};

export const ingressRoutes = {
  'route clusterIsKnown': route(
    'The identity names a cluster.',
    ({ identity }) => identity !== null && identity.clusterId !== UNBOUND_CLUSTER,
  ),
  'route replicationIsEnabled': route(
    'The configuration asks for replication.',
    ({ input }) => input.replication === 'enabled',
  ),
  'route streamIsOpen': route(
    'The primary answered with a stream.',
    ({ attachment }) => attachment?.answer.kind === 'attached',
  ),
  'route streamHasEnded': route('The stream has ended.', ({ receipt }) => endOf(receipt) !== null),
  'route allReceivedIsValidated': route(
    'All received WAL is proven.',
    ({ validated, receivedLsn }) => validated?.lsn === receivedLsn,
  ),
  'route unitsWereReceived': route(
    'Whole units of WAL were received.',
    ({ receipt }) => (receipt?.units ?? 0) > 0,
  ),
};

export const ingressActions = {
  recordMeeting: record((_, meeting: MeetFacts) => ({ meeting })),
  recordReceived: record((_, receivedLsn: number) => ({ receivedLsn })),
  recordAttachment: record(({ primaryDurable }, attachment: AttachFacts) => ({
    attachment,
    receipt: null,
    detachment: null,
    primaryDurable:
      (attachment.answer.kind === 'attached' ? attachment.answer.durable : null) ?? primaryDurable,
  })),
  recordReceipt: record(({ primaryDurable }, receipt: ReceiptFacts) => ({
    receipt,
    primaryDurable: receipt.primary ?? primaryDurable,
  })),
  recordDetachment: record(({ attachment, receipt }) => ({ detachment: detachmentOf(attachment, receipt) })),
};

function endOf(receipt: ReceiptFacts | null): string | null {
  return receipt === null ? null : receipt.ended;
}

function detachmentOf(attachment: AttachFacts | null, receipt: ReceiptFacts | null): string {
  const end = endOf(receipt);
  if (end !== null) return end;
  const { answer } = attachment ?? {};
  if (answer?.kind === 'refused') return `${answer.code}: ${answer.message}`;
  return answer?.kind === 'unreachable' ? answer.message : 'the stream was not opened';
}

type Args = { readonly context: NodeContext };

/** A node that belongs to no cluster yet asks its primary which one it is; nothing is written before it knows. */
export const meeting = {
  meetingPrimary: {
    description: 'Asking the primary which cluster this is. Nothing has been written yet.',
    meta: { invariants: ['P5-I1', 'P5-I6'] },
    invoke: {
      id: 'meetPrimary',
      src: 'meetPrimary',
      input: null,
      onDone: {
        target: 'provingMeeting',
        actions: { type: 'recordMeeting', params: ({ event }: Done<MeetFacts>) => event.output },
      },
      onError: onFault('meetPrimary', '#node.halted.refusing'),
    },
  },
  provingMeeting: prove(
    'P5-I10 primaryIsMet',
    'provingSharedFormat',
    '#node.halted.refusing',
    'Did the primary say who it is?',
  ),
  provingSharedFormat: prove(
    'P5-I1 formatIsShared',
    'provingPrimaryCluster',
    '#node.halted.refusing',
    'Does the primary speak our format?',
  ),
  provingPrimaryCluster: prove(
    'P5-I1 primaryIsOfOurCluster',
    'claiming',
    '#node.halted.refusing',
    'Is it the primary of our cluster?',
  ),
} as const;

export const ingesting = {
  description: 'Receiving WAL into this node’s own segment files, byte for byte.',
  meta: { invariants: ['P5-I4', 'P5-I13'] },
  initial: 'settling',
  states: {
    settling: {
      description:
        'Waiting until all that was received is proved: a stream is resumed only from a proven position.',
      meta: { invariants: ['P5-I4', 'P5-I5'] },
      always: { guard: 'route allReceivedIsValidated', target: 'attaching' },
    },
    attaching: {
      description: 'Asking the primary for the stream exactly where the proven WAL ends.',
      meta: { invariants: ['P5-I4'] },
      invoke: {
        id: 'attach',
        src: 'attach',
        input: ({ context }: Args) => context.validated as ChainState,
        onDone: {
          target: 'provingHistory',
          actions: { type: 'recordAttachment', params: ({ event }: Done<AttachFacts>) => event.output },
        },
        onError: onFault('attach', '#node.halted'),
      },
    },
    provingHistory: prove(
      'P5-I4 historyIsThePrimarys',
      'routingAnswer',
      '#node.halted',
      'Does the primary own the position we resume from?',
    ),
    routingAnswer: {
      description: 'A stream is read; a refusal or a silence detaches.',
      meta: { invariants: ['P5-I4', 'P5-I10'] },
      always: [
        { guard: 'route streamIsOpen', target: 'provingStream' },
        { target: 'detached', actions: 'recordDetachment' },
      ],
    },
    provingStream: prove(
      'P5-I4 streamIsOurs',
      'receiving',
      '#node.halted',
      'Is the stream of our cluster, from where we asked?',
    ),
    receiving: {
      description: 'Waiting for whole units of the stream.',
      meta: { invariants: ['P5-I4'] },
      invoke: {
        id: 'receive',
        src: 'receive',
        input: ({ context }: Args) => ({ expectedLsn: context.receivedLsn as number }),
        onDone: {
          target: 'routingReceipt',
          actions: { type: 'recordReceipt', params: ({ event }: Done<ReceiptFacts>) => event.output },
        },
        onError: onFault('receive', '#node.halted'),
      },
    },
    routingReceipt: {
      description: 'The end of a stream detaches; everything else is looked at.',
      meta: { invariants: ['P5-I4', 'P5-I10'] },
      always: [
        { guard: 'route streamHasEnded', target: 'detached', actions: 'recordDetachment' },
        { target: 'provingOrder' },
      ],
    },
    provingOrder: prove(
      'P5-I4 receivedIsInOrder',
      'routingUnits',
      '#node.halted',
      'Do the bytes continue the WAL: no gap, no overlap, no duplicate?',
    ),
    routingUnits: {
      description: 'Units are persisted; a mere notice of the primary’s position is not.',
      meta: { invariants: ['P5-I4'] },
      always: [{ guard: 'route unitsWereReceived', target: 'persisting' }, { target: 'receiving' }],
    },
    persisting: {
      description: 'Appending the units and making them durable. Only then are they received.',
      meta: { invariants: ['P5-I4', 'P5-I11', 'P5-I13'] },
      invoke: {
        id: 'persist',
        src: 'persist',
        input: ({ context }: Args) => ({ fromLsn: context.receivedLsn as number }),
        onDone: {
          target: 'receiving',
          actions: { type: 'recordReceived', params: ({ event }: Done<number>) => event.output },
        },
        onError: onFault('persist', '#node.halted'),
      },
    },
    detached: {
      description:
        'No stream: lost, refused or stalled, and said why. Nothing is tried again before somebody asks for it.',
      meta: { invariants: ['P5-I4', 'P5-I10'] },
      on: {
        'replica.attach': { target: 'settling', description: 'the host or an operator attaches again' },
      },
    },
  },
} as const;
