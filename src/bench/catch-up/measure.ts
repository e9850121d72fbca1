import type { DemoNode, Processes } from '../../demo/processes.ts';
import { cpuMilliseconds, peakRssBytes } from '../process-facts.ts';
import { untilReadSafe } from '../read-safe.ts';
import { rounded } from '../statistics.ts';

/** One replica process: from its spawn to the moment at which a read of the asked view was admitted. */
export interface CatchUp {
  readonly documents: number;
  /** From the spawn of the process. */
  readonly milliseconds: number;
  /** From the line in which it says that it has started; loading the program is not in it. */
  readonly milliseconds_from_start: number;
  /** By the time from the spawn. */
  readonly docs_per_second: number;
  readonly docs_per_second_from_start: number;
  /** At the end of the timed part; `null` where the system does not tell it, as for processor time. */
  readonly peak_rss_bytes: number | null;
  /** Of all threads, from the spawn on. */
  readonly cpu_milliseconds: number | null;
}

export interface CatchUpOptions {
  /** Names its directory too: a new name is an empty replica. */
  readonly name: string;
  readonly primary: DemoNode;
  /** The view that a read is to be admitted for. */
  readonly commitId: number;
  /** What there is to catch up with, if that is not one document a commit. */
  readonly documents?: number;
  /** Flags of `replichart replica` beyond its primary. */
  readonly flags?: readonly string[];
  /** Flags of node itself. */
  readonly nodeFlags?: readonly string[];
  /** Called when the time has been taken, while the replica still runs; what it throws ends the run. */
  readonly then?: (replica: DemoNode, timing: Timing) => Promise<void>;
}

/** Moments of the clock that `process.hrtime` and the profiles of node are of. */
export interface Timing {
  readonly started: bigint;
  readonly readSafe: bigint;
}

/** Starts a replica process and measures how it becomes read-safe; it has ended when this returns. */
export async function measureCatchUp(
  { processes, signal }: { readonly processes: Processes; readonly signal: AbortSignal },
  options: CatchUpOptions,
): Promise<CatchUp> {
  const { name, primary, commitId, documents = commitId, flags = [], nodeFlags = [], then } = options;
  const spawned = process.hrtime.bigint();
  const replica = await processes.start(name, 'replica', {
    flags: ['--primary', primary.url, ...flags],
    nodeFlags,
  });
  const started = process.hrtime.bigint();
  await untilReadSafe(replica, commitId, signal);
  const readSafe = process.hrtime.bigint();
  const pid = processes.pidOf(name);
  const [peak, cpu] = [await peakRssBytes(pid), await cpuMilliseconds(pid)];
  await then?.(replica, { started, readSafe });
  await processes.end(name);
  const [whole, fromStart] = [millisecondsOf(readSafe - spawned), millisecondsOf(readSafe - started)];
  return {
    documents,
    milliseconds: whole,
    milliseconds_from_start: fromStart,
    docs_per_second: Math.round((documents / whole) * 1_000),
    docs_per_second_from_start: Math.round((documents / fromStart) * 1_000),
    peak_rss_bytes: peak,
    cpu_milliseconds: cpu,
  };
}

function millisecondsOf(nanoseconds: bigint): number {
  return rounded(Number(nanoseconds) / 1e6);
}
