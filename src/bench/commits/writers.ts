import { setImmediate as giveWay } from 'node:timers/promises';
import type { Position } from '../../index.ts';
import { summaryOf, type Summary } from '../statistics.ts';

export interface Writing {
  readonly writers: number;
  readonly commits: number;
  readonly milliseconds: number;
  readonly commits_per_second: number;
  /** From the call to the acknowledgement, of each commit. */
  readonly commit_ms: Summary | null;
}

export interface WriterOptions {
  readonly writers: number;
  /** The number of the first document. */
  readonly first: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** So many writers for so long, each of which makes its next commit when the one before is acknowledged. */
export async function write(
  commit: (n: number) => Promise<Position>,
  { writers, first, seconds, signal }: WriterOptions,
): Promise<Writing> {
  let next = first;
  const times: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  const writer = async () => {
    for (let now = performance.now(); now < end && !signal.aborted;) {
      const n = next;
      next += 1;
      await commit(n);
      const then = performance.now();
      times.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  const milliseconds = performance.now() - began;
  // A signal is heard only where the event loop goes on.
  await giveWay();
  signal.throwIfAborted();
  return {
    writers,
    commits: times.length,
    milliseconds: Math.round(milliseconds),
    commits_per_second: Math.round((times.length / milliseconds) * 1_000),
    commit_ms: summaryOf(times),
  };
}
