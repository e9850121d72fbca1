import { workFacts } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { READERS, scalingCases } from './cases.ts';
import { measureCase, type ScalingRow } from './measure.ts';
import { measuredOf } from './report.ts';

/** Catching up with other work than W1: larger documents, larger commits, updates, deletes, more replicas at once. */
export const scaling: Workload = {
  name: 'scaling',
  summary:
    'catching up with documents of 100 B to 1 MB, commits of 1 to 1,000 operations, updates, deletes, and many replicas at once',
  limits: [
    'Times are from the spawn of the replicas until the last of them admits a read of the last commit; where the work is little, loading the program is much of it.',
    'Replicas, primary and what asks them share one machine: many replicas share its cores, and their number is what its memory has room for.',
    `The ${READERS} readers are connections of one process that read the WAL over HTTP as a replica does and keep nothing: they show what the primary sends, not what replicas apply.`,
    'The documents become fewer as they become larger, so that the bytes are about as many in each row; a row with few documents says little about documents/s.',
    'What a replica came to is compared by position, whose hash binds every byte of WAL.',
  ],
  defaults: { seconds: 2, rounds: 3, documents: 500_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const rows: ScalingRow[] = [];
  for (const [index, one] of scalingCases(surroundings.documents).entries())
    rows.push(...(await measureCase(surroundings, one, index === 0)));
  return measuredOf(workFacts(surroundings.documents), rows);
}
