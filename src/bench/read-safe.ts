import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../cli/client.ts';
import { ReplichartError } from '../core/errors.ts';
import type { DemoNode } from '../demo/processes.ts';
import { getDocument } from '../http/contract/data.ts';
import { getReplication } from '../http/contract/dx.ts';
import { BenchFailure } from './failure.ts';
import { COLLECTION, documentKey } from './w1.ts';

const PAUSE_MILLISECONDS = { min: 2, unknown: 10, max: 200 } as const;
/** Asked again after this part of the time that is left at the pace so far: seldom at first, closely at the end. */
const PART_OF_REST = 0.25;

/**
 * Waits until a replica admits a read of the view of a commit id. It is asked seldom, because being asked takes from
 * the very thread that catches up.
 *
 * @throws BenchFailure when the replica halts or loses its stream: it would never get there.
 */
export async function untilReadSafe(replica: DemoNode, commitId: number, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const applied = await appliedOf(replica);
    if (applied >= commitId && (await admits(replica, commitId))) return;
    const rest = (commitId - applied) * ((performance.now() - began) / applied);
    const pause = applied === 0 ? PAUSE_MILLISECONDS.unknown : rest * PART_OF_REST;
    await wait(Math.min(PAUSE_MILLISECONDS.max, Math.max(PAUSE_MILLISECONDS.min, pause)), undefined, {
      signal,
    });
  }
}

async function appliedOf({ name, url }: DemoNode): Promise<number> {
  const { data } = await ask(url, getReplication, {});
  const { replica_state: state, replica_commit_id: applied, failure, detachment } = data;
  if (failure === null && detachment === null) return applied ?? 0;
  throw new BenchFailure(`${name} is ${state}: ${JSON.stringify(failure ?? detachment)}`);
}

/** That there is such a document or not is the same to the gate. */
async function admits({ url }: DemoNode, commitId: number): Promise<boolean> {
  try {
    await ask(
      url,
      getDocument,
      {},
      { params: { collection: COLLECTION, id: documentKey(0) }, query: { at: commitId } },
    );
    return true;
  } catch (error) {
    if (error instanceof ReplichartError && ['READS_BLOCKED', 'VIEW_ABOVE_APPLIED'].includes(error.code))
      return false;
    throw error;
  }
}
