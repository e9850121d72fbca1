/** For each claim of the charts a context in which it alone does not hold, and a chart that stands where it is asked. */
import {
  createActor,
  fromPromise,
  type AnyStateMachine,
  type AnyStateNode,
  type InspectionEvent,
  type StateValue,
} from 'xstate';
import { initialContext, type NodeContext } from '../../machines/context.ts';
import type { nodeMachine } from '../../machines/node.ts';
import type { Manifest } from '../../src/core/storage/manifest.ts';
import { chainAtCut, genesisChain, type UnitFacts } from '../../src/core/wal/chain.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { recordChart } from './chart-coverage.ts';
import { at, checkpoint, receipt } from './claim-parts.ts';
import { CLUSTER, NODE, OTHER_CLUSTER } from './nodes.ts';
import { recordedWal } from './sources.ts';
import { flipped, forged, unitsOf } from './wal-forge.ts';

const wal = await recordedWal(3);
const header = { lsn: 0 };
const first = { lsn: unitsOf(wal)[1]?.lsn ?? 0 };

function suspectIn(bytes: Buffer): UnitFacts {
  const { stop } = ProvenBatch.prove(genesisChain(CLUSTER), bytes);
  if (stop?.kind !== 'suspect') throw new Error('the forgery was not found');
  return stop.facts;
}
const frame = (change: (unit: Buffer) => void) => suspectIn(forged(wal, first.lsn, change));

const chain = genesisChain(CLUSTER);
const identity = { formatVersion: 1, clusterId: CLUSTER, nodeId: NODE, role: 'replica' as const };
const present = (change: Partial<typeof identity>) => ({
  identityFound: { state: 'present' as const, identity: { ...identity, ...change } },
});
const met = (formatVersion: number, clusterId: string) => ({
  meeting: { kind: 'met' as const, primary: { clusterId, formatVersion, oldestLsn: 0, durable: at(0) } },
});
const validation = (suspect: UnitFacts | null, incompleteLsn: number | null = null) => ({
  validation: { from: chain, to: chain, suspect, incompleteLsn },
});
const survey = (change: Partial<NonNullable<NodeContext['survey']>>) => ({
  survey: {
    checkpoint: { state: 'intact' as const, value: checkpoint(1) },
    wal: { segments: 1, startLsn: 0, endLsn: 100, discontinuity: null },
    base: { state: 'not needed' as const, cutCommitId: null },
    partials: [],
    prefix: { state: 'proven' as const, chain },
    tail: { provenTo: chain, stop: null, validUnitAfterLsn: null },
    ...change,
  },
});
const cut = { ...at(4), segmentIndex: 1 };
const snapshot: Omit<Manifest, 'blocks'> = {
  snapshotId: '4',
  clusterId: CLUSTER,
  cut,
  stateDigest: '00'.repeat(32),
  versions: 1,
  keys: 1,
  bytes: 300,
};
export const fetched = (change: object) => ({
  fetched: { kind: 'fetched' as const, clusterId: CLUSTER, snapshot, blocks: 1, blockFault: null, ...change },
});

/** For each claim, a context in which it does not hold. */
export const broken: Record<string, Partial<NodeContext>> = {
  'P5-I11 identityIsReadable': { identityFound: { state: 'damaged', expected: 'a', found: 'b' } },
  'P5-I1 formatIsKnown': present({ formatVersion: 9 }),
  'P5-I1 roleIsUnchanged': present({ role: 'primary' as never }),
  'P5-I1 clusterIsUnchanged': present({ clusterId: OTHER_CLUSTER }),
  'P5-I1 nodeIsUnchanged': present({ nodeId: OTHER_CLUSTER }),
  'P5-I10 primaryIsMet': { meeting: { kind: 'unreachable', message: 'gone' } },
  'P5-I1 formatIsShared': met(2, CLUSTER),
  'P5-I1 primaryIsOfOurCluster': met(1, OTHER_CLUSTER),
  'P5-I11 checkpointIsIntact': survey({ checkpoint: { state: 'damaged', bytes: '' } }),
  'P5-I8 baseIsInPlace': survey({ base: { state: 'missing', cutCommitId: 4 } }),
  'P5-I4 prefixIsProven': survey({ prefix: { state: 'broken', evidence: {} } }),
  'P5-I11 tailIsTornAtMost': survey({ tail: { provenTo: chain, stop: null, validUnitAfterLsn: 7 } }),
  'P5-I4 historyIsThePrimarys': {
    attachment: {
      clusterId: CLUSTER,
      requested: at(1),
      answer: { kind: 'refused', code: 'HISTORY_DIVERGED', message: 'm', evidence: {} },
    },
  },
  'P5-I4 streamIsOurs': {
    attachment: {
      clusterId: CLUSTER,
      requested: at(1),
      answer: { kind: 'attached', clusterId: OTHER_CLUSTER, startLsn: 100, durable: null },
    },
  },
  'P5-I4 receivedIsInOrder': {
    receipt: receipt({ fromLsn: 6 }),
  },
  'P5-I11 receivedIsStillThere': validation(null, 10),
  'P5-I5 unitIsFramed': validation(frame((unit) => unit.writeUInt32LE(9, 28))),
  'P5-I5 checksumMatches': validation(suspectIn(flipped(wal, (first.lsn + 80) * 8))),
  'P5-I4 clusterIsOurs': validation(suspectIn(forged(wal, header.lsn, (unit) => unit.fill(7, 16, 32)))),
  'P5-I4 unitIsInOrder': validation(frame((unit) => unit.writeBigUInt64LE(7n, 8))),
  'P5-I4 historyIsContinuous': validation(frame((unit) => unit.fill(7, 32, 64))),
  'P5-I6 commitIdsAreDense': validation(frame((unit) => unit.writeBigUInt64LE(9n, 16))),
  'P5-I5 payloadIsWellFormed': validation(frame((unit) => unit.writeUInt16LE(0, 90))),
  'P5-I5 batchIsProven': {
    applied: checkpoint(0),
    validated: { ...chain, lsn: 50 },
    proven: [{ from: at(0), to: at(1) }],
  },
  'P5-I4 batchFollowsApplied': {
    applied: checkpoint(0),
    validated: { ...chain, lsn: 900 },
    proven: [{ from: at(1), to: at(2) }],
  },
  'P5-I6 appliedIsAsProven': {
    inFlight: { from: at(0), to: at(1) },
    application: { range: { from: at(0), to: at(1) }, checkpoint: checkpoint(2) },
  },
  'P5-I8 manifestIsIntact': {
    fetched: { kind: 'manifest damaged', snapshotId: '4', expected: 'a', found: 'b' },
  },
  'P5-I8 snapshotIsOfOurCluster': fetched({ clusterId: OTHER_CLUSTER }),
  'P5-I8 blocksAreIntact': fetched({ blockFault: { block: 0, expected: {}, found: {} } }),
  'P5-I8 baseIsWhole': {
    verified: { snapshot, header: null, fault: null, stateDigest: '', versions: 1, keys: 1, bytes: 300 },
  },
  'P5-I9 walResumesAtTheCut': { resume: { kind: 'refused', code: 'WAL_PRUNED', message: 'm', evidence: {} } },
  'P5-I8 installedIsTheCut': { installed: { cut, checkpoint: checkpoint(5) } },
};

export const contextOf = (patch: Partial<NodeContext>): NodeContext => ({
  ...initialContext({
    role: 'replica',
    replication: 'enabled',
    bootstrap: 'wal',
    clusterId: CLUSTER,
    nodeId: NODE,
  }),
  identity,
  receivedLsn: 0,
  validated: chainAtCut(CLUSTER, { ...at(0), segmentIndex: 0 }),
  applied: checkpoint(0),
  ...patch,
});

/** A state as a value; regions that are not spoken of rest. */
export function valueOf(node: AnyStateNode): StateValue {
  const path = node.path;
  const nested = (keys: readonly string[]): StateValue => {
    const [key = '', ...rest] = keys;
    return rest.length === 0 ? key : { [key]: nested(rest) };
  };
  if (path[0] !== 'replicating' || path.length === 1) return nested(path);
  const rest = { ingesting: 'detached', validating: 'idle', applying: 'idle', readGate: 'closed' };
  return { replicating: { ...rest, [path[1] as string]: nested(path.slice(2)) } };
}

const never = fromPromise<never, never>(() => new Promise(() => undefined));

/** A chart that stands in a state and has no effect running; told one event. */
export function step(
  machine: AnyStateMachine,
  node: AnyStateNode,
  event: { type: string },
  patch: Partial<NodeContext> = {},
  inspect: (inspection: InspectionEvent) => void = () => undefined,
) {
  const silent = machine.provide({
    actors: Object.fromEntries(Object.keys(machine.implementations.actors).map((name) => [name, never])),
  } as never) as typeof nodeMachine;
  const actor = createActor(silent, {
    snapshot: silent.resolveState({ value: valueOf(node), context: contextOf(patch) }),
    input: contextOf(patch).input,
    inspect: (inspection) => {
      recordChart(inspection);
      inspect(inspection);
    },
  });
  actor.start();
  actor.send(event as never);
  const { value, context } = actor.getSnapshot();
  actor.stop();
  return { top: typeof value === 'string' ? value : Object.keys(value)[0], value, context };
}
