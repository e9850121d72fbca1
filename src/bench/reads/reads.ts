import { rm } from 'node:fs/promises';
import { makeHistory } from '../history.ts';
import { replicaHere } from '../replica-here.ts';
import { DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { idleReads, idleScan, proveScan, type IdleReads, type IdleScan } from './idle.ts';
import { measuredOf } from './report.ts';
import { READERS, READINGS, readUnderLoad, type LoadedReads } from './under-load.ts';

/** Reads in process: while the replica catches up as fast as it can, and when it has nothing else to do. */
export const reads: Workload = {
  name: 'reads',
  summary: 'reads of a replica in this process: under full catch-up load, and idle',
  limits: [
    'The replica runs in the process that reads: both share its one thread, and the primary beside them the cores.',
    'A read is timed from when it is wanted: one of a reader without a pause before it waits for its turn of the event loop, one that comes each millisecond from when it is due, which the timer tells up to 1 ms late.',
    'Reads before the first commit is applied are not counted: there is nothing to read.',
    'Each document is read by its key from what is applied at that moment, at random; keys and expected values are made while it is read, which takes about a microsecond.',
    'Idle reads are proved against values that were made before; the rows of a scan are counted while it is timed, and proved one by one in another scan.',
  ],
  defaults: { seconds: 2, rounds: 3, documents: 1_000_000 },
  run,
};

async function run({ processes, rounds, seconds, documents, signal, say }: Surroundings): Promise<Measured> {
  say(`writing ${documents} documents`);
  await makeHistory({ directory: processes.directoryOf('primary'), documents, signal, say });
  const primary = await processes.start('primary', 'primary');
  const loaded: LoadedReads[] = [];
  const idle: IdleReads[] = [];
  const scans: IdleScan[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, reading] of READINGS.entries()) {
      signal.throwIfAborted();
      say(`round ${round} of ${rounds}: catching up, ${reading}`);
      const directory = processes.directoryOf(`replica-${round}-${index}`);
      const replica = await replicaHere(directory, primary);
      try {
        loaded.push(await readUnderLoad(replica, { round, reading, documents, signal }));
        if (index === READINGS.length - 1) {
          say(`round ${round} of ${rounds}: idle`);
          idle.push(...(await idleReads(replica, { round, documents, seconds, signal })));
          scans.push(await idleScan(replica, round, documents));
          if (round === 1) await proveScan(replica, documents);
        }
      } finally {
        await replica.stop();
      }
      await rm(directory, { recursive: true });
    }
  }
  return measuredOf(
    { name: 'W1', key_bytes: KEY_BYTES, document_bytes: DOCUMENT_BYTES, documents, readers: READERS },
    { loaded, idle, scans },
  );
}
