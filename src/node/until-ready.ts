import { matchesState } from 'xstate';
import { blockingChecks } from '../core/read-safety.ts';
import { grows } from './grows.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import type { ServedNode } from './served-node.ts';

/**
 * Waits until a read of the newest view would be admitted.
 *
 * @throws ReplichartError the refusal, where the node will not admit one any more without somebody doing something.
 */
export async function untilReady(
  node: ServedNode,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  signal.throwIfAborted();
  const isReady = () => blockingChecks(node.gate.facts()).length === 0;
  await grows(
    () => isReady() || hasEnded(node.snapshot()),
    (listener) => node.onApplied(listener),
    null,
    signal,
  );
  signal.throwIfAborted();
  // Admitted, or refused with the reason.
  await node.gate.read(async () => undefined);
}

/** Whether a node has halted, stopped or failed: it serves nothing until somebody does something. */
export function hasEnded({ status, value, context }: NodeSnapshot): boolean {
  return status !== 'active' || context.halt !== null || matchesState('stopped', value);
}
