import { waitFor, type AnyActorRef } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import { ReplichartError } from '../core/errors.ts';

/** Why a start was refused, as the error that the host gets. */
export function refusedStart({ halt }: NodeContext): ReplichartError {
  if (halt === null) return new ReplichartError('START_FAILED', 'the node could not be started');
  const { code, message, action, evidence, invariant } = halt;
  return new ReplichartError(code, `${message} ${action}`, { evidence, invariant });
}

interface Matching {
  matches(state: unknown): boolean;
}

/** Stops a node. A halt that is being recorded is recorded first: the chart does not stop before. */
export async function stopNode(actor: AnyActorRef): Promise<void> {
  const recording = [{ halted: 'draining' }, { halted: 'preserving' }, { halted: 'recording' }];
  await waitFor(actor, (snapshot: Matching) => !recording.some((state) => snapshot.matches(state)));
  actor.send({ type: 'node.stop' });
  await waitFor(actor, (snapshot: Matching) => snapshot.matches({ stopped: 'closed' }));
}
