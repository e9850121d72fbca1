import { setTimeout as wait } from 'node:timers/promises';
import type { DemoNode } from '../../demo/processes.ts';
import { startLoad } from '../load.ts';
import { rssBytes } from '../process-facts.ts';
import { medianOf } from '../statistics.ts';
import type { Surroundings } from '../workload.ts';
import { withReaders, type ReadFrom } from '../light-reader.ts';

export const CROWD = 50;
const LOAD = { connections: 1, commits_per_request: 100 } as const;
const SAMPLE_MILLISECONDS = 50;

/** What the replicas do: wait for commits that do not come, read a long WAL all at once, follow writes. */
export const CROWD_KINDS = ['idle', 'catching_up', 'following'] as const;
export type CrowdKind = (typeof CROWD_KINDS)[number];

export interface CrowdWindow {
  readonly replicas: number;
  /** What they have read in all. */
  readonly wal_bytes_read: number;
  /** The primary's resident memory, sample by sample; `null` where the system does not tell it. */
  readonly rss_bytes: { readonly median: number; readonly max: number } | null;
}

export interface CrowdRound {
  readonly round: number;
  readonly kind: CrowdKind;
  readonly alone: CrowdWindow;
  readonly crowd: CrowdWindow;
  /** How much more the primary has resident with the crowd than with one, for each that is more. */
  readonly rss_bytes_per_replica: number | null;
}

/**
 * The primary's memory with one replica and with fifty. Each round has a fresh primary process, because what a process
 * once had resident it gives back late or never: one that had fifty before would show no difference.
 */
export async function crowdRound(surroundings: Surroundings, round: number, kind: CrowdKind) {
  const { processes, documents, signal } = surroundings;
  const primary = await processes.start('primary-small', 'primary');
  const failing = new AbortController();
  const ended = AbortSignal.any([signal, failing.signal]);
  const load =
    kind === 'following'
      ? startLoad({ url: primary.url, first: documents, ...LOAD }, (error) => failing.abort(error))
      : null;
  try {
    const measuring = { ...surroundings, signal: ended };
    // What comes first fills the heap of the process, whoever is connected: it is not counted.
    await window(measuring, primary, 1, kind);
    const alone = await window(measuring, primary, 1, kind);
    const crowd = await window(measuring, primary, CROWD, kind);
    return roundOf(round, kind, alone, crowd);
  } catch (error) {
    // Where the load has failed, that is why everything else did.
    throw failing.signal.aborted ? failing.signal.reason : error;
  } finally {
    await load?.stop();
    await processes.end('primary-small');
  }
}

function roundOf(round: number, kind: CrowdKind, alone: CrowdWindow, crowd: CrowdWindow): CrowdRound {
  const [one, all] = [alone.rss_bytes, crowd.rss_bytes];
  return {
    round,
    kind,
    alone,
    crowd,
    rss_bytes_per_replica:
      one === null || all === null
        ? null
        : Math.round((all.median - one.median) / (crowd.replicas - alone.replicas)),
  };
}

function window(
  { processes, seconds, signal }: Surroundings,
  primary: DemoNode,
  count: number,
  kind: CrowdKind,
): Promise<CrowdWindow> {
  const from: ReadFrom = kind === 'catching_up' ? 'start' : 'end';
  return withReaders(primary.url, { count, from }, async (readers) => {
    const samples: (number | null)[] = [];
    const until = performance.now() + seconds * 1_000;
    while (performance.now() < until) {
      await wait(SAMPLE_MILLISECONDS, undefined, { signal });
      samples.push(await rssBytes(processes.pidOf(primary.name)));
    }
    const known = samples.filter((sample) => sample !== null);
    const median = medianOf(known);
    return {
      replicas: count,
      wal_bytes_read: readers.reduce((sum, reader) => sum + reader.bytes(), 0),
      rss_bytes: median === null ? null : { median, max: Math.max(...known) },
    };
  });
}
