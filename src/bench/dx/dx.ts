import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../../cli/client.ts';
import { postSnapshot } from '../../http/contract/data.ts';
import { startLoad } from '../load.ts';
import { postDocuments } from '../preload.ts';
import { DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { proveAnswers, Samples } from './asking.ts';
import { measuredOf } from './report.ts';
import { positionOf, window, type Pair, type Window } from './windows.ts';

/** Connections a node that ask in a window; 0: what the load reaches when nobody asks. */
export const CONNECTIONS = [0, 1, 8] as const;
const LOAD = { connections: 2, commits_per_request: 100 } as const;
const POLL_MILLISECONDS = 20;

/** The DX plane under load: whether whoever looks at a node gets an answer at once, and what looking costs. */
export const dx: Workload = {
  name: 'dx',
  summary: 'how fast a primary and a replica under load answer DX questions, and what asking costs the load',
  limits: [
    'Nodes, load and questions share one machine: with few cores, a time is also a time of waiting for a core.',
    'A time ends when the whole answer was read; with 8 connections a node, 16 requests share the one thread that asks.',
    'Whoever asks asks again at once, far more often than people or a scraper do: the cost of asking is an upper bound.',
    'The lag is asked of the replica first and of the primary after it, so it is at most what is said.',
    '/v1/mvcc?digest_at reads the whole state and /v1/events is a stream: neither is asked.',
  ],
  defaults: { seconds: 2, rounds: 9, documents: 2_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const { processes, rounds, seconds, documents, signal, say } = surroundings;
  say('starting a primary and a replica');
  const primary = await processes.start('primary', 'primary');
  const replica = await processes.start('replica', 'replica', { flags: ['--primary', primary.url] });
  const pair: Pair = { primary, replica };
  await preload(pair, documents, signal);
  for (const node of [primary, replica]) await proveAnswers(node);
  const failing = new AbortController();
  const ended = AbortSignal.any([signal, failing.signal]);
  const load = startLoad({ url: primary.url, first: documents, ...LOAD }, (error) => failing.abort(error));
  try {
    say('warming up');
    const measuring = { seconds, signal: ended };
    for (const connections of CONNECTIONS) await window(pair, 0, connections, new Samples(), measuring);
    const samples = new Map(CONNECTIONS.map((connections) => [connections, new Samples()]));
    const windows: Window[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const connections of inTurn(round)) {
        say(`round ${round} of ${rounds}: ${connections} connections a node are asking`);
        const taken = samples.get(connections) ?? new Samples();
        windows.push(await window(pair, round, connections, taken, measuring));
      }
    }
    return measuredOf({
      workload: {
        name: 'W1',
        key_bytes: KEY_BYTES,
        document_bytes: DOCUMENT_BYTES,
        preload_commits: documents,
        ...LOAD,
      },
      windows,
      samples,
      nodes: [primary.name, replica.name],
    });
  } catch (error) {
    // Where the load has failed, that is why everything else did.
    throw failing.signal.aborted ? failing.signal.reason : error;
  } finally {
    await load.stop();
  }
}

/** Documents and a snapshot, so that the answers have something to say; the replica has them too before it is asked. */
async function preload({ primary, replica }: Pair, commits: number, signal: AbortSignal): Promise<void> {
  await postDocuments(primary, commits, signal);
  await ask(primary.url, postSnapshot, {});
  while ((await positionOf(replica)).commit_id < commits)
    await wait(POLL_MILLISECONDS, undefined, { signal });
}

/** Each round begins with another kind of window: state grows all the time, and no kind is to have the most of it. */
function inTurn(round: number): readonly (typeof CONNECTIONS)[number][] {
  const first = (round - 1) % CONNECTIONS.length;
  return [...CONNECTIONS.slice(first), ...CONNECTIONS.slice(0, first)];
}
