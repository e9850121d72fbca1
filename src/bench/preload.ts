import { ask } from '../cli/client.ts';
import { postCommits } from '../http/contract/data.ts';
import { commitsBody } from './w1.ts';

const COMMITS_PER_REQUEST = 1_000;

/** Gives a primary that runs the first documents of W1. Many are made faster by `makeHistory`, before it runs. */
export async function postDocuments(
  { url }: { readonly url: string },
  documents: number,
  signal: AbortSignal,
): Promise<void> {
  for (let first = 0; first < documents; first += COMMITS_PER_REQUEST) {
    signal.throwIfAborted();
    const count = Math.min(COMMITS_PER_REQUEST, documents - first);
    await ask(url, postCommits, {}, { body: commitsBody(first, count) });
  }
}
