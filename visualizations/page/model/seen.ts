import type { Candidate, Explanation, Halt } from './answers.ts';
import { statesOf, type Moment } from './moment.ts';
import type { Answer } from './node-client.ts';
import type { Watched } from './page-model.ts';
import type { WatchedNode } from './watched-node.ts';

/** What the page shows of what is in view: of this moment, or of the transition that the timeline stands at. */
export interface Seen {
  readonly isLive: boolean;
  readonly chart: 'node' | 'primary' | null;
  /** The state; `null` where it is not known. */
  readonly line: string | null;
  /** The last transition; `null` where there was none, or where it is missing. */
  readonly moment: Moment | null;
  /** `null`: not known; a record of a transition does not hold them. */
  readonly candidates: readonly Candidate[] | null;
}

export function dataOf<Data>(answer: Answer<Data> | null): Data | null {
  return answer?.kind === 'data' ? answer.data : null;
}

export function seenOf(watched: Watched): Seen {
  const { timeline } = watched;
  const isLive = watched.kind === 'node' && timeline.isFollowing;
  const entry = timeline.place === null ? null : timeline.at(timeline.place);
  const moment = entry?.kind === 'moment' ? entry.moment : null;
  if (watched.kind === 'journal' || !isLive)
    return { isLive, chart: chartOf(watched), line: moment?.to ?? null, moment, candidates: null };
  const machine = dataOf(watched.known.machine);
  const asked = machine?.machine_state ?? dataOf(watched.known.status)?.machine_state ?? null;
  // The stream is ahead of what is asked; a chart that failed or a broken stream is told only by asking.
  const line = watched.isStreaming && machine?.status !== 'error' ? (moment?.to ?? asked) : asked;
  return { isLive, chart: chartOf(watched), line, moment, candidates: machine?.candidates ?? null };
}

function chartOf(watched: Watched): Seen['chart'] {
  if (watched.kind === 'journal') return watched.chart;
  const role = dataOf(watched.known.status)?.role;
  return (
    dataOf(watched.known.machine)?.chart_id ??
    (role === undefined ? null : role === 'primary' ? 'primary' : 'node')
  );
}

/** Where a node stands, in one line for people. */
export function standingOf({ known }: WatchedNode) {
  const [status, wal, gate] = [dataOf(known.status), dataOf(known.wal), dataOf(known.gate)];
  return { status, wal, gate, reads: readsOf(gate) };
}

export type Reads = 'safe' | 'unsafe' | 'unknown';

export function readsOf(gate: Explanation | null): Reads {
  return gate === null ? 'unknown' : gate.conclusion.result === 'safe' ? 'safe' : 'unsafe';
}

/** How far a replica is behind the newest commit that anybody in view knows of its primary; `null`: not known. */
export interface Behind {
  readonly whom: string;
  readonly commits: number;
}

export function behindOf(node: WatchedNode, nodes: readonly WatchedNode[]): Behind | null {
  const { status, wal } = standingOf(node);
  if (status === null || wal === null || status.role === 'primary' || wal.applied_commit_id === null)
    return null;
  const primary = nodes.find((other) => {
    const there = dataOf(other.known.status);
    return there?.role === 'primary' && there.cluster_id !== null && there.cluster_id === status.cluster_id;
  });
  const seen = primary === undefined ? null : (dataOf(primary.known.status)?.position?.commit_id ?? null);
  // Both are as of some moment: the primary stands at least at the newer of them.
  const known = [seen, wal.primary_commit_id].filter((one) => one !== null);
  if (known.length === 0) return null;
  const whom = primary === undefined ? 'its primary' : primary.name;
  return { whom, commits: Math.max(0, Math.max(...known) - wal.applied_commit_id) };
}

export function isHaltedLine(line: string | null): boolean {
  return line !== null && statesOf(line).some((state) => state === 'halted' || state.startsWith('halted.'));
}

/** The halt of what is seen: `undefined` where nothing is known of it. */
export function haltOf(watched: Watched, seen: Seen): Halt | null | undefined {
  if (!seen.isLive) return seen.moment?.halt;
  return watched.kind === 'node' ? dataOf(watched.known.status)?.failure : undefined;
}
