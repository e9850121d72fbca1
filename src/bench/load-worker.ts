import { workerData } from 'node:worker_threads';
import { Client } from 'undici';
import { BenchFailure } from './failure.ts';
import type { LoadSettings } from './load.ts';
import { commitsBody } from './w1.ts';

const { url, connections, commits_per_request: perRequest, first } = workerData as LoadSettings;
let next = first;

/** Has one request in flight at any time; the thread is ended from outside. */
async function commitForEver(): Promise<never> {
  const client = new Client(url);
  for (;;) {
    const body = commitsBody(next, perRequest);
    next += perRequest;
    const answer = await client.request({
      method: 'POST',
      path: '/data/v1/commits',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 201)
      throw new BenchFailure(`the primary answers a commit with ${answer.statusCode}: ${text}`);
  }
}

await Promise.all(Array.from({ length: connections }, commitForEver));
