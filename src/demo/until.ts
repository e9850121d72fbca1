import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { DemoFailure } from './failure.ts';

const WAIT_MS_MAX = 60_000;
const POLL_MS = 50;

/** Milliseconds, rounded, since a moment of `performance.now()`. */
export function since(began: number): number {
  return Math.round(performance.now() - began);
}

/** When it is no use to wait any more. */
export interface Patience<Seen> {
  /** What is waited for will not come. */
  readonly isHopeless?: (seen: Seen) => boolean;
  /** The time begins anew whenever this changes: what is on its way may take long. */
  readonly progress?: (seen: Seen) => unknown;
}

/** Looks again and again, for a bounded time. @throws DemoFailure with what it saw last. */
export async function until<Seen extends object>(
  what: string,
  look: () => Promise<Seen>,
  isSo: (seen: Seen) => boolean,
  { isHopeless = () => false, progress = () => null }: Patience<Seen> = {},
): Promise<Seen> {
  const began = performance.now();
  let [changed, before] = [began, null as unknown];
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (progress(seen) !== before) [changed, before] = [performance.now(), progress(seen)];
    if (isHopeless(seen) || performance.now() - changed > WAIT_MS_MAX)
      throw new DemoFailure(`waited ${since(began)} ms until ${what}: ${JSON.stringify(seen)}`);
    await pause(POLL_MS);
  }
}
