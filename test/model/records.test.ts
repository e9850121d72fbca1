/**
 * Actions record and nothing else: each, given a context and what it is told, changes these very fields to these very
 * values. And what routes look at, at both sides of their boundaries.
 */
import { describe, expect, test } from 'vitest';
import { roleActions } from '../../machines/1-role.ts';
import { ingressActions } from '../../machines/2-ingress.ts';
import { validationActions } from '../../machines/3-validation.ts';
import { applicationActions } from '../../machines/4-application.ts';
import { bootstrapActions } from '../../machines/5-bootstrap.ts';
import { recoveryActions } from '../../machines/6-recovery.ts';
import { readGateClaims } from '../../machines/7-read-gate.ts';
import { stateNodes } from '../../machines/chart.ts';
import type { NodeContext, NodeInput } from '../../machines/context.ts';
import { nodeMachine, nodeRoutes } from '../../machines/node.ts';
import type { FetchFacts, ResumeFacts } from '../../src/core/bootstrap.ts';
import type { AttachAnswer, AttachFacts } from '../../src/core/ingress.ts';
import { haltByFault } from '../../src/core/halt.ts';
import { UNBOUND_CLUSTER } from '../../src/core/identity.ts';
import { chainAtCut } from '../../src/core/wal/chain.ts';
import { contextOf } from '../support/broken-contexts.ts';
import { at, checkpoint, receipt } from '../support/claim-parts.ts';
import { CLUSTER, NODE, OTHER_CLUSTER } from '../support/nodes.ts';

/** What an action changes. */
function recorded(action: unknown, patch: Partial<NodeContext>, told?: unknown): Partial<NodeContext> {
  const { assignment } = action as {
    assignment: (args: { context: NodeContext }, told: unknown) => Partial<NodeContext>;
  };
  return assignment({ context: contextOf(patch) }, told);
}

const identity = { formatVersion: 1, clusterId: CLUSTER, nodeId: NODE, role: 'replica' as const };
const fault = { effect: 'apply', code: 'STORAGE_FAILED', message: 'm', error: { e: 1 } } as const;
const halt = haltByFault(fault);
const chain = (commitId: number) => chainAtCut(CLUSTER, { ...at(commitId), segmentIndex: 0 });
const attachment = (answer: AttachAnswer): AttachFacts => ({ clusterId: CLUSTER, requested: at(1), answer });
const attached = (durable: AttachFacts['requested'] | null) =>
  attachment({ kind: 'attached', clusterId: CLUSTER, startLsn: 100, durable });
const refused = attachment({ kind: 'refused', code: 'WAL_PRUNED', message: 'gone by', evidence: {} });

describe('P5-I1, P5-I10: stage 1 records', () => {
  test('who the directory belongs to', () => {
    const present = { state: 'present', identity } as const;
    const absent = { state: 'absent', dataFiles: [] } as const;
    expect(recorded(roleActions.recordIdentityFound, {}, present)).toEqual({
      identityFound: present,
      identity,
    });
    expect(recorded(roleActions.recordIdentityFound, {}, absent)).toEqual({
      identityFound: absent,
      identity: null,
    });
    expect(recorded(roleActions.recordIdentity, {}, identity)).toEqual({ identity });
  });

  test('why it halts, and where the bytes are kept', () => {
    expect(recorded(roleActions.recordFault, {}, fault)).toEqual({ halt });
    expect(recorded(roleActions.recordHaltFound, {}, halt)).toEqual({ recordedHalt: halt });
    expect(recorded(roleActions.restoreHalt, { recordedHalt: halt })).toEqual({ halt });
    expect(recorded(roleActions.recordHaltRecordFault, {}, fault)).toEqual({ haltRecordFault: fault });
    expect(recorded(roleActions.recordEvidence, { halt }, null)).toEqual({ evidenceFile: null });
    expect(recorded(roleActions.recordEvidence, { halt: null }, 'f')).toEqual({ evidenceFile: 'f' });
    expect(recorded(roleActions.recordEvidence, { halt }, 'f')).toEqual({
      evidenceFile: 'f',
      halt: { ...halt, evidence: { ...halt.evidence, bytes_kept_in: 'f' } },
    });
  });
});

describe('P5-I4: stage 2 records', () => {
  test('where received WAL ends, and what the primary says of itself', () => {
    expect(recorded(ingressActions.recordReceived, {}, 7)).toEqual({ receivedLsn: 7 });
    const met = { kind: 'unreachable', message: 'm' } as const;
    expect(recorded(ingressActions.recordMeeting, {}, met)).toEqual({ meeting: met });
    const began = { receipt: null, detachment: null };
    expect(recorded(ingressActions.recordAttachment, { primaryDurable: at(1) }, attached(at(2)))).toEqual({
      ...began,
      attachment: attached(at(2)),
      primaryDurable: at(2),
    });
    for (const answer of [attached(null), refused])
      expect(recorded(ingressActions.recordAttachment, { primaryDurable: at(1) }, answer)).toEqual({
        ...began,
        attachment: answer,
        primaryDurable: at(1),
      });
    for (const primary of [at(3), null])
      expect(recorded(ingressActions.recordReceipt, { primaryDurable: at(1) }, receipt({ primary }))).toEqual(
        {
          receipt: receipt({ primary }),
          primaryDurable: primary ?? at(1),
        },
      );
  });

  test('F-N1: why ingress is detached: the end of the stream before the answer that opened it', () => {
    const why = (patch: Partial<NodeContext>) => recorded(ingressActions.recordDetachment, patch).detachment;
    const ended = receipt({ ended: 'reset' });
    expect(why({ attachment: attached(null), receipt: ended })).toBe('reset');
    expect(why({ attachment: refused, receipt: ended })).toBe('reset');
    expect(why({ attachment: refused, receipt: receipt({}) })).toBe('WAL_PRUNED: gone by');
    expect(why({ attachment: refused })).toBe('WAL_PRUNED: gone by');
    expect(why({ attachment: attachment({ kind: 'unreachable', message: 'silent' }) })).toBe('silent');
    expect(why({ attachment: attached(null) })).toBe('the stream was not opened');
    expect(why({ attachment: null })).toBe('the stream was not opened');
  });
});

describe('P5-I5, P5-I6, P5-I11: stages 3 and 4 record', () => {
  const validation = { from: chain(1), to: chain(2), suspect: null, incompleteLsn: null };
  const range = (from: number, to: number) => ({ from: at(from), to: at(to) });

  test('what is proven, behind what waits already', () => {
    expect(recorded(validationActions.recordValidation, {}, validation)).toEqual({ validation });
    const waiting = { validated: chain(1), proven: [range(0, 1)] };
    expect(recorded(validationActions.recordValidated, { ...waiting, validation })).toEqual({
      validated: chain(2),
      proven: [range(0, 1), { from: chain(1), to: chain(2) }],
    });
    expect(recorded(validationActions.recordValidated, { ...waiting, validation: null })).toEqual({
      validated: chain(1),
    });
  });

  test('what is in flight, and what is applied', () => {
    const proven = [range(0, 1), range(1, 2)];
    expect(recorded(applicationActions.recordInFlight, { proven })).toEqual({
      inFlight: range(0, 1),
      proven: [range(1, 2)],
    });
    expect(recorded(applicationActions.recordInFlight, { proven: [] })).toEqual({
      inFlight: null,
      proven: [],
    });
    const application = { range: range(0, 1), checkpoint: checkpoint(1) };
    expect(recorded(applicationActions.recordApplication, {}, application)).toEqual({ application });
    const flying = { applied: checkpoint(0), inFlight: range(0, 1) };
    expect(recorded(applicationActions.recordApplied, { ...flying, application })).toEqual({
      applied: checkpoint(1),
      inFlight: null,
    });
    expect(recorded(applicationActions.recordApplied, { ...flying, application: null })).toEqual({
      applied: checkpoint(0),
      inFlight: null,
    });
  });
});

describe('P5-I8, P5-I9, P5-I11: stages 5 and 6 record', () => {
  const refusal = (message: string): Extract<ResumeFacts, { kind: 'refused' }> => ({
    kind: 'refused',
    code: 'UNAUTHORIZED',
    message,
    evidence: {},
  });
  const silence = { kind: 'unreachable', message: 'silent' } as const;
  const cut = { ...at(4), segmentIndex: 2 };

  test('what was fetched, read back, asked and installed', () => {
    const none: FetchFacts = { kind: 'none' };
    expect(recorded(bootstrapActions.recordFetched, {}, none)).toEqual({ fetched: none, detachment: null });
    expect(recorded(bootstrapActions.recordVerified, {}, 'facts')).toEqual({ verified: 'facts' });
    expect(recorded(bootstrapActions.recordResume, {}, silence)).toEqual({ resume: silence });
    const installed = { cut, checkpoint: checkpoint(4, 4) };
    expect(recorded(bootstrapActions.recordInstalled, {}, installed)).toEqual({ installed });
    expect(recorded(bootstrapActions.recordBootstrapped, { installed, identity })).toEqual({
      applied: checkpoint(4, 4),
      validated: chainAtCut(CLUSTER, cut),
      receivedLsn: 400,
    });
    expect(recorded(bootstrapActions.recordBootstrapped, { installed, identity: null })).toEqual({});
    expect(recorded(bootstrapActions.recordBootstrapped, { installed: null, identity })).toEqual({});
  });

  test('F-N1: why there is no snapshot', () => {
    const why = (fetched: FetchFacts | null, resume: ResumeFacts | null) =>
      recorded(bootstrapActions.recordNoSnapshot, { fetched, resume }).detachment;
    expect(why({ kind: 'none' }, silence)).toBe(
      'the primary has no snapshot: make one with "replichart snapshot create"',
    );
    expect(why(refusal('no'), silence)).toBe('UNAUTHORIZED: no');
    expect(why(silence, refusal('no'))).toBe('silent');
    expect(why(null, refusal('later'))).toBe('UNAUTHORIZED: later');
    expect(why(null, silence)).toBe('silent');
    expect(why(null, null)).toBe('the primary did not answer');
  });

  test('what recovery found, decided and did', () => {
    const { survey } = contextOf({});
    expect(recorded(recoveryActions.recordSurvey, {}, survey)).toEqual({ survey });
    expect(recorded(recoveryActions.recordPlan, { survey: null })).toEqual({ plan: null });
    const resume = { receivedLsn: 300, validated: chain(2), applied: checkpoint(2) };
    const repair = { resume, discardedPartials: [], discardedTail: null };
    expect(recorded(recoveryActions.recordRepair, {}, repair)).toEqual({ repair, ...resume });
    const nothing = { resume: null, discardedPartials: [], discardedTail: null };
    expect(recorded(recoveryActions.recordRepair, {}, nothing)).toEqual({ repair: nothing });
  });
});

describe('P5-I3: a route looks at one thing, and at both sides of its boundary', () => {
  const MIB8 = 8 * 1024 * 1024;
  const input = contextOf({}).input;
  const repair = (receivedLsn: number) => ({
    repair: {
      resume: { receivedLsn, validated: chain(2), applied: checkpoint(2) },
      discardedPartials: [],
      discardedTail: null,
    },
  });
  const plan = (outcome: 'bootstrap' | 'replicate') => ({ plan: { outcome, rule: null, steps: [] } });
  const unvalidated = (validated: number, receivedLsn: number | null, applied: number | null) => ({
    receivedLsn,
    validated: { ...chain(1), lsn: validated },
    applied: applied === null ? null : { ...checkpoint(1), lsn: applied },
  });
  const refusedFor = (code: 'HISTORY_DIVERGED' | 'POSITION_INVALID' | 'WAL_PRUNED' | 'UNAUTHORIZED') => ({
    resume: { kind: 'refused' as const, code, message: 'm', evidence: {} },
  });
  test.each<[keyof typeof nodeRoutes, Partial<NodeContext>, boolean]>([
    ['route identityIsPresent', { identityFound: { state: 'present', identity } }, true],
    ['route identityIsPresent', { identityFound: { state: 'absent', dataFiles: [] } }, false],
    ['route identityIsPresent', { identityFound: null }, false],
    ['route clusterIsKnown', { identity }, true],
    ['route clusterIsKnown', { identity: { ...identity, clusterId: UNBOUND_CLUSTER } }, false],
    ['route clusterIsKnown', { identity: null }, false],
    ['route replicationIsEnabled', {}, true],
    ['route replicationIsEnabled', { input: { ...input, replication: 'disabled' } }, false],
    ['route streamIsOpen', { attachment: attached(null) }, true],
    ['route streamIsOpen', { attachment: refused }, false],
    ['route streamIsOpen', { attachment: null }, false],
    ['route streamHasEnded', { receipt: receipt({ ended: 'reset' }) }, true],
    ['route streamHasEnded', { receipt: receipt({}) }, false],
    ['route streamHasEnded', { receipt: null }, false],
    ['route allReceivedIsValidated', { receivedLsn: 100, validated: chain(1) }, true],
    ['route allReceivedIsValidated', { receivedLsn: 101, validated: chain(1) }, false],
    ['route allReceivedIsValidated', { receivedLsn: 100, validated: null }, false],
    ['route unitsWereReceived', { receipt: receipt({}) }, true],
    ['route unitsWereReceived', { receipt: receipt({ units: 0 }) }, false],
    ['route unitsWereReceived', { receipt: null }, false],
    ['route somethingIsUnvalidated', unvalidated(100, 101, 100), true],
    ['route somethingIsUnvalidated', unvalidated(100, 100, 100), false],
    ['route somethingIsUnvalidated', unvalidated(100, null, 100), false],
    ['route somethingIsUnvalidated', { receivedLsn: 100, validated: null }, false],
    ['route somethingIsUnvalidated', unvalidated(MIB8 + 99, MIB8 + 200, 100), true],
    ['route somethingIsUnvalidated', unvalidated(MIB8 + 100, MIB8 + 200, 100), false],
    ['route somethingIsUnvalidated', unvalidated(MIB8 - 1, MIB8, null), true],
    ['route somethingIsUnvalidated', unvalidated(MIB8, MIB8 + 1, null), false],
    ['route somethingIsProven', { proven: [{ from: at(0), to: at(1) }] }, true],
    ['route somethingIsProven', { proven: [] }, false],
    ['route snapshotWasAnswered', { fetched: { kind: 'none' } }, false],
    ['route snapshotWasAnswered', { fetched: null }, false],
    [
      'route snapshotWasAnswered',
      { fetched: { kind: 'manifest damaged', snapshotId: '4', expected: 'a', found: 'b' } },
      true,
    ],
    ['route resumeWasAnswered', refusedFor('HISTORY_DIVERGED'), true],
    ['route resumeWasAnswered', refusedFor('POSITION_INVALID'), true],
    ['route resumeWasAnswered', refusedFor('WAL_PRUNED'), true],
    ['route resumeWasAnswered', refusedFor('UNAUTHORIZED'), false],
    ['route resumeWasAnswered', { resume: { kind: 'unreachable', message: 'm' } }, false],
    ['route resumeWasAnswered', { resume: null }, false],
    ['route planIsToBootstrap', plan('bootstrap'), true],
    ['route planIsToBootstrap', plan('replicate'), false],
    ['route planIsToBootstrap', { plan: null }, false],
    ['route nothingIsToReplay', { ...repair(200), applied: checkpoint(2) }, true],
    ['route nothingIsToReplay', { ...repair(201), applied: checkpoint(2) }, false],
    ['route nothingIsToReplay', { repair: null, applied: checkpoint(2) }, false],
    ['route applicationIsInFlight', { inFlight: { from: at(0), to: at(1) } }, true],
    ['route applicationIsInFlight', { inFlight: null }, false],
  ])('%s, case %#', (name, patch, expected) => {
    expect(nodeRoutes[name].holds(contextOf(patch))).toBe(expected);
  });
});

test('P5-I12: the guard of the gate of a node that knows nothing yet says so, and does not fail', () => {
  const context = contextOf({ identity: null, validated: null, applied: null, receivedLsn: null });
  const { evaluation, evidence } = readGateClaims['P5-I12 readsAreProven'].verdict(context);
  expect(evaluation).toBe('violated');
  expect(evidence).toMatchObject({
    'P5-I12 nodeIsActive': 'holds',
    'P5-I4 prefixHolds': 'undetermined',
    'P5-I12 viewIsApplied': 'undetermined',
  });
});

describe('P5-I1: a new identity is made of', () => {
  const claimed = (patch: Partial<NodeContext>, clusterId: string | null, nodeId: string | null) => {
    const context = contextOf({ input: { ...contextOf({}).input, clusterId, nodeId }, ...patch });
    const [invoke] = stateNodes(nodeMachine)
      .flatMap((node) => node.invoke)
      .filter(({ src }) => src === 'claimIdentity');
    return (invoke?.input as (args: { context: NodeContext }) => NodeInput)({ context });
  };
  const primary = { clusterId: OTHER_CLUSTER, formatVersion: 1, oldestLsn: 0, durable: at(3) };
  const met = { meeting: { kind: 'met', primary } } as const;
  const none = { meeting: null, identity: null };

  test.each([
    ['what is configured', { ...met, identity }, CLUSTER, 'n-9', CLUSTER, 'n-9'],
    ['the cluster that was met', { ...met, identity: null }, null, null, OTHER_CLUSTER, null],
    ['the node id that was there', { meeting: null, identity }, null, null, null, NODE],
    ['nothing at all', none, null, null, null, null],
  ])('%s', (_, patch, clusterId, nodeId, itsCluster, itsNode) => {
    expect(claimed(patch, clusterId, nodeId)).toEqual({
      ...contextOf({}).input,
      clusterId: itsCluster,
      nodeId: itsNode,
    });
  });
});
