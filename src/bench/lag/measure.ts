import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'undici';
import * as z from 'zod';
import { BenchFailure } from '../failure.ts';
import { commitsBody } from '../w1.ts';
import type { FollowedCommit, VisibilityWatch } from './visibility.ts';

/** Milliseconds from one commit to the next; 0: each as soon as the one before is acknowledged. */
export const INTERVALS = [0, 5] as const;

/** A commit that went all its way. */
export interface Sample {
  readonly acknowledged_ms: number;
  /** From the acknowledgement on; below 0 where it was visible before that. */
  readonly lag_ms: number;
  readonly visible_ms: number;
}

export interface LagWindow {
  readonly round: number;
  readonly interval_ms: number;
  readonly milliseconds: number;
  readonly samples: readonly Sample[];
}

const acknowledgement = z.object({ commit_ids: z.tuple([z.int()]) });

/** The one writer: nobody else makes commits, so it knows the id of the next one. */
export class Writer {
  readonly #client: Client;
  #commitId: number;

  constructor(url: string, commitId: number) {
    this.#client = new Client(url);
    this.#commitId = commitId;
  }

  /** The document has the number of the commits before it. */
  async commit(watch: VisibilityWatch): Promise<FollowedCommit> {
    const n = this.#commitId;
    this.#commitId += 1;
    const body = commitsBody(n, 1);
    const commit: FollowedCommit = {
      commitId: this.#commitId,
      n,
      sentAt: performance.now(),
      acknowledgedAt: null,
      visibleAt: null,
    };
    watch.expect(commit);
    const answer = await this.#client.request({
      method: 'POST',
      path: '/data/v1/commits',
      headers: { 'content-type': 'application/json' },
      body,
    });
    commit.acknowledgedAt = performance.now();
    const text = await answer.body.text();
    const found = answer.statusCode === 201 ? acknowledgement.parse(JSON.parse(text)) : null;
    if (found?.commit_ids[0] !== commit.commitId)
      throw new BenchFailure(
        `the primary answers commit ${commit.commitId} with ${answer.statusCode}: ${text}`,
      );
    return commit;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Commits one after another for so long, until the last of them is visible. */
export async function lagWindow(
  writer: Writer,
  watch: VisibilityWatch,
  {
    round,
    interval,
    seconds,
    signal,
  }: {
    readonly round: number;
    readonly interval: number;
    readonly seconds: number;
    readonly signal: AbortSignal;
  },
): Promise<LagWindow> {
  const began = performance.now();
  const commits: FollowedCommit[] = [];
  while (performance.now() - began < seconds * 1_000) {
    signal.throwIfAborted();
    const early = began + commits.length * interval - performance.now();
    if (early > 0) await wait(early, undefined, { signal });
    commits.push(await writer.commit(watch));
  }
  const milliseconds = performance.now() - began;
  await watch.settled(signal);
  return { round, interval_ms: interval, milliseconds, samples: commits.map(sampleOf) };
}

function sampleOf({ commitId, sentAt, acknowledgedAt, visibleAt }: FollowedCommit): Sample {
  if (acknowledgedAt === null || visibleAt === null)
    throw new BenchFailure(`commit ${commitId} did not go all its way`);
  return {
    acknowledged_ms: acknowledgedAt - sentAt,
    lag_ms: visibleAt - acknowledgedAt,
    visible_ms: visibleAt - sentAt,
  };
}
