import type { DemoNode } from '../demo/processes.ts';
import { createReplica, type NodeSnapshot, type Replica } from '../index.ts';
import { BenchFailure } from './failure.ts';

/** Starts a replica in this process, on a new directory; its log goes to a file beside it, as that of a process does. */
export function replicaHere(directory: string, primary: DemoNode): Promise<Replica> {
  return createReplica({
    dataDir: directory,
    primaryUrl: primary.url,
    replication: 'enabled',
    logFile: `${directory}.log`,
  });
}

/** Why nothing is to be waited for any more: the replica has halted, or lost its stream; `null` where it follows. */
export function lostIn({ context: { halt, detachment } }: NodeSnapshot): BenchFailure | null {
  if (halt !== null) return new BenchFailure(`the replica has halted: ${halt.message}`);
  return detachment === null ? null : new BenchFailure(`the replica has lost its primary: ${detachment}`);
}

/** Resolves at the transition after which the replica has applied a commit; the moment, in milliseconds. */
export function untilApplied(replica: Replica, commitId: number, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      unsubscribe();
      signal.removeEventListener('abort', abort);
      settle();
    };
    const look = () => {
      const lost = lostIn(replica.snapshot());
      if (lost !== null) end(() => reject(lost));
      else if ((replica.position()?.commitId ?? 0) >= commitId) end(() => resolve(performance.now()));
    };
    const abort = () => end(() => reject(signal.reason as Error));
    const unsubscribe = replica.subscribe(look);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else look();
  });
}
