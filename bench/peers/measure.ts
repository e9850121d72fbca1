import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { BenchFailure } from '../../src/bench/failure.ts';
import { rounded, summaryOf } from '../../src/bench/statistics.ts';
import type { CatchUp, Lag, LiveFollower } from './contestant.ts';

/** How often whether a follower has all of it is asked; the same for every contestant. */
export const POLL_MILLISECONDS = 10;
const MEMORY_MILLISECONDS = 250;
const WAIT_MILLISECONDS_MAX = 30 * 60 * 1_000;
const LAG_MILLISECONDS_MAX = 10_000;
const KIBIBYTE = 1_024;

/** Asks again and again until it is so; gives up loudly where it never is. */
export async function until(what: string, isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  while (!(await isSo())) {
    if (performance.now() - began > WAIT_MILLISECONDS_MAX)
      throw new BenchFailure(`${what} is not so after ${WAIT_MILLISECONDS_MAX} ms`);
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** By three moments of `performance.now()`. */
export function catchUpOf(
  documents: number,
  { spawned, ready, caughtUp }: Readonly<Record<'spawned' | 'ready' | 'caughtUp', number>>,
  peak: number | null,
): CatchUp {
  return {
    milliseconds: rounded(caughtUp - spawned),
    milliseconds_from_ready: rounded(caughtUp - ready),
    documents,
    docs_per_second: Math.round((documents / (caughtUp - spawned)) * 1_000),
    peak_memory_bytes: peak,
  };
}

/** One writer, one commit after the other; each is looked for on the follower as soon as it is acknowledged. */
export async function measureLag(
  follower: LiveFollower,
  { first, commits, signal }: { first: number; commits: number; signal: AbortSignal },
): Promise<Lag> {
  const samples = { lag: [] as number[], poll: [] as number[], write: [] as number[] };
  for (let n = first; n < first + commits; n += 1) {
    signal.throwIfAborted();
    const began = performance.now();
    await follower.write(n);
    const acknowledged = performance.now();
    samples.write.push(acknowledged - began);
    for (;;) {
      const asked = performance.now();
      const isVisible = await follower.isVisible(n);
      const answered = performance.now();
      samples.poll.push(answered - asked);
      if (isVisible) {
        samples.lag.push(answered - acknowledged);
        break;
      }
      if (answered - acknowledged > LAG_MILLISECONDS_MAX)
        throw new BenchFailure(`the follower does not have document ${n} after ${LAG_MILLISECONDS_MAX} ms`);
    }
  }
  return {
    commits,
    lag_milliseconds: summaryOf(samples.lag),
    poll_milliseconds: summaryOf(samples.poll),
    write_milliseconds: summaryOf(samples.write),
  };
}

/** Watches what a server and the processes that it has made hold together, memory that they share counted once. */
export function watchSharedMemory(pid: number): { peak(): Promise<number | null> } {
  const ending = new AbortController();
  let peak: number | null = null;
  const look = async () => {
    const bytes = await proportionalBytes(pid);
    if (bytes !== null) peak = Math.max(peak ?? 0, bytes);
  };
  const watching = (async () => {
    while (!ending.signal.aborted) {
      await look();
      await wait(MEMORY_MILLISECONDS, undefined, { signal: ending.signal }).catch(ignoreAbort);
    }
  })();
  return {
    async peak() {
      ending.abort();
      await watching;
      await look();
      return peak;
    },
  };
}

function ignoreAbort(error: unknown): void {
  if ((error as Error).name !== 'AbortError') throw error;
}

async function proportionalBytes(pid: number): Promise<number | null> {
  const children = await textOf(`/proc/${pid}/task/${pid}/children`);
  const pids = [String(pid), ...(children ?? '').split(' ').filter((one) => one !== '')];
  const sizes = await Promise.all(
    pids.map(async (one) => kibibytesIn(await textOf(`/proc/${one}/smaps_rollup`), 'Pss')),
  );
  const known = sizes.filter((size) => size !== null);
  return known.length === 0 ? null : known.reduce((sum, size) => sum + size, 0);
}

function kibibytesIn(text: string | null, name: string): number | null {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '') ?? [];
  return kibibytes === undefined ? null : Number(kibibytes) * KIBIBYTE;
}

/** A process may end while it is looked at, and other systems have no such files: then there is nothing to read. */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
