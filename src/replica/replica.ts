import { createActor, matchesState } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import { nodeMachine } from '../../machines/node.ts';
import type { NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';
import { effectFault } from '../core/halt.ts';
import { positionOf } from '../core/position.ts';
import { stateLine } from '../core/state-line.ts';
import { Fence } from '../io/fence.ts';
import { wrappedEffects } from '../node/effects.ts';
import { primaryPosition } from '../node/gauges.ts';
import { Pruner } from '../node/pruner.ts';
import type { NodePorts } from '../node/ports.ts';
import type { NodeSnapshot } from '../node/node-snapshot.ts';
import type { ServedNode } from '../node/served-node.ts';
import { nodeInput, observe, refusedStart, startNode, stopNode } from '../node/start.ts';
import { ReadGate } from '../node/read-gate.ts';
import { observerOf } from '../node/observer.ts';
import { replicaChart } from './chart.ts';
import { replicaActors } from './actors.ts';

/** A replica that runs: the chart and its effects joined. */
export interface ReplicaNode extends ServedNode {
  /** Attaches ingress again, if it is detached; what comes of it is a transition. */
  attach(): void;
}

/**
 * Starts a replica on its data directory.
 *
 * @throws ReplichartError when the start is refused; the directory is then as it was.
 */
export async function openReplica(config: NodeConfig, ports: NodePorts): Promise<ReplicaNode> {
  const fence = new Fence();
  const context = (): NodeContext => actor.getSnapshot().context;
  const effects = replicaActors(config, ports, fence, context);
  const observer = observerOf(config, ports, replicaChart.claims);
  const actor = createActor(
    nodeMachine.provide({
      actors: wrappedEffects(effects.actors, ports.wrapEffect),
    }),
    {
      input: nodeInput(config),
      inspect: observer.inspect,
    },
  );
  // A chart that fails leaves its effects running: the fence keeps them off the disk.
  actor.subscribe({ error: (error) => fence.close(error) });
  actor.subscribe({ error: observer.failed });
  const pruner = new Pruner({
    directory: effects.directory,
    node: async () => {
      const open = effects.open();
      const { identity, applied: at } = context();
      if (!matchesState('replicating', snapshot().value) || open === null || identity === null || at === null)
        throw new ReplichartError('READS_BLOCKED', 'only a replica that replicates can be pruned', {
          evidence: { state: stateLine(snapshot().value) },
        });
      const limits = { appliedLsn: at.lsn, oldestSnapshotLsn: null };
      return { clusterId: identity.clusterId, open, limits };
    },
    onFailure: (error) => {
      fence.close(error);
      actor.send({ type: 'storage.failed', fault: effectFault('prune', error) });
    },
  });
  // From replay on the node can say what it does; before that it may still turn out not to be its own.
  const started = await startNode(
    actor,
    (s) => !s.matches('initializing') && (!s.matches('recovering') || s.matches({ recovering: 'replaying' })),
    effects.release,
    observer.close,
  );
  const stop = async () => {
    await pruner.stop();
    await stopNode(actor, effects.release, observer.close);
  };
  if (started.matches({ halted: 'refusing' })) {
    await stop();
    throw refusedStart(started.context);
  }
  const snapshot = (): NodeSnapshot => actor.getSnapshot();
  const applied = () => {
    const { applied: checkpoint } = context();
    return checkpoint && positionOf(checkpoint);
  };
  const subscribe = (listener: (snapshot: NodeSnapshot) => void) =>
    observe(actor, () => listener(snapshot()));
  const { transitions, metrics } = observer;
  metrics.observe({
    snapshot,
    applied,
    segments: () => effects.open()?.wal.segments ?? null,
    flight: observer.flight,
  });
  const gate = new ReadGate({
    snapshot,
    applied,
    open: effects.open,
    subscribe,
    count: (outcome, reason) => {
      effects.pieces.asked();
      observer.countRead(outcome, reason);
    },
  });
  return {
    snapshot,
    applied,
    onApplied: (listener) => observe(actor, listener),
    primaryPosition: () => primaryPosition(context()),
    commit: async () => {
      throw new ReplichartError('WRITE_REFUSED', 'this node is a replica; only the primary makes commits');
    },
    gate,
    chart: replicaChart,
    files: effects.open,
    snapshots: effects.snapshots,
    transitions,
    metrics,
    prune: (request) => pruner.prune(request),
    attach: () => actor.send({ type: 'replica.attach' }),
    subscribe,
    stop,
  };
}
