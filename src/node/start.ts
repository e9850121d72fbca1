import { waitFor, type AnyActorRef, type SnapshotFrom } from 'xstate';
import type { NodeContext, NodeInput } from '../../machines/context.ts';
import type { NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';

/** What the chart is told of the configuration. */
export function nodeInput({ role, replication, bootstrap, clusterId, nodeId }: NodeConfig): NodeInput {
  return { role, replication, bootstrap, clusterId: clusterId ?? null, nodeId: nodeId ?? null };
}

/** Why a start was refused, as the error that the host gets. */
export function refusedStart({ halt }: NodeContext): ReplichartError {
  if (halt === null) return new ReplichartError('START_FAILED', 'the node could not be started');
  const { code, message, action, evidence, invariant } = halt;
  return new ReplichartError(code, `${message} ${action}`, { evidence, invariant });
}

interface Matching {
  readonly status: string;
  matches(state: unknown): boolean;
}

/**
 * Stops a node. A halt that is being recorded is recorded first: the chart does not stop before, and is asked again. A
 * chart that has failed answers nobody: then what it holds is released without it. Its observer is closed last: it has
 * seen all there was to see.
 */
export async function stopNode(
  actor: AnyActorRef,
  release: () => Promise<void>,
  closeObserver: () => Promise<void>,
): Promise<void> {
  const recording = [{ halted: 'draining' }, { halted: 'preserving' }, { halted: 'recording' }];
  const now = () => actor.getSnapshot() as Matching;
  try {
    while (now().status === 'active' && !now().matches('stopped')) {
      await waitFor(actor, (snapshot: Matching) => !recording.some((state) => snapshot.matches(state)));
      actor.send({ type: 'node.stop' });
    }
    await waitFor(actor, (snapshot: Matching) => snapshot.matches({ stopped: 'closed' }));
  } catch (error) {
    if (now().status !== 'error') throw error;
    await release();
  } finally {
    await closeObserver();
  }
}

/** Waits for a start to come to an end; a chart that fails on the way leaves nothing open. */
export async function startNode<Actor extends AnyActorRef>(
  actor: Actor,
  isStarted: (snapshot: SnapshotFrom<Actor>) => boolean,
  release: () => Promise<void>,
  closeObserver: () => Promise<void>,
): Promise<SnapshotFrom<Actor>> {
  actor.start();
  try {
    return await waitFor(actor, isStarted);
  } catch (error) {
    try {
      await release();
    } finally {
      await closeObserver();
    }
    throw error;
  }
}

/** Calls the listener after every transition, and once more if the chart fails; returns how to end that. */
export function observe(actor: AnyActorRef, listener: () => void): () => void {
  const subscription = actor.subscribe({ next: listener, error: listener });
  return () => subscription.unsubscribe();
}
