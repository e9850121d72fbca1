import { rm } from 'node:fs/promises';
import { Client } from 'undici';
import { measureCatchUp, type CatchUpOptions } from '../../../src/bench/catch-up/measure.ts';
import { BenchFailure } from '../../../src/bench/failure.ts';
import { makeHistory } from '../../../src/bench/history.ts';
import { untilReadSafe } from '../../../src/bench/read-safe.ts';
import { rounded } from '../../../src/bench/statistics.ts';
import { COLLECTION, commitsBody, documentKey } from '../../../src/bench/w1.ts';
import { ask } from '../../../src/cli/client.ts';
import type { DemoNode, Processes } from '../../../src/demo/processes.ts';
import { postSnapshot } from '../../../src/http/contract/data.ts';
import type { Bootstrap, CaughtUp, CommitRate, Contestant, LiveFollower, Work } from '../contestant.ts';

const PRIMARY = 'replichart-primary';
const JSON_HEADERS = { 'content-type': 'application/json' };

/** Replichart itself, as anybody starts it: the command line, with its configuration as it comes. */
export class Replichart implements Contestant {
  readonly name = 'replichart';
  readonly #work: Work;
  readonly #processes: Processes;
  #primary: DemoNode | null = null;
  #commitId = 0;

  constructor(work: Work, processes: Processes) {
    this.#work = work;
    this.#processes = processes;
  }

  get version(): string {
    return `Node ${process.version}`;
  }

  async prepare(): Promise<void> {
    const { documents, signal, say } = this.#work;
    const directory = this.#processes.directoryOf(PRIMARY);
    const end = await makeHistory({
      directory,
      documents,
      signal,
      say: (text) => say(`Replichart: ${text}`),
    });
    this.#commitId = end.commitId;
    this.#primary = await this.#processes.start(PRIMARY, 'primary');
  }

  async catchUp(round: number): Promise<CaughtUp> {
    const name = `replichart-${round}`;
    await this.#work.settle();
    const up = await this.#measure({ name });
    return {
      figures: {
        milliseconds: up.milliseconds,
        milliseconds_from_ready: up.milliseconds_from_start,
        documents: up.documents,
        docs_per_second: up.docs_per_second,
        peak_memory_bytes: up.peak_rss_bytes,
      },
      live: () => this.#live(name),
      end: () => this.#remove(name),
    };
  }

  async bootstrap(round: number): Promise<Bootstrap> {
    await this.#work.settle();
    const began = performance.now();
    await ask(this.#primaryOf().url, postSnapshot, {}, { long: true });
    const prepared = rounded(performance.now() - began);
    const name = `replichart-bootstrap-${round}`;
    await this.#work.settle();
    const up = await this.#measure({ name, flags: ['--bootstrap', 'snapshot'] });
    await this.#remove(name);
    return { milliseconds: up.milliseconds, prepared_in_milliseconds: prepared };
  }

  async commitRate(): Promise<CommitRate | null> {
    return null;
  }

  #measure(options: Pick<CatchUpOptions, 'name' | 'flags'>) {
    const surroundings = { processes: this.#processes, signal: this.#work.signal };
    const { documents } = this.#work;
    const view = { primary: this.#primaryOf(), commitId: this.#commitId, documents };
    return measureCatchUp(surroundings, { ...options, ...view });
  }

  /** The replica is started again on what it has, and is watched when it has all of it. */
  async #live(name: string): Promise<LiveFollower> {
    const primary = this.#primaryOf();
    const replica = await this.#processes.start(name, 'replica', { flags: ['--primary', primary.url] });
    await untilReadSafe(replica, this.#commitId, this.#work.signal);
    const [writer, reader] = [new Client(primary.url), new Client(replica.url)];
    return {
      write: async (n) => {
        const body = commitsBody(n, 1);
        const answer = await writer.request({
          method: 'POST',
          path: '/data/v1/commits',
          headers: JSON_HEADERS,
          body,
        });
        const text = await answer.body.text();
        if (answer.statusCode !== 201) throw new BenchFailure(`the primary answers a commit with ${text}`);
      },
      isVisible: async (n) => {
        const answer = await reader.request({
          method: 'GET',
          path: `/data/v1/${COLLECTION}/${documentKey(n)}`,
        });
        const text = await answer.body.text();
        if (answer.statusCode === 200 || answer.statusCode === 404) return answer.statusCode === 200;
        throw new BenchFailure(`the replica answers a read with ${answer.statusCode}: ${text}`);
      },
      end: async () => {
        await Promise.all([writer.close(), reader.close()]);
        await this.#processes.end(name);
      },
    };
  }

  async #remove(name: string): Promise<void> {
    await rm(this.#processes.directoryOf(name), { recursive: true, force: true });
  }

  #primaryOf(): DemoNode {
    if (this.#primary === null) throw new BenchFailure('Replichart is not prepared');
    return this.#primary;
  }
}
