import { Pool } from 'undici';
import * as z from 'zod';
import type { DemoNode } from '../../demo/processes.ts';
import type { Position } from '../../index.ts';
import { BenchFailure } from '../failure.ts';
import { commitsBody } from '../w1.ts';

const acknowledgement = z.object({
  position: z.object({ commit_id: z.int(), lsn: z.int(), history_hash: z.string() }),
});

/** One commit a request, with a connection for each request that is in flight. */
export class HttpWriter {
  readonly #pool: Pool;

  constructor({ url }: DemoNode, connections: number) {
    this.#pool = new Pool(url, { connections });
  }

  async commit(n: number): Promise<Position> {
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: '/data/v1/commits',
      headers: { 'content-type': 'application/json' },
      body: commitsBody(n, 1),
    });
    const text = await body.text();
    if (statusCode !== 201)
      throw new BenchFailure(`the primary answers a commit with ${statusCode}: ${text}`);
    const {
      commit_id: commitId,
      lsn,
      history_hash: historyHash,
    } = acknowledgement.parse(JSON.parse(text)).position;
    return { commitId, lsn, historyHash };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
