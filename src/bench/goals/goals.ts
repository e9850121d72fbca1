import { mkdir, rm } from 'node:fs/promises';
import { Processes } from '../../demo/processes.ts';
import { bootstrap } from '../bootstrap/bootstrap.ts';
import { catchUp } from '../catch-up/catch-up.ts';
import { commits } from '../commits/commits.ts';
import { growth } from '../growth/growth.ts';
import { lag } from '../lag/lag.ts';
import { reads } from '../reads/reads.ts';
import type { Goal, Measured, Surroundings, Workload } from '../workload.ts';

/** The workloads that the goals of the project (P1 to P8) are measured by, in the order in which they run. */
export const GOAL_WORKLOADS: readonly Workload[] = [catchUp, bootstrap, lag, commits, reads, growth];

/** All goals of the project in one run, one workload after another, none beside another. */
export const goals: Workload = {
  name: 'goals',
  summary: `every goal of the project: ${GOAL_WORKLOADS.map(({ name }) => name).join(', ')}, one after another`,
  limits: [
    'What the figures of a workload do not say is recorded with that workload: it is not repeated here.',
    'A goal that is a ratio to another system is not decided here: that system is measured by a runner of its own.',
    'All workloads have the same rounds and windows, and as many documents, but none more than it has by itself.',
  ],
  defaults: { seconds: 2, rounds: 3, documents: 1_000_000 },
  run,
};

interface Done extends Pick<Measured, 'goals' | 'figures'> {
  readonly workload: string;
  readonly milliseconds: number;
}

async function run(surroundings: Surroundings): Promise<Measured> {
  const done: Done[] = [];
  for (const workload of GOAL_WORKLOADS) done.push(await runOne(workload, surroundings));
  const found: readonly Goal[] = done.flatMap((one) => one.goals);
  return {
    goals: [...found].sort((one, other) => one.id.localeCompare(other.id, 'en')),
    figures: { workloads: done },
    tables: [],
  };
}

/** Each has nodes and a directory of its own, which are gone before the next begins. */
async function runOne(workload: Workload, surroundings: Surroundings): Promise<Done> {
  const { signal, say } = surroundings;
  signal.throwIfAborted();
  const directory = surroundings.processes.directoryOf(workload.name);
  await mkdir(directory);
  const processes = new Processes(directory);
  const kill = () => void processes.kill();
  signal.addEventListener('abort', kill);
  const began = performance.now();
  try {
    const { goals: found, figures } = await workload.run({
      ...surroundings,
      // More would only make longer what some of them do before they measure.
      documents: Math.min(surroundings.documents, workload.defaults.documents),
      processes,
      say: (text) => say(`${workload.name}: ${text}`),
    });
    const milliseconds = Math.round(performance.now() - began);
    await processes.kill();
    // The disk need not have room for the files of all of them. Those of one that has failed stay, to be looked into.
    await rm(directory, { recursive: true });
    return { workload: workload.name, milliseconds, goals: found, figures };
  } finally {
    signal.removeEventListener('abort', kill);
    await processes.kill();
  }
}
