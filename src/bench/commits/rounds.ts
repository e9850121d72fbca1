import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DemoNode } from '../../demo/processes.ts';
import { createPrimary, type Primary } from '../../index.ts';
import { BenchFailure } from '../failure.ts';
import { putOf } from '../history.ts';
import type { Surroundings } from '../workload.ts';
import { bareAppends, BARE_CALLS, type BareCalls, type BareRate } from './bare.ts';
import { HttpWriter } from './over-http.ts';
import { verifiedBytes } from './verified.ts';
import { write, type Writing } from './writers.ts';

export const WRITERS = [1, 64] as const;

export interface Round {
  readonly round: number;
  /** Bytes of a frame that holds one commit; as many are appended where nothing is around it. */
  readonly frame_bytes: number;
  readonly bare: readonly BareRate[];
  readonly in_process: readonly Writing[];
  readonly over_http: readonly Writing[];
  readonly verified_wal_bytes: number;
}

/** A primary in this process, and the bare appends beside its data directory, each in its turn. */
export async function roundOf(
  { processes, seconds, documents, signal }: Surroundings,
  round: number,
  overHttp: readonly Writing[],
): Promise<Round> {
  const directory = processes.directoryOf(`round-${round}`);
  const dataDirectory = join(directory, 'primary');
  await mkdir(directory);
  const primary = await createPrimary({ dataDir: dataDirectory, logFile: join(directory, 'primary.log') });
  try {
    const frameBytes = await warmUp(primary, documents, signal);
    const bare = (calls: BareCalls) =>
      bareAppends(calls, { file: join(directory, 'bare'), bytes: frameBytes, seconds, signal });
    const inProcess = (writers: number) =>
      write(async (n) => primary.commit([putOf(n)]), {
        writers,
        first: commitIdOf(primary),
        seconds,
        signal,
      });
    // What is compared takes turns: nobody is always the first.
    const [first, second] = round % 2 === 1 ? BARE_CALLS : [...BARE_CALLS].reverse();
    const bareBefore = await bare(first);
    const one = await inProcess(WRITERS[0]);
    const bareAfter = await bare(second);
    const many = await inProcess(WRITERS[1]);
    return {
      round,
      frame_bytes: frameBytes,
      bare: [bareBefore, bareAfter],
      in_process: [one, many],
      over_http: overHttp,
      verified_wal_bytes: await verifiedBytes(dataDirectory, documents + one.commits + many.commits),
    };
  } finally {
    await primary.stop();
    await rm(directory, { recursive: true });
  }
}

/** Gives the bytes of a frame: where two commits end that were made one after the other. */
async function warmUp(primary: Primary, commits: number, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  for (let n = 0; n < commits; n += 1) {
    signal.throwIfAborted();
    const before = primary.position()?.lsn ?? 0;
    const { lsn } = await primary.commit([putOf(n)]);
    bytes = lsn - before;
  }
  return bytes;
}

function commitIdOf(primary: Primary): number {
  const position = primary.position();
  if (position === null) throw new BenchFailure('the primary has no position');
  return position.commitId;
}

/** The same over HTTP, to a primary in a process of its own; its WAL is verified. */
export async function httpRound(
  { processes, seconds, signal }: Surroundings,
  round: number,
): Promise<readonly Writing[]> {
  const primary: DemoNode = await processes.start(`http-${round}`, 'primary');
  const writer = new HttpWriter(primary, Math.max(...WRITERS));
  const writings: Writing[] = [];
  let first = 0;
  try {
    for (const writers of WRITERS) {
      const writing = await write((n) => writer.commit(n), { writers, first, seconds, signal });
      first += writing.commits;
      writings.push(writing);
    }
  } finally {
    await writer.close();
  }
  await verifiedBytes(primary.directory, first);
  await processes.end(primary.name);
  await rm(primary.directory, { recursive: true });
  return writings;
}
