import { rm } from 'node:fs/promises';
import { ask } from '../../cli/client.ts';
import { postSnapshot } from '../../http/contract/data.ts';
import { measureCatchUp, type CatchUp } from '../catch-up/measure.ts';
import { makeHistory } from '../history.ts';
import { digestOf, proveReplica, type Proof } from '../prove.ts';
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
  const { processes, documents, rounds, signal, say } = surroundings;
  const directory = processes.directoryOf('primary');
  await makeHistory({ directory, documents, signal, say });
  const primary = await processes.start('primary', 'primary');
  say('the primary makes a snapshot');
  const began = performance.now();
  const { cut, bytes } = await ask(primary.url, postSnapshot, {}, { long: true });
  const milliseconds = Math.round(performance.now() - began);
  const expected = await digestOf(primary, cut.commit_id);
  const taken: CatchUp[] = [];
  const proofs: Proof[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`);
    const name = `replica-${round}`;
    taken.push(
      await measureCatchUp(surroundings, {
        name,
        primary,
        commitId: cut.commit_id,
        documents,
        flags: ['--bootstrap', 'snapshot'],
        then: async (replica) => {
          say(`round ${round} of ${rounds}: proving what the replica came to`);
          proofs.push(await proveReplica(primary, expected, replica, signal));
        },
      }),
    );
    await rm(processes.directoryOf(name), { recursive: true });
  }
  return measuredOf({
    workload: workFacts(documents),
    snapshot: { bytes, milliseconds_to_make: milliseconds },
    rounds: taken,
    proofs,
  });
}
