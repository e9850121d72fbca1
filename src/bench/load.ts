import { Worker } from 'node:worker_threads';
import { BenchFailure } from './failure.ts';

/** How the load is made: requests in flight, and commits in each. */
export interface LoadSettings {
  readonly url: string;
  readonly connections: number;
  readonly commits_per_request: number;
  /** The number of the first document. */
  readonly first: number;
}

/** Commits without a pause, each connection with one request in flight, until it is stopped. */
export interface Load {
  stop(): Promise<void>;
}

const WORKER = new URL(`load-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** The load has a thread of its own, so that making it does not delay what is measured beside it. */
export function startLoad(settings: LoadSettings, onFailure: (error: Error) => void): Load {
  const worker = new Worker(WORKER, { workerData: settings });
  // What a thread throws arrives as a copy that is of no class of ours.
  const failed = (error: Error) =>
    onFailure(new BenchFailure(`the load has failed: ${error.message}`, { cause: error }));
  worker.once('error', failed);
  return {
    async stop() {
      worker.off('error', failed);
      await worker.terminate();
    },
  };
}
