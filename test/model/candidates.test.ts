/**
 * What is said of the next step is what the chart does: the candidates are compared with XState's own selection, on
 * every step of nodes at work and on every state of both charts.
 */
import {
  createMachine,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type InspectionEvent,
  type StateValue,
} from 'xstate';
import { beforeAll, describe, expect, test } from 'vitest';
import { candidatesOf } from '../../machines/candidates.ts';
import { chartOf, stateNodes, transitionId } from '../../machines/chart.ts';
import { initialContext, type NodeContext } from '../../machines/context.ts';
import { nodeClaims, nodeMachine, nodeRoutes } from '../../machines/node.ts';
import { primaryClaims, primaryMachine, primaryRoutes } from '../../machines/primary.ts';
import { explainMachine as explainBy } from '../../src/node/explain-machine.ts';
import { primaryChart } from '../../src/primary/chart.ts';
import { replicaChart } from '../../src/replica/chart.ts';
import type { Role } from '../../src/core/identity.ts';
import type { NodeSnapshot, Primary, Replica } from '../../src/index.ts';
import { recordChart } from '../support/chart-coverage.ts';
import {
  CLUSTER,
  NODE,
  OTHER_CLUSTER,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedCommit, detached, inState, until } from '../support/replicas.ts';

const chartFor = (role: Role) => (role === 'primary' ? primaryChart : replicaChart).chart();
const explainMachine = (snapshot: NodeSnapshot) =>
  explainBy(snapshot.context.input.role === 'primary' ? primaryChart : replicaChart, snapshot);

interface Step {
  readonly before: AnyMachineSnapshot;
  readonly event: string;
  readonly taken: readonly string[];
}

/** Everything that the nodes of this file go through. */
const walked = { steps: [] as Step[], rests: [] as AnyMachineSnapshot[] };

/** An inspector for one node. */
function walker(): (inspection: InspectionEvent) => void {
  let before: AnyMachineSnapshot | null = null;
  return (inspection) => {
    recordChart(inspection);
    if (inspection.type !== '@xstate.microstep' && inspection.type !== '@xstate.snapshot') return;
    const snapshot = inspection.snapshot as AnyMachineSnapshot;
    if (!('machine' in snapshot)) return;
    if (inspection.type === '@xstate.snapshot') walked.rests.push(snapshot);
    else {
      const { _transitions: transitions, event } = inspection;
      const isEventless = transitions.some(({ eventType }) => (eventType as string) === '');
      if (before !== null)
        walked.steps.push({
          before,
          event: isEventless ? 'always' : event.type,
          taken: transitions.map(transitionId),
        });
      before = snapshot;
    }
  };
}

const allowedOf = (snapshot: NodeSnapshot, event: string) =>
  explainMachine(snapshot).candidates.flatMap((candidate) =>
    candidate.allowed && candidate.event === event ? [candidate.transition] : [],
  );

let primary: Primary;
let replica: Replica;
let atWork: { readonly primary: NodeSnapshot; readonly replica: NodeSnapshot };

/** A primary that recovers; a replica that follows, loses its primary and starts again; one from a snapshot; one refused. */
beforeAll(async () => {
  const dataDir = await temporaryDirectory();
  const replicaDir = await temporaryDirectory();
  const ofPrimary = {
    dataDir,
    clusterId: CLUSTER,
    nodeId: NODE,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  } as const;
  primary = await startPrimary(ofPrimary, { inspect: walker() });
  await primary.commit([put('a', '1')]);
  await primary.stop();
  primary = await startPrimary(ofPrimary, { inspect: walker() });
  for (const document of ['2', '3']) await primary.commit([put('a', document)]);
  const ofReplica = { primaryUrl: primary.url as string, replication: 'enabled' } as const;
  const first = await startReplica({ ...ofReplica, dataDir: replicaDir }, { inspect: walker() });
  await appliedCommit(first, 3);
  await first.stop();
  await primary.createSnapshot();
  const booted = await startReplica(
    { ...ofReplica, dataDir: await temporaryDirectory(), bootstrap: 'snapshot' },
    { inspect: walker() },
  );
  await appliedCommit(booted, 3);
  await booted.stop();
  const refused = startReplica(
    { ...ofReplica, dataDir: await temporaryDirectory(), clusterId: OTHER_CLUSTER },
    { inspect: walker() },
  );
  expect(await rejection(refused)).toMatchObject({ code: 'CLUSTER_CHANGED' });
  replica = await startReplica({ ...ofReplica, dataDir: replicaDir }, { inspect: walker() });
  await primary.commit([put('a', '4')]);
  await appliedCommit(replica, 4);
  await until(replica, inState('replicating.readGate.open'));
  atWork = { primary: primary.snapshot(), replica: replica.snapshot() };
  await primary.stop();
  await detached(replica);
  await replica.stop();
});

describe('P5-I3: what is allowed is what the chart takes', () => {
  test('on every step of nodes at work', () => {
    const { steps } = walked;
    // Regions that move in one microstep are listed by XState in the order in which they were entered.
    const said = steps.map(({ before, event }) =>
      allowedOf(before as unknown as NodeSnapshot, event).toSorted(),
    );
    expect(said).toEqual(steps.map(({ taken }) => taken.toSorted()));
    expect(steps.length).toBeGreaterThan(100);
    expect(new Set(steps.flatMap(({ taken }) => taken)).size).toBeGreaterThan(50);
  });

  test('where a node rests, no eventless transition is allowed', () => {
    expect(walked.rests.length).toBeGreaterThan(50);
    for (const rest of walked.rests) expect(allowedOf(rest as unknown as NodeSnapshot, 'always')).toEqual([]);
  });

  test.each([
    ['the node chart', 'replica', nodeMachine as AnyStateMachine],
    ['the chart of a primary', 'primary', primaryMachine as AnyStateMachine],
  ] as const)('in every state of %s and for every event', (_name, role, machine) => {
    const events = [...new Set(chartFor(role).transitions.map(({ event }) => event))].filter(
      (event) => event !== 'always' && event !== 'initial',
    );
    const leaves = stateNodes(machine).filter((node) => Object.keys(node.states).length === 0);
    for (const value of leaves.map(valueOf))
      for (const context of contextsOf(role)) {
        const snapshot = machine.resolveState({ value, context }) as AnyMachineSnapshot;
        for (const event of events)
          expect([value, event, allowedOf(snapshot as unknown as NodeSnapshot, event)]).toEqual([
            value,
            event,
            machine.getTransitionData(snapshot, { type: event }).map(transitionId),
          ]);
      }
  });
});

describe('P5-I14: a candidate is shown with its verdict', () => {
  const at = (role: 'primary' | 'replica', value: StateValue, patch: Partial<NodeContext>): NodeSnapshot => ({
    status: 'active',
    value,
    context: { ...contextFor(role), ...patch },
  });

  test('of a claim that does not hold, the halt is what is allowed', () => {
    const identity = { formatVersion: 9, clusterId: CLUSTER, nodeId: NODE, role: 'primary' } as const;
    const snapshot = at(
      'primary',
      { initializing: 'provingFormat' },
      { identityFound: { state: 'present', identity } },
    );
    const context = snapshot.context;
    const { rule, description, evaluation, evidence } = primaryClaims['P5-I1 formatIsKnown'].verdict(context);
    expect(evaluation).toBe('violated');
    const source = 'node.initializing.provingFormat';
    expect(explainMachine(snapshot)).toEqual({
      machine_state: 'initializing.provingFormat',
      replica_state: 'Initializing',
      status: 'active',
      chart_id: 'primary',
      candidates: [
        {
          transition: `${source} -- always [0]`,
          source,
          event: 'always',
          targets: ['node.initializing.provingRole'],
          guard: rule,
          verdict: { rule_id: rule, description, evaluation, evidence },
          allowed: false,
        },
        {
          transition: `${source} -- always [1]`,
          source,
          event: 'always',
          targets: ['node.halted.refusing'],
          guard: null,
          verdict: null,
          allowed: true,
        },
        ...rootCandidates(true),
      ],
    });
  });

  test('missing evidence is undetermined, and allows nothing', () => {
    const [first] = explainMachine(at('primary', { recovering: 'provingTail' }, {})).candidates;
    expect(first).toMatchObject({ verdict: { evaluation: 'undetermined' }, allowed: false });
  });

  test('a route has a verdict, and no evidence but itself', () => {
    const [first, second] = explainMachine(at('replica', { initializing: 'routing' }, {})).candidates;
    expect([first, second]).toMatchObject([
      {
        guard: 'route clusterIsKnown',
        verdict: {
          rule_id: 'route clusterIsKnown',
          description: 'The identity names a cluster.',
          evaluation: 'violated',
          evidence: { role: 'replica', replication: 'enabled', proven_batches: 0, stream: null },
        },
        allowed: false,
      },
      { guard: 'route replicationIsEnabled', verdict: { evaluation: 'holds' }, allowed: true },
    ]);
  });

  test('inner states come before the states around them, regions in document order', () => {
    const sources = explainMachine(atWork.replica).candidates.map(({ source }) => source);
    expect([...new Set(sources)]).toEqual([
      'node.replicating.ingesting.receiving',
      'node.replicating.validating.idle',
      'node.replicating.applying.idle',
      'node.replicating.readGate.open',
      'node',
    ]);
  });

  test('the root answers an event only where no inner state does', () => {
    const value = {
      replicating: { ingesting: 'detached', validating: 'idle', applying: 'idle', readGate: 'closed' },
    };
    const attach = explainMachine(at('replica', value, {})).candidates.filter(
      ({ event }) => event === 'replica.attach',
    );
    expect(attach.map(({ source, targets, allowed }) => ({ source, targets, allowed }))).toEqual([
      {
        source: 'node.replicating.ingesting.detached',
        targets: ['node.replicating.ingesting.settling'],
        allowed: true,
      },
      { source: 'node', targets: [], allowed: false },
    ]);
  });

  test('a primary at work can be stopped, or fail', () => {
    expect(explainMachine(atWork.primary)).toEqual({
      machine_state: 'disabled',
      replica_state: 'Disabled',
      status: 'active',
      chart_id: 'primary',
      candidates: rootCandidates(true),
    });
  });

  test.each(['error', 'done', 'stopped'] as const)(
    'P5-I10: a chart whose status is %s takes nothing',
    (status) => {
      const active = explainMachine(atWork.replica).candidates;
      expect(explainMachine({ ...atWork.replica, status })).toEqual({
        ...explainMachine(atWork.replica),
        status,
        candidates: active.map((candidate) => ({ ...candidate, allowed: false })),
      });
      expect(active.some(({ allowed }) => allowed)).toBe(true);
    },
  );

  test('the same snapshot gives the same bytes', () => {
    for (const snapshot of [atWork.primary, atWork.replica]) {
      const { status, value, context } = snapshot;
      const copy = structuredClone({ status, value, context });
      expect(JSON.stringify(explainMachine(copy))).toBe(JSON.stringify(explainMachine(snapshot)));
    }
  });
});

describe('P5-I3: every guard is a claim or a route', () => {
  test.each([
    ['the node chart', 'replica', nodeClaims, nodeRoutes],
    ['the chart of a primary', 'primary', primaryClaims, primaryRoutes],
  ] as const)('of %s, and none is left over', (_name, role, claims, routes) => {
    const guards = chartFor(role).transitions.flatMap(({ guard }) => (guard === null ? [] : [guard]));
    expect([...new Set(guards)].sort()).toEqual([...Object.keys(claims), ...Object.keys(routes)].sort());
    const described = Object.values(routes).map(({ description }) => description);
    expect(described.filter((text) => !/^[A-Z].*\.$/.test(text))).toEqual([]);
  });

  test('a guard that is neither, and a state that the chart does not have, are bugs', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { always: { guard: 'route nowhere', target: 'b' } }, b: {} },
    });
    const explain = (value: string) =>
      candidatesOf(chartOf(machine), { status: 'active', value, context: contextFor('replica') }, {}, {});
    expect(() => explain('a')).toThrow('the guard route nowhere is a claim or a route');
    expect(() => explain('c')).toThrow('every state of "c" is of the chart');
    expect(explain('b')).toEqual([]);
  });
});

/** What the root of the chart of a primary answers. */
function rootCandidates(allowed: boolean) {
  const root = { source: 'node', guard: null, verdict: null, allowed };
  return [
    { ...root, transition: 'node -- node.stop [0]', event: 'node.stop', targets: ['node.stopped'] },
    { ...root, transition: 'node -- storage.failed [0]', event: 'storage.failed', targets: ['node.halted'] },
  ];
}

function contextFor(role: 'primary' | 'replica'): NodeContext {
  const replication = 'enabled';
  return initialContext({ role, replication, bootstrap: 'wal', clusterId: CLUSTER, nodeId: NODE });
}

/** An empty context, and some of those that nodes at work had: each tenth. */
function contextsOf(role: 'primary' | 'replica'): readonly NodeContext[] {
  const met = walked.rests
    .map(({ context }) => context as NodeContext)
    .filter(({ input }) => input.role === role);
  return [contextFor(role), ...new Set(met.filter((_, index) => index % 10 === 0))];
}

/** A state as a value; regions that are not spoken of rest. */
function valueOf(node: AnyStateNode): StateValue {
  const [first, region, ...inner] = node.path;
  const nested = (keys: readonly string[]): StateValue => {
    const [key = '', ...rest] = keys;
    return rest.length === 0 ? key : { [key]: nested(rest) };
  };
  if (first !== 'replicating' || region === undefined) return nested(node.path);
  const rest = { ingesting: 'detached', validating: 'idle', applying: 'idle', readGate: 'closed' };
  return { replicating: { ...rest, [region]: nested(inner) } };
}
