import { mkdir } from 'node:fs/promises';
import { DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import type { Goal, Measured, Surroundings, Workload } from '../workload.ts';
import { COMMITS_PER_FRAME, SINGLE_COMMITS } from './history.ts';
import { COUNTED_DOCUMENTS, judged, type Judged } from './limits.ts';
import { measureCounts } from './measure.ts';

/** What a node does for its history, counted: the same on every machine, so that a test can hold it to limits. */
export const counts: Workload = {
  name: 'counts',
  summary:
    'file operations, index batches, chart steps and allocations for a fixed history: counts, not times',
  limits: [
    'Primary and replica are real and use the real file system and index store; between them is no socket, but a source that holds the whole history, because over a socket chance says how much comes at a time.',
    'The ends of file and index operations are told in an order that is computed from their sizes: so batches are the same in every run, and are one likely way for them to be.',
    'What the index store does to its files is not seen: counted are the batches, entries and bytes that are given to it.',
    'Allocations are those on the heap of JavaScript, estimated from samples; buffers are not among them.',
    'A test holds the counts to the limits: no other workload decides anything.',
  ],
  defaults: { seconds: 1, rounds: 1, documents: COUNTED_DOCUMENTS },
  run,
};

/** Counts need neither windows nor rounds. */
async function run({ processes, documents, signal, say }: Surroundings): Promise<Measured> {
  const directory = processes.directoryOf('counts');
  await mkdir(directory);
  say(`counting what ${documents} documents take`);
  const all = judged(await measureCounts({ directory, documents, signal }));
  return {
    goals: [goalOf(all, documents)],
    figures: {
      workload: {
        name: 'W1',
        key_bytes: KEY_BYTES,
        document_bytes: DOCUMENT_BYTES,
        documents,
        commits_per_frame: COMMITS_PER_FRAME,
        single_commits: SINGLE_COMMITS,
      },
      counts: all,
    },
    tables: [
      {
        title: 'counts and their limits',
        head: ['count', 'found', 'limit', 'verdict'],
        rows: all.map(({ name, count, limit, verdict }) => [
          name.replaceAll('_', ' '),
          count,
          limit,
          verdict === 'shrunk' ? 'shrunk: make the limit tighter' : verdict,
        ]),
      },
    ],
  };
}

function goalOf(all: readonly Judged[], documents: number): Goal {
  const grown = all.filter(({ verdict }) => verdict === 'grown');
  return {
    id: 'counts',
    goal: `no count of ${COUNTED_DOCUMENTS} documents above its limit`,
    met: documents === COUNTED_DOCUMENTS ? grown.length === 0 : null,
    found:
      grown.length === 0
        ? 'none has grown'
        : grown.map(({ name, count, limit }) => `${name} is ${count}, limit ${limit}`).join('; '),
  };
}
