import { setTimeout as wait } from 'node:timers/promises';
import type { NodeSnapshot, ReadDocument, Replica } from '../../index.ts';
import { BenchFailure } from '../failure.ts';
import { lostIn } from '../replica-here.ts';
import { COLLECTION, documentKey, documentText } from '../w1.ts';

const SETTLE_MILLISECONDS_MAX = 30_000;
const POLL_MILLISECONDS = 2;

/** One commit on its way, all moments by one clock; `null` as long as it has not come so far. */
export interface FollowedCommit {
  readonly commitId: number;
  /** The number of the document that it puts. */
  readonly n: number;
  readonly sentAt: number;
  acknowledgedAt: number | null;
  visibleAt: number | null;
}

/**
 * Sees commits become visible in a replica of this process. At every transition it asks the gate for a view of each
 * commit that is applied by then; a commit is visible at the moment at which the gate admits that read. The read proves
 * it: it must find the document of this very commit.
 */
export class VisibilityWatch {
  readonly #replica: Replica;
  readonly #unsubscribe: () => void;
  readonly #expected: FollowedCommit[] = [];
  #reading = 0;
  #failure: Error | null = null;

  constructor(replica: Replica) {
    this.#replica = replica;
    this.#unsubscribe = replica.subscribe((snapshot) => this.#look(snapshot));
  }

  /** Called before a commit is sent, in the order of the commit ids: it may be visible before it is acknowledged. */
  expect(commit: FollowedCommit): void {
    this.throwIfFailed();
    this.#expected.push(commit);
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Resolves when everything that was expected is visible and proved. */
  async settled(signal: AbortSignal): Promise<void> {
    const began = performance.now();
    while (this.#expected.length + this.#reading > 0) {
      this.throwIfFailed();
      const [next] = this.#expected;
      if (performance.now() - began > SETTLE_MILLISECONDS_MAX)
        throw new BenchFailure(
          `commit ${next?.commitId ?? 'unknown'} is not visible after ${SETTLE_MILLISECONDS_MAX} ms`,
        );
      await wait(POLL_MILLISECONDS, undefined, { signal });
    }
    this.throwIfFailed();
  }

  end(): void {
    this.#unsubscribe();
  }

  #look(snapshot: NodeSnapshot): void {
    if (this.#expected.length > 0) this.#failure ??= lostIn(snapshot);
    const applied = snapshot.context.applied?.commitId ?? 0;
    for (
      let [next] = this.#expected;
      next !== undefined && next.commitId <= applied;
      [next] = this.#expected
    ) {
      this.#expected.shift();
      void this.#see(next);
    }
  }

  async #see(commit: FollowedCommit): Promise<void> {
    this.#reading += 1;
    try {
      await this.#replica.read(
        async (view) => {
          commit.visibleAt = performance.now();
          prove(commit, await view.get(COLLECTION, documentKey(commit.n)));
        },
        { at: commit.commitId },
      );
    } catch (error) {
      this.#failure ??= error as Error;
    } finally {
      this.#reading -= 1;
    }
  }
}

function prove({ commitId, n }: FollowedCommit, found: ReadDocument | null): void {
  if (found?.commitId !== commitId || found.document.toString() !== documentText(n))
    throw new BenchFailure(
      `the view of commit ${commitId} does not show its document: ${found?.document.toString() ?? 'none'}`,
    );
}
