import type { WriteCounters } from '../node/counters.ts';
import { unfailing } from '../node/unfailing.ts';
import type { WritePath } from './write-path.ts';

/** Counts from here on what the write path makes durable. A counter that fails is no failed write. */
export function countWrites(path: WritePath, counters: WriteCounters | null): void {
  let before = path.durable;
  path.onDurable(
    unfailing('the counting of writes', () => {
      counters?.count(before, path.durable);
      before = path.durable;
    }),
  );
}
