import { rm } from 'node:fs/promises';
import { workFacts } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { CROWD, CROWD_KINDS, crowdRound, type CrowdRound } from './crowd.ts';
import { measuredOf } from './report.ts';
import { measureSize } from './sizes.ts';

/** How many times as many documents the large size has. */
export const LARGE = 10;

/** What becomes of time and memory when there is ten times as much, or when there are fifty replicas. */
export const growth: Workload = {
  name: 'growth',
  summary: `catching up and starting again with ${LARGE} times the documents, and ${CROWD} replicas on one primary (P8, P4)`,
  limits: [
    `The ${CROWD} replicas are connections of one process that read the WAL over HTTP as a replica does and keep nothing: as many replica processes would have no core to run on. What the primary holds for each is the same.`,
    'A replica that catches up in this crowd reads as fast as all of them can on this machine; the memory of the kernel for its connection is not in the figure.',
    'Memory is what the system counts as resident; what the garbage collector has not given back yet is in it, so a figure for each replica can be above what is held for it, or below 0.',
    'What a replica came to is compared by position, whose hash binds every byte of WAL; states are compared in the workload catch-up.',
    'A start again finds its files in the page cache.',
  ],
  defaults: { seconds: 2, rounds: 3, documents: 1_000_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const { processes, documents, rounds, say } = surroundings;
  const small = await measureSize(surroundings, 'small', documents);
  const large = await measureSize(surroundings, 'large', documents * LARGE);
  await rm(processes.directoryOf('primary-large'), { recursive: true });
  const crowds: CrowdRound[] = [];
  // Following comes last: it is the only kind that makes the WAL longer.
  for (const kind of CROWD_KINDS) {
    for (let round = 1; round <= rounds; round += 1) {
      say(`${CROWD} replicas, ${kind.replace('_', ' ')}: round ${round} of ${rounds}`);
      crowds.push(await crowdRound(surroundings, round, kind));
    }
  }
  return measuredOf({ workload: workFacts(documents), small, large, crowds });
}
