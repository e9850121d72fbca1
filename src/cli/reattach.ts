import type { Replica } from '../api/create-replica.ts';
import { ReplichartError } from '../core/errors.ts';
import { stateLine } from '../core/state-line.ts';

/** Waits in milliseconds: before the first attempt after a loss, the second, and so on; the last one repeats. */
export type ReattachSchedule = readonly number[];

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

export function parseSchedule(text: string): ReattachSchedule {
  return text.split(',').map((part) => {
    const [, amount, unit] = /^(\d+)(ms|s|m|h)$/.exec(part.trim()) ?? [];
    const factor = UNIT_MS[unit ?? ''];
    if (amount === undefined || factor === undefined)
      throw new ReplichartError(
        'CONFIG_INVALID',
        `reattach is ${JSON.stringify(text)}: must be waits such as 1s,5s,30s`,
      );
    return Number(amount) * factor;
  });
}

/**
 * The operator's own schedule, outside the engine: the engine never attaches by itself. Every attempt is a transition
 * like one that was asked for by hand. Returns how to end it.
 */
export function reattach(replica: Replica, schedule: ReattachSchedule): () => void {
  let attempt = 0;
  let timer: NodeJS.Timeout | null = null;
  const look = () => {
    const state = stateLine(replica.snapshot().value);
    if (state.includes('ingesting.receiving')) attempt = 0;
    const isDetached = state.includes('ingesting.detached') || state === 'bootstrapping.detached';
    if (!isDetached || timer !== null) return;
    const wait = schedule[Math.min(attempt, schedule.length - 1)];
    attempt += 1;
    timer = setTimeout(() => {
      timer = null;
      replica.attach();
    }, wait);
  };
  const stop = replica.subscribe(look);
  look();
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}
