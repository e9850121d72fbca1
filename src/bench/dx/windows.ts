import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../../cli/client.ts';
import { getStatus } from '../../http/contract/dx.ts';
import { BenchFailure } from '../failure.ts';
import { rounded } from '../statistics.ts';
import type { Surroundings } from '../workload.ts';
import { askFor, type AskedNode, type Samples } from './asking.ts';

export interface Pair {
  readonly primary: AskedNode;
  readonly replica: AskedNode;
}

/** A stretch of time under load in which so many connections a node asked; with 0 nobody did. */
export interface Window {
  readonly round: number;
  readonly connections_per_node: number;
  readonly seconds: number;
  readonly commits: number;
  readonly commits_per_second: number;
  readonly asks_per_second: number;
  /** How far the replica was behind at the end. */
  readonly lag_commits: number;
  readonly lag_bytes: number;
}

interface Standing {
  readonly milliseconds: number;
  readonly commitId: number;
  readonly lagCommits: number;
  readonly lagBytes: number;
}

/** Lets time go by under load, while `connections` a node ask; their times are added to `samples`. */
export async function window(
  pair: Pair,
  round: number,
  connections: number,
  samples: Samples,
  { seconds, signal }: Pick<Surroundings, 'seconds' | 'signal'>,
): Promise<Window> {
  const before = await standing(pair);
  const askedBefore = samples.count;
  if (connections === 0) await wait(seconds * 1_000, undefined, { signal });
  else await askFor(seconds, connections, [pair.primary, pair.replica], samples, signal);
  const asks = samples.count - askedBefore;
  const after = await standing(pair);
  const lasted = (after.milliseconds - before.milliseconds) / 1_000;
  const commits = after.commitId - before.commitId;
  return {
    round,
    connections_per_node: connections,
    seconds: rounded(lasted),
    commits,
    commits_per_second: Math.round(commits / lasted),
    asks_per_second: Math.round(asks / lasted),
    lag_commits: after.lagCommits,
    lag_bytes: after.lagBytes,
  };
}

/** The replica is asked first: what is committed in between makes its lag larger, never smaller. */
async function standing({ primary, replica }: Pair): Promise<Standing> {
  const behind = await positionOf(replica);
  const ahead = await positionOf(primary);
  return {
    milliseconds: performance.now(),
    commitId: ahead.commit_id,
    lagCommits: ahead.commit_id - behind.commit_id,
    lagBytes: ahead.lsn - behind.lsn,
  };
}

export async function positionOf({ name, url }: AskedNode) {
  const { data } = await ask(url, getStatus, {});
  if (data.position !== null && data.failure === null) return data.position;
  throw new BenchFailure(`${name} is ${data.machine_state}: ${JSON.stringify(data.failure)}`);
}
