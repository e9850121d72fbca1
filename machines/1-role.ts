/**
 * Stage 1, role: who this node is, and what it may never become.
 *
 * Guarantees: a data directory belongs to one node of one cluster in one role for ever (P5-I1); replication is off
 * unless it is asked for (P5-I16); a halt is durable and stays until an operator clears it (P5-I10). Halts when the
 * identity is damaged or another node's: then nothing is written, and the start is refused.
 * Source: MISSION stage 1, DESIGN 6.
 */
import { assign, fromPromise } from 'xstate';
import * as check from '../src/core/checks/identity.ts';
import { effectFault as faultOf, haltByFault, type EffectFault, type HaltReason } from '../src/core/halt.ts';
import type { Identity, IdentityFound } from '../src/core/identity.ts';
import { claim, prove, route } from './claims.ts';
import type { NodeContext, NodeEvent, NodeInput } from './context.ts';

/** More eventless hops than this in one step are a bug of the chart. */
export const MICROSTEPS_MAX = 100;

/** Stands for an effect until the composition root provides it. */
export function notProvided<Output, Input>(name: string) {
  return fromPromise<Output, Input>(() => Promise.reject(new Error(`the actor ${name} is not provided`)));
}
export const roleActors = {
  readIdentity: notProvided<IdentityFound, null>('readIdentity'),
  claimIdentity: notProvided<Identity, NodeInput>('claimIdentity'),
  readHaltRecord: notProvided<HaltReason | null, null>('readHaltRecord'),
  writeHaltRecord: notProvided<null, HaltReason>('writeHaltRecord'),
  drain: notProvided<null, null>('drain'),
  keepEvidence: notProvided<string | null, HaltReason>('keepEvidence'),
  release: notProvided<null, null>('release'),
};

const identityFacts = ({ input, identityFound: found }: NodeContext) => ({
  role: input.role,
  clusterId: input.clusterId,
  nodeId: input.nodeId,
  found,
});

export const roleClaims = {
  'P5-I11 identityIsReadable': claim(check.identityIsReadable, identityFacts),
  'P5-I1 formatIsKnown': claim(check.formatIsKnown, identityFacts),
  'P5-I1 roleIsUnchanged': claim(check.roleIsUnchanged, identityFacts),
  'P5-I1 clusterIsUnchanged': claim(check.clusterIsUnchanged, identityFacts),
  'P5-I1 nodeIsUnchanged': claim(check.nodeIsUnchanged, identityFacts),
};

export const roleRoutes = {
  'route identityIsPresent': route(
    'The directory has an identity.',
    ({ identityFound }) => identityFound?.state === 'present',
  ),
};

type Assign<Params> = ReturnType<typeof assign<NodeContext, NodeEvent, Params, NodeEvent, never>>;
/** An action that records: pure, and told by parameters what to record. */
export const record = <Params>(
  update: (context: NodeContext, params: Params) => Partial<NodeContext>,
): Assign<Params> => assign(({ context }, params: Params) => update(context, params));

export const roleActions = {
  recordIdentityFound: record((_, found: IdentityFound) => ({
    identityFound: found,
    identity: found.state === 'present' ? found.identity : null,
  })),
  recordIdentity: record((_, identity: Identity) => ({ identity })),
  recordFault: record((_, fault: EffectFault) => ({ halt: haltByFault(fault) })),
  recordHaltFound: record((_, recordedHalt: HaltReason | null) => ({ recordedHalt })),
  recordEvidence: record(({ halt }, evidenceFile: string | null) =>
    halt === null || evidenceFile === null
      ? { evidenceFile }
      : { evidenceFile, halt: { ...halt, evidence: { ...halt.evidence, bytes_kept_in: evidenceFile } } },
  ),
  restoreHalt: record(({ recordedHalt }) => ({ halt: recordedHalt })),
  recordHaltRecordFault: record((_, haltRecordFault: EffectFault) => ({ haltRecordFault })),
};

type Args = { readonly context: NodeContext };

/** What a new identity is made of: the configuration, the cluster of the primary that was met, the node id there was. */
function claimInput({ context: { input, meeting, identity } }: Args): NodeInput {
  const met = meeting?.kind === 'met' ? meeting.primary.clusterId : null;
  return {
    ...input,
    clusterId: input.clusterId ?? met,
    nodeId: input.nodeId ?? identity?.nodeId ?? null,
  };
}

/** Who owns this directory? Nothing is written before every claim holds. */
export const initializing = <const Next extends string>(next: Next) =>
  ({
    description:
      'Finding out who this node is. Nothing is written before the directory is known to be its own.',
    meta: { invariants: ['P5-I1', 'P5-I11', 'P5-I16'] },
    initial: 'identifying',
    states: {
      identifying: {
        description: 'Reading the identity file.',
        meta: { invariants: ['P5-I1'] },
        invoke: {
          id: 'readIdentity',
          src: 'readIdentity',
          input: null,
          onDone: {
            target: 'provingIdentity',
            actions: {
              type: 'recordIdentityFound',
              params: ({ event }: Done<IdentityFound>) => event.output,
            },
          },
          onError: onFault('readIdentity', '#node.halted.refusing'),
        },
      },
      provingIdentity: prove(
        'P5-I11 identityIsReadable',
        'provingFormat',
        '#node.halted.refusing',
        'Is the identity intact, or the directory empty?',
      ),
      provingFormat: prove(
        'P5-I1 formatIsKnown',
        'provingRole',
        '#node.halted.refusing',
        'Is the directory in a format of this program?',
      ),
      provingRole: prove(
        'P5-I1 roleIsUnchanged',
        'provingCluster',
        '#node.halted.refusing',
        'Is the role the one the directory was made with?',
      ),
      provingCluster: prove(
        'P5-I1 clusterIsUnchanged',
        'provingNode',
        '#node.halted.refusing',
        'Is the cluster the one the directory was made for?',
      ),
      provingNode: prove(
        'P5-I1 nodeIsUnchanged',
        'routing',
        '#node.halted.refusing',
        'Is the node the one the directory was made for?',
      ),
      routing: {
        description: 'A directory without an identity is claimed; one with it is taken up.',
        meta: { invariants: ['P5-I1'] },
        always: [{ guard: 'route identityIsPresent', target: 'readingHalt' }, { target: 'claiming' }],
      },
      claiming: {
        description: 'Writing the identity of a new node, durably and once.',
        meta: { invariants: ['P5-I1', 'P5-I11'] },
        invoke: {
          id: 'claimIdentity',
          src: 'claimIdentity',
          input: claimInput,
          onDone: {
            target: 'readingHalt',
            actions: { type: 'recordIdentity', params: ({ event }: Done<Identity>) => event.output },
          },
          onError: onFault('claimIdentity', '#node.halted.refusing'),
        },
      },
      readingHalt: {
        description: 'Reading the halt record of an earlier run, if there is one.',
        meta: { invariants: ['P5-I10'] },
        invoke: {
          id: 'readHaltRecord',
          src: 'readHaltRecord',
          input: null,
          onDone: {
            target: next,
            actions: {
              type: 'recordHaltFound',
              params: ({ event }: Done<HaltReason | null>) => event.output,
            },
          },
          onError: onFault('readHaltRecord', '#node.halted.refusing'),
        },
      },
    },
  }) as const;

export interface Done<Output> {
  readonly event: { readonly output: Output };
}

/** An effect that fails instead of answering is a fault of the disk or a bug: either way it halts. */
export function onFault<const Target extends string>(effect: string, target: Target) {
  return {
    target,
    actions: {
      type: 'recordFault' as const,
      params: ({ event }: { readonly event: { readonly error: unknown } }) => faultOf(effect, event.error),
    },
    meta: { invariants: ['P5-I10' as const] },
    description: `${effect} failed`,
  };
}

/** The first thing that a recovery asks. */
export const provingNoHalt = {
  description: 'Does a halt of an earlier run wait for an operator?',
  meta: { invariants: ['P5-I10'] },
  always: [
    { guard: 'P5-I10 noHaltIsRecorded', target: 'surveying', meta: { invariants: ['P5-I10'] } },
    { target: '#node.halted.resting', actions: 'restoreHalt', meta: { invariants: ['P5-I10'] } },
  ],
} as const;

export const disabled = {
  description:
    'This node does no replica work: it is a primary, or replication is switched off. A primary is passive in replication and rests here while it writes.',
  meta: { invariants: ['P5-I16'] },
} as const;

export const halted = {
  description: 'Stopped on purpose, with evidence. Nothing clears it but an operator.',
  meta: { invariants: ['P5-I10'] },
  initial: 'draining',
  on: { 'storage.failed': {} },
  states: {
    draining: {
      description:
        'The fence is closed: no write begins. Waiting for the ones under way to end. A stop comes after the record.',
      meta: { invariants: ['P5-I10', 'P5-I13'] },
      on: { 'node.stop': {} },
      invoke: {
        id: 'drain',
        src: 'drain',
        input: null,
        onDone: 'preserving',
        onError: { target: 'preserving', actions: keepFirstCause('drain') },
      },
    },
    preserving: {
      description: 'Keeping the bytes that caused the halt. A stop comes after the record.',
      meta: { invariants: ['P5-I10', 'P5-I15'] },
      on: { 'node.stop': {} },
      invoke: {
        id: 'keepEvidence',
        src: 'keepEvidence',
        input: ({ context }: Args) => context.halt as HaltReason,
        onDone: {
          target: 'recording',
          actions: { type: 'recordEvidence', params: ({ event }: Done<string | null>) => event.output },
        },
        onError: { target: 'recording', actions: keepFirstCause('keepEvidence') },
      },
    },
    recording: {
      description: 'Writing the halt record, so that a restart stays halted. A stop comes after the record.',
      meta: { invariants: ['P5-I10', 'P5-I11'] },
      on: { 'node.stop': {} },
      invoke: {
        id: 'writeHaltRecord',
        src: 'writeHaltRecord',
        input: ({ context }: Args) => context.halt as HaltReason,
        onDone: 'resting',
        onError: { target: 'resting', actions: keepFirstCause('writeHaltRecord') },
      },
    },
    resting: {
      description: 'Halted. The cause and its evidence can be read; nothing else happens.',
      meta: { invariants: ['P5-I10', 'P5-I14'] },
    },
    refusing: {
      description:
        'The start is refused: the data directory is not this node’s to write in, so not even a halt record is written.',
      meta: { invariants: ['P5-I1', 'P5-I10'] },
    },
  },
} as const;

/** What fails while halting does not replace the cause of the halt; it is kept beside it. */
function keepFirstCause(effect: string) {
  return {
    type: 'recordHaltRecordFault' as const,
    params: ({ event }: { readonly event: { readonly error: unknown } }) => faultOf(effect, event.error),
  };
}

export const stopped = {
  description: 'The node was told to stop.',
  meta: { invariants: ['P5-I11', 'P5-I13'] },
  initial: 'draining',
  on: { 'storage.failed': {}, 'node.stop': {} },
  states: {
    draining: {
      description: 'No write begins any more; the ones under way end, then files and index are closed.',
      meta: { invariants: ['P5-I11', 'P5-I13'] },
      invoke: {
        id: 'release',
        src: 'release',
        input: null,
        onDone: 'closed',
        onError: { target: 'closed', actions: keepFirstCause('release') },
      },
    },
    closed: {
      description: 'Everything is closed.',
      meta: { invariants: ['P5-I13'] },
      type: 'final',
    },
  },
} as const;

/** The same in every state of every node. */
export const nodeWide = {
  'node.stop': { target: '.stopped', description: 'the host or an operator stops the node' },
  'storage.failed': {
    target: '.halted',
    actions: {
      type: 'recordFault',
      params: ({ event }: { readonly event: { readonly fault: EffectFault } }) => event.fault,
    },
    meta: { invariants: ['P5-I10'] },
    description: 'a write or an fsync failed',
  },
} as const;
