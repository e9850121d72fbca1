import { ask } from '../../cli/client.ts';
import { postSnapshot } from '../../http/contract/data.ts';
import { catchUpRounds } from '../catch-up/rounds.ts';
import { makeHistory } from '../history.ts';
import { digestOf } from '../prove.ts';
import { workFacts } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { measuredOf } from './report.ts';

/** How fast an empty replica is read-safe that begins with a snapshot instead of the first byte of the WAL. */
export const bootstrap: Workload = {
  name: 'bootstrap',
  summary: 'how fast an empty replica that takes a snapshot is read-safe at its cut (P2)',
  limits: [
    'Primary and replica share one machine: with few cores, what the primary takes to send is taken from the replica.',
    'The snapshot was made before, and lies in the page cache; how long making it takes is said, and not part of a round.',
    'There is no commit behind the cut: what a replica has to catch up with after its snapshot is in the workload catch-up.',
    'The goal is a ratio to PostgreSQL (pg_basebackup and the start of the server), which this workload does not run.',
  ],
  defaults: { seconds: 2, rounds: 5, documents: 1_000_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const { processes, documents, signal, say } = surroundings;
  const directory = processes.directoryOf('primary');
  await makeHistory({ directory, documents, signal, say });
  const primary = await processes.start('primary', 'primary');
  say('the primary makes a snapshot');
  const began = performance.now();
  const { cut, bytes } = await ask(primary.url, postSnapshot, {}, { long: true });
  const milliseconds = Math.round(performance.now() - began);
  const expected = await digestOf(primary, cut.commit_id);
  const caughtUp = await catchUpRounds(surroundings, primary, expected, {
    commitId: cut.commit_id,
    documents,
    flags: ['--bootstrap', 'snapshot'],
  });
  return measuredOf({
    workload: workFacts(documents),
    snapshot: { bytes, milliseconds_to_make: milliseconds },
    ...caughtUp,
  });
}
