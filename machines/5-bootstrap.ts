/**
 * Stage 5, snapshot bootstrap: an empty replica begins at an exact cut of history.
 *
 * Guarantees: a snapshot is an exact MVCC cut, transferred and read back whole before it is used (P5-I8), and the
 * primary's WAL resumes exactly at the cut (P5-I9), seen before anything is installed. Until the checkpoint of the cut
 * is written the replica is uninitialised, and no read is served. Halts on a damaged manifest, block, or file, on a
 * foreign cluster, and where the WAL does not resume at the cut. A primary that is silent or has no snapshot detaches.
 * Source: MISSION stage 5, DESIGN 3 and 5.
 */
import type {
  FetchFacts,
  InstalledFacts,
  ResumeFacts,
  SnapshotSummary,
  VerifiedFacts,
} from '../src/core/bootstrap.ts';
import * as check from '../src/core/checks/bootstrap.ts';
import { chainAtCut } from '../src/core/wal/chain.ts';
import { claim, prove, route } from './claims.ts';
import type { NodeContext } from './context.ts';
import { notProvided, onFault, record, type Done } from './1-role.ts';

export interface ProbeInput {
  readonly clusterId: string;
  readonly snapshot: SnapshotSummary;
}

export const bootstrapActors = {
  discardPartial: notProvided<null, null>('discardPartial'),
  fetchSnapshot: notProvided<FetchFacts, { readonly clusterId: string }>('fetchSnapshot'),
  verifySnapshot: notProvided<VerifiedFacts, SnapshotSummary>('verifySnapshot'),
  probeResume: notProvided<ResumeFacts, ProbeInput>('probeResume'),
  installSnapshot: notProvided<InstalledFacts, SnapshotSummary>('installSnapshot'),
};

export const bootstrapClaims = {
  'P5-I8 manifestIsIntact': claim(check.manifestIsIntact, ({ fetched }) => fetched),
  'P5-I8 snapshotIsOfOurCluster': claim(check.snapshotIsOfOurCluster, ({ fetched }) => fetched),
  'P5-I8 blocksAreIntact': claim(check.blocksAreIntact, ({ fetched }) => fetched),
  'P5-I8 baseIsWhole': claim(check.baseIsWhole, ({ verified }) => verified),
  'P5-I9 walResumesAtTheCut': claim(check.walResumesAtTheCut, ({ resume }) => resume),
  'P5-I8 installedIsTheCut': claim(check.installedIsTheCut, ({ installed }) => installed),
};

/** Refusals that speak of the cut itself; any other speaks of the primary's present state. */
const AGAINST_THE_CUT: readonly string[] = ['HISTORY_DIVERGED', 'POSITION_INVALID', 'WAL_PRUNED'];

export const bootstrapRoutes = {
  'route snapshotWasAnswered': route(
    'The primary answered with a snapshot, intact or not.',
    ({ fetched }) => fetched?.kind === 'fetched' || fetched?.kind === 'manifest damaged',
  ),
  'route resumeWasAnswered': route(
    'The primary answered how its WAL goes on at the cut.',
    ({ resume }) =>
      resume?.kind === 'probed' || (resume?.kind === 'refused' && AGAINST_THE_CUT.includes(resume.code)),
  ),
};

export const bootstrapActions = {
  recordFetched: record((_, fetched: FetchFacts) => ({ fetched, detachment: null })),
  recordVerified: record((_, verified: VerifiedFacts) => ({ verified })),
  recordResume: record((_, resume: ResumeFacts) => ({ resume })),
  recordInstalled: record((_, installed: InstalledFacts) => ({ installed })),
  recordBootstrapped: record(({ installed, identity }) =>
    installed === null || identity === null
      ? {}
      : {
          applied: installed.checkpoint,
          validated: chainAtCut(identity.clusterId, installed.cut),
          receivedLsn: installed.cut.lsn,
        },
  ),
  recordNoSnapshot: record(({ fetched, resume }) => ({ detachment: whyNot(fetched, resume) })),
};

function whyNot(fetched: FetchFacts | null, resume: ResumeFacts | null): string {
  if (fetched?.kind === 'none')
    return 'the primary has no snapshot: make one with "replichart snapshot create"';
  if (fetched?.kind === 'refused') return `${fetched.code}: ${fetched.message}`;
  if (fetched?.kind === 'unreachable') return fetched.message;
  if (resume?.kind === 'refused') return `${resume.code}: ${resume.message}`;
  return resume?.kind === 'unreachable' ? resume.message : 'the primary did not answer';
}

type Args = { readonly context: NodeContext };

const snapshotOf = ({ context: { fetched } }: Args): SnapshotSummary =>
  (fetched as Extract<FetchFacts, { kind: 'fetched' }>).snapshot;
const clusterOf = ({ context }: Args): string => context.identity?.clusterId as string;

export const bootstrapping = {
  description: 'Beginning from a snapshot. The replica is uninitialised and serves no read.',
  meta: { invariants: ['P5-I8', 'P5-I9', 'P5-I12'] },
  initial: 'discarding',
  states: {
    discarding: {
      description: 'Removing what an earlier bootstrap left: it has no checkpoint, so it is nothing.',
      meta: { invariants: ['P5-I8', 'P5-I11'] },
      invoke: {
        id: 'discardPartial',
        src: 'discardPartial',
        input: null,
        onDone: 'fetching',
        onError: onFault('discardPartial', '#node.halted'),
      },
    },
    fetching: {
      description: 'Transferring the newest snapshot, block by block, each compared with the manifest.',
      meta: { invariants: ['P5-I8'] },
      invoke: {
        id: 'fetchSnapshot',
        src: 'fetchSnapshot',
        input: (args: Args) => ({ clusterId: clusterOf(args) }),
        onDone: {
          target: 'routingFetched',
          actions: { type: 'recordFetched', params: ({ event }: Done<FetchFacts>) => event.output },
        },
        onError: onFault('fetchSnapshot', '#node.halted'),
      },
    },
    routingFetched: {
      description: 'What the primary answered is looked at; where it did not, nobody tries again by itself.',
      meta: { invariants: ['P5-I8', 'P5-I10'] },
      always: [
        { guard: 'route snapshotWasAnswered', target: 'provingManifest' },
        { target: 'detached', actions: 'recordNoSnapshot' },
      ],
    },
    provingManifest: prove(
      'P5-I8 manifestIsIntact',
      'provingCluster',
      '#node.halted',
      'Does the manifest carry its own hash?',
    ),
    provingCluster: prove(
      'P5-I8 snapshotIsOfOurCluster',
      'provingBlocks',
      '#node.halted',
      'Is the snapshot of our cluster?',
    ),
    provingBlocks: prove(
      'P5-I8 blocksAreIntact',
      'verifying',
      '#node.halted',
      'Did every block arrive as the manifest says?',
    ),
    verifying: {
      description: 'Reading the transferred file back from disk, every version of it.',
      meta: { invariants: ['P5-I8'] },
      invoke: {
        id: 'verifySnapshot',
        src: 'verifySnapshot',
        input: snapshotOf,
        onDone: {
          target: 'provingBase',
          actions: { type: 'recordVerified', params: ({ event }: Done<VerifiedFacts>) => event.output },
        },
        onError: onFault('verifySnapshot', '#node.halted'),
      },
    },
    provingBase: prove(
      'P5-I8 baseIsWhole',
      'probing',
      '#node.halted',
      'Is the file on disk, and the state it holds, what the manifest says?',
    ),
    probing: {
      description: 'Asking the primary how its WAL goes on at the cut.',
      meta: { invariants: ['P5-I9'] },
      invoke: {
        id: 'probeResume',
        src: 'probeResume',
        input: (args: Args): ProbeInput => ({ clusterId: clusterOf(args), snapshot: snapshotOf(args) }),
        onDone: {
          target: 'routingResume',
          actions: { type: 'recordResume', params: ({ event }: Done<ResumeFacts>) => event.output },
        },
        onError: onFault('probeResume', '#node.halted'),
      },
    },
    routingResume: {
      description: 'An answer is looked at; a silence detaches.',
      meta: { invariants: ['P5-I9', 'P5-I10'] },
      always: [
        { guard: 'route resumeWasAnswered', target: 'provingResume' },
        { target: 'detached', actions: 'recordNoSnapshot' },
      ],
    },
    provingResume: prove(
      'P5-I9 walResumesAtTheCut',
      'installing',
      '#node.halted',
      'Does the WAL resume exactly at the cut?',
    ),
    installing: {
      description:
        'Putting the file in its place and building its index; the checkpoint of the cut comes last.',
      meta: { invariants: ['P5-I8', 'P5-I11'] },
      invoke: {
        id: 'installSnapshot',
        src: 'installSnapshot',
        input: snapshotOf,
        onDone: {
          target: 'provingInstalled',
          actions: { type: 'recordInstalled', params: ({ event }: Done<InstalledFacts>) => event.output },
        },
        onError: onFault('installSnapshot', '#node.halted'),
      },
    },
    provingInstalled: prove(
      'P5-I8 installedIsTheCut',
      'finishing',
      '#node.halted',
      'Does the checkpoint stand exactly at the cut?',
    ),
    finishing: {
      description: 'The replica holds the state of the cut; WAL follows from there.',
      meta: { invariants: ['P5-I8', 'P5-I9'] },
      always: { target: '#node.replicating', actions: 'recordBootstrapped' },
    },
    detached: {
      description:
        'No snapshot could be had, and said why. Nothing is tried again before somebody asks for it.',
      meta: { invariants: ['P5-I8', 'P5-I10'] },
      on: { 'replica.attach': { target: 'discarding', description: 'the host or an operator tries again' } },
    },
  },
} as const;
