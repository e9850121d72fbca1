import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../../cli/client.ts';
import { postCommits } from '../../http/contract/data.ts';
import { positionOf, type Pair } from '../dx/windows.ts';
import { cpuMilliseconds } from '../process-facts.ts';
import { rounded } from '../statistics.ts';
import { commitsBody } from '../w1.ts';

const POLL_MILLISECONDS = 10;

/** Whether the replica of a window keeps a journal. */
export const RECORDERS = ['disabled', 'enabled'] as const;
export type Recorder = (typeof RECORDERS)[number];

export interface Pace {
  readonly commits: number;
  readonly milliseconds: number;
  readonly commits_per_second: number;
  /** Processor time of the replica for one commit; `null` where the system does not tell it. */
  readonly cpu_microseconds_per_commit: number | null;
}

/** What one replica did: how fast it caught up with what was there, then how fast it followed single commits. */
export interface FlightWindow {
  readonly round: number;
  readonly recorder: Recorder;
  readonly catch_up: Pace;
  readonly following: Pace;
  /** The single commits that the journal tells of. */
  readonly journal_commits: number;
  /** What the journal takes in the end; `null` without one. */
  readonly journal_bytes: number | null;
}

export interface MeasuredPair extends Pair {
  /** Of the replica. */
  readonly pid: number | undefined;
}

/** From the moment at which a new replica says that it has started to the one at which it has all there was. */
export async function catchUp(pair: MeasuredPair, signal: AbortSignal): Promise<Pace> {
  const began = await beginning(pair);
  const { commit_id: commits } = await positionOf(pair.primary);
  await applied(pair, commits, signal);
  return paceOf(pair, commits, began);
}

/** Single commits for so long, until the replica has the last of them too. */
export async function follow(pair: MeasuredPair, seconds: number, signal: AbortSignal): Promise<Pace> {
  const { commit_id: first } = await positionOf(pair.primary);
  const began = await beginning(pair);
  let commits = 0;
  while (performance.now() - began.milliseconds < seconds * 1_000) {
    signal.throwIfAborted();
    await ask(pair.primary.url, postCommits, {}, { body: commitsBody(first + commits, 1) });
    commits += 1;
  }
  await applied(pair, first + commits, signal);
  return paceOf(pair, commits, began);
}

/** What the journal of a stopped replica takes; its directory is removed, it is of no more use. */
export async function journalBytes(directory: string): Promise<number> {
  const flight = join(directory, 'flight');
  const names = await readdir(flight);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(flight, name))).size));
  await rm(directory, { recursive: true });
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function applied({ replica }: Pair, commitId: number, signal: AbortSignal): Promise<void> {
  while ((await positionOf(replica)).commit_id < commitId)
    await wait(POLL_MILLISECONDS, undefined, { signal });
}

interface Beginning {
  readonly milliseconds: number;
  readonly cpu: number | null;
}

async function beginning({ pid }: MeasuredPair): Promise<Beginning> {
  return { cpu: await cpuMilliseconds(pid), milliseconds: performance.now() };
}

async function paceOf({ pid }: MeasuredPair, commits: number, began: Beginning): Promise<Pace> {
  const milliseconds = performance.now() - began.milliseconds;
  const cpu = await cpuMilliseconds(pid);
  return {
    commits,
    milliseconds: Math.round(milliseconds),
    commits_per_second: Math.round((commits / milliseconds) * 1_000),
    cpu_microseconds_per_commit:
      cpu === null || began.cpu === null ? null : rounded(((cpu - began.cpu) / commits) * 1_000),
  };
}
