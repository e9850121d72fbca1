import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '../core/bytes.ts';
import { committed, dataOf, documents, type PositionJson } from './http.ts';
import { DemoFailure } from './failure.ts';
import type { Fleet } from './fleet.ts';
import { COLLECTION } from './workload.ts';

const COMMIT_INTERVAL_MS = 500;
const DOCUMENTS = 100;

/** The field of a document whose first letter is worth altering: it stands in every commit of this workload. */
export const LIVE_FIELD = Buffer.from('"country":"');

interface Stored {
  readonly id: string;
  readonly document: JsonObject;
}

/** A few commits a second on the primary, for as long as the demonstration is watched: new versions of some cities. */
export class SteadyWorkload {
  readonly #fleet: Fleet;
  readonly #onTrouble: (text: string) => void;
  readonly #stopped = new AbortController();
  #cities: readonly Stored[] = [];
  #revision = 2;
  /** Whatever commits, the workload itself or an action, waits for those before it. */
  #turn: Promise<unknown> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();

  /** @param onTrouble Is told once when the primary takes no commits, and again when that was over and is so anew. */
  constructor(fleet: Fleet, onTrouble: (text: string) => void) {
    this.#fleet = fleet;
    this.#onTrouble = onTrouble;
  }

  /** Begins to commit; resolves when the first commit was acknowledged. */
  async start(): Promise<void> {
    const path = `data/v1/${COLLECTION}?limit=${DOCUMENTS}`;
    const page = await dataOf(documents, this.#fleet.of('primary').url, path);
    this.#cities = page.documents;
    if (this.#cities.length === 0) throw new DemoFailure('the primary has no documents to change');
    await this.commit(1);
    this.#loop = this.#run();
  }

  /** Runs something while nothing of this workload is committed but what it commits itself. */
  paused<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    // Whoever is next waits for the end of this, good or bad; its error is for who asked.
    this.#turn = done.catch(() => null);
    return done;
  }

  /** Makes commits now; resolves with where the last one was acknowledged. */
  async commit(count: number): Promise<PositionJson> {
    const commits = [];
    for (let made = 0; made < count; made += 1) {
      this.#revision += 1;
      const { id, document } = this.#cities[this.#revision % this.#cities.length] as Stored;
      const put = {
        op: 'put',
        collection: COLLECTION,
        id,
        document: { ...document, revision: this.#revision },
      };
      commits.push({ ops: [put] });
    }
    return this.#post(commits);
  }

  /** Commits documents of about this size, which hold nothing of interest. */
  async fill(count: number, bytes: number): Promise<PositionJson> {
    const put = { op: 'put', collection: 'filler', id: 'filler', document: { filler: 'x'.repeat(bytes) } };
    return this.#post(Array.from({ length: count }, () => ({ ops: [put] })));
  }

  /** Makes no more commits; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let isInTrouble = false;
    while (!this.#stopped.signal.aborted) {
      try {
        await this.paused(() => this.commit(1));
        isInTrouble = false;
      } catch (error) {
        if (!isInTrouble && !this.#stopped.signal.aborted)
          this.#onTrouble(
            `The primary takes no commit: ${error instanceof Error ? error.message : String(error)}`,
          );
        isInTrouble = true;
      }
      // A pause rejects only because it was stopped, which ends the loop.
      await pause(COMMIT_INTERVAL_MS, null, { signal: this.#stopped.signal }).catch(() => null);
    }
  }

  async #post(commits: readonly object[]): Promise<PositionJson> {
    const { url } = this.#fleet.of('primary');
    return (await dataOf(committed, url, 'data/v1/commits', { commits })).position;
  }
}
