import type { DemoNode } from '../../demo/processes.ts';
import { postDocuments } from '../preload.ts';
import { DOCUMENT_BYTES, KEY_BYTES } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { catchUp, follow, journalBytes, RECORDERS, type FlightWindow, type Recorder } from './measure.ts';
import { measuredOf } from './report.ts';

/** What the flight recorder costs a replica: the same work with and without it, side by side. */
export const flight: Workload = {
  name: 'flight',
  summary: 'what the flight recorder of a replica costs, catching up and following single commits',
  limits: [
    'Primary, replica and load share one machine: with few cores, what the recorder takes is taken from all of them.',
    'Following is one commit a request, the next one when the one before is answered: the most steps of the chart for the least work.',
    'Catching up reads whole batches: few steps of the chart for much work, so there is little to record.',
    'The processor time is that of the replica, as Linux tells it in hundredths of a second; elsewhere there is none.',
  ],
  defaults: { seconds: 2, rounds: 9, documents: 40_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const { processes, rounds, documents, signal, say } = surroundings;
  say('starting a primary');
  const primary = await processes.start('primary', 'primary');
  await postDocuments(primary, documents, signal);
  const windows: FlightWindow[] = [];
  say('warming up');
  await window(surroundings, primary, 0, 'enabled');
  for (let round = 1; round <= rounds; round += 1) {
    // Each round begins with the other kind: the WAL grows all the time, and no kind is to have the most of it.
    for (const recorder of round % 2 === 1 ? RECORDERS : [...RECORDERS].reverse()) {
      say(`round ${round} of ${rounds}: the recorder is ${recorder}`);
      windows.push(await window(surroundings, primary, round, recorder));
    }
  }
  return measuredOf(
    { name: 'W1', key_bytes: KEY_BYTES, document_bytes: DOCUMENT_BYTES, preload_commits: documents },
    windows,
  );
}

async function window(
  surroundings: Surroundings,
  primary: DemoNode,
  round: number,
  recorder: Recorder,
): Promise<FlightWindow> {
  const { processes, seconds, signal } = surroundings;
  const flags = ['--primary', primary.url, '--flight-recorder', recorder];
  const replica = await processes.start(`replica-${round}-${recorder}`, 'replica', { flags });
  const measured = { primary, replica, pid: processes.pidOf(replica.name) };
  const caughtUp = await catchUp(measured, signal);
  // A process that has just started is slow at everything it does for the first time: that is not counted.
  const warmUp = await follow(measured, seconds / 2, signal);
  const followed = await follow(measured, seconds, signal);
  await processes.end(replica.name);
  return {
    round,
    recorder,
    catch_up: caughtUp,
    following: followed,
    journal_commits: warmUp.commits + followed.commits,
    journal_bytes: recorder === 'enabled' ? await journalBytes(replica.directory) : null,
  };
}
