import { postDocuments } from '../preload.ts';
import { replicaHere, untilApplied } from '../replica-here.ts';
import { DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { INTERVALS, lagWindow, Writer, type LagWindow } from './measure.ts';
import { measuredOf } from './report.ts';
import { VisibilityWatch } from './visibility.ts';

/** Live lag: how long after its acknowledgement a commit is visible through the gate of a replica. */
export const lag: Workload = {
  name: 'lag',
  summary: 'how long after its durable acknowledgement a commit is visible through the gate of a replica',
  limits: [
    'Lag is the time from the arrival of the 201 of a commit, which the primary sends when it is durable and applied, to the moment at which the gate of the replica admits a read of the view of that commit. It is below 0 where the replica was faster than the answer.',
    'The replica runs in the process that measures, so both moments are of one clock; the one thread of that process also sends the commits and reads their answers, and what it does for the one delays the other.',
    'The gate is asked at every transition of the replica, and every read must find the document of its very commit: the reads are part of the load.',
    'Primary and replica share one machine and its disk: on two cores, the syncs of the one wait for those of the other.',
  ],
  defaults: { seconds: 2, rounds: 9, documents: 2_000 },
  run,
};

async function run({ processes, rounds, seconds, documents, signal, say }: Surroundings): Promise<Measured> {
  say('starting a primary and a replica');
  const primary = await processes.start('primary', 'primary');
  await postDocuments(primary, documents, signal);
  const replica = await replicaHere(processes.directoryOf('replica'), primary);
  const watch = new VisibilityWatch(replica);
  const writer = new Writer(primary.url, documents);
  try {
    await untilApplied(replica, documents, signal);
    const windows: LagWindow[] = [];
    say('warming up');
    for (const interval of INTERVALS) await lagWindow(writer, watch, { round: 0, interval, seconds, signal });
    for (let round = 1; round <= rounds; round += 1) {
      for (const interval of round % 2 === 1 ? INTERVALS : [...INTERVALS].reverse()) {
        say(`round ${round} of ${rounds}: ${interval === 0 ? 'without a pause' : `every ${interval} ms`}`);
        windows.push(await lagWindow(writer, watch, { round, interval, seconds, signal }));
      }
    }
    return measuredOf(
      { name: 'W1', key_bytes: KEY_BYTES, document_bytes: DOCUMENT_BYTES, documents },
      windows,
    );
  } finally {
    watch.end();
    await replica.stop();
    await writer.close();
  }
}
