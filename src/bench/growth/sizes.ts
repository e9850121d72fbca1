import { rm } from 'node:fs/promises';
import type { DemoNode } from '../../demo/processes.ts';
import { measureCatchUp, type CatchUp } from '../catch-up/measure.ts';
import { makeHistory } from '../history.ts';
import { positionsEqual } from '../prove.ts';
import type { Surroundings } from '../workload.ts';

/** A replica that had everything was stopped and started again: from its spawn until a read of the end was admitted. */
export interface Restart {
  readonly milliseconds: number;
  readonly milliseconds_from_start: number;
  readonly peak_rss_bytes: number | null;
}

export interface SizeFigures {
  readonly documents: number;
  readonly wal_bytes: number;
  readonly catch_up: readonly CatchUp[];
  readonly restart: readonly Restart[];
}

/** Catching up with so many documents, and starting again with them; the primary has stopped when it returns. */
export async function measureSize(
  surroundings: Surroundings,
  label: 'small' | 'large',
  documents: number,
): Promise<SizeFigures> {
  const { processes, rounds, signal } = surroundings;
  const say = (text: string) => surroundings.say(`${documents} documents: ${text}`);
  const name = `primary-${label}`;
  const directory = processes.directoryOf(name);
  const { commitId, lsn } = await makeHistory({ directory, documents, signal, say });
  const primary = await processes.start(name, 'primary');
  const then = async (replica: DemoNode) => {
    // Whoever has the primary's position has its WAL: the hash in it binds every byte before.
    await positionsEqual(primary, replica, signal);
  };
  const caughtUp: CatchUp[] = [];
  const replica = `replica-${label}`;
  for (let round = 1; round <= rounds; round += 1) {
    say(`catching up, round ${round} of ${rounds}`);
    await rm(processes.directoryOf(replica), { recursive: true, force: true });
    caughtUp.push(await measureCatchUp(surroundings, { name: replica, primary, commitId, then }));
  }
  const restarts: Restart[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    say(`starting again, round ${round} of ${rounds}`);
    restarts.push(restartOf(await measureCatchUp(surroundings, { name: replica, primary, commitId, then })));
  }
  await processes.end(name);
  await rm(processes.directoryOf(replica), { recursive: true });
  return { documents, wal_bytes: lsn, catch_up: caughtUp, restart: restarts };
}

function restartOf({ milliseconds, milliseconds_from_start, peak_rss_bytes }: CatchUp): Restart {
  return { milliseconds, milliseconds_from_start, peak_rss_bytes };
}
