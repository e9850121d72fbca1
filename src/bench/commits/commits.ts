import { COLLECTION, DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { measuredOf } from './report.ts';
import { httpRound, roundOf, type Round } from './rounds.ts';

/** Durable commits: what a primary makes of the disk that it stands on, alone and with many writers. */
export const commits: Workload = {
  name: 'commits',
  summary:
    'durable commits a second of a primary: of one writer, beside bare appends to the same disk, and of 64',
  limits: [
    'One writer is compared with `write` and `fdatasync` by calls that block the thread, which is the fastest way there is; the same calls made asynchronously, as a node that serves others has to make them, are shown beside it.',
    'Bare appends go to a new file beside the data directory, of the size of a frame that holds one commit.',
    'Documents are made while commits are waited for: that is part of the time, less than a microsecond for each.',
    'Over HTTP, the one thread that measures also sends the requests and reads the answers; two processes share the cores.',
  ],
  defaults: { seconds: 2, rounds: 5, documents: 1_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const { rounds, seconds, documents, say, signal } = surroundings;
  say('warming up');
  await roundOf({ ...surroundings, seconds: seconds / 2 }, 0, []);
  const all: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    signal.throwIfAborted();
    say(`round ${round} of ${rounds}`);
    all.push(await roundOf(surroundings, round, await httpRound(surroundings, round)));
  }
  return measuredOf(
    { name: 'W1', collection: COLLECTION, key_bytes: KEY_BYTES, document_bytes: DOCUMENT_BYTES, documents },
    all,
  );
}
