import { rm } from 'node:fs/promises';
import type { DemoNode } from '../../demo/processes.ts';
import { BenchFailure } from '../failure.ts';
import { makeHistory } from '../history.ts';
import { digestOf } from '../prove.ts';
import { workFacts } from '../w1.ts';
import type { Measured, Surroundings, Workload } from '../workload.ts';
import { measureCatchUp, type Timing } from './measure.ts';
import { profileShares, readProfiles, type ProfileShares } from './profile.ts';
import { measuredOf } from './report.ts';
import { catchUpRounds } from './rounds.ts';

const PROFILE_MICROSECONDS = 250;

/** How fast an empty replica catches up with a long WAL, what memory it takes, and what deciding costs of it. */
export const catchUp: Workload = {
  name: 'catch-up',
  summary:
    'how fast an empty replica catches up with the WAL of a primary (P1), its memory (P4), the chart’s share (P7)',
  limits: [
    'Primary and replica share one machine: with few cores, what the primary takes to send is taken from the replica.',
    'The primary has its WAL in the page cache, as it has just been written or read.',
    'A time ends when a read of the last commit is admitted; it is asked for more and more closely, at most every 2 ms.',
    'Memory is what the system counts as resident at its peak, code and files that are mapped included.',
    'The share of the chart is of a round of its own that is profiled, and of JavaScript threads only; what garbage collection does is in the total, and nobody’s.',
  ],
  defaults: { seconds: 2, rounds: 5, documents: 1_000_000 },
  run,
};

async function run(surroundings: Surroundings): Promise<Measured> {
  const { processes, documents, signal, say } = surroundings;
  const directory = processes.directoryOf('primary');
  const end = await makeHistory({ directory, documents, signal, say });
  const primary = await processes.start('primary', 'primary');
  say('reading the state of the primary');
  const expected = await digestOf(primary, end.commitId);
  const caughtUp = await catchUpRounds(surroundings, primary, expected, { commitId: end.commitId });
  say('one more round, profiled');
  return measuredOf({
    workload: workFacts(documents),
    ...caughtUp,
    profile: await profiled(surroundings, primary, end.commitId),
  });
}

/** The same once more under the profiler of V8, which slows it: its time is not counted. */
async function profiled(
  surroundings: Surroundings,
  primary: DemoNode,
  commitId: number,
): Promise<ProfileShares> {
  const name = 'replica-profiled';
  const { processes } = surroundings;
  const directory = processes.directoryOf('profile');
  let taken: Timing | null = null;
  await measureCatchUp(surroundings, {
    name,
    primary,
    commitId,
    nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-interval=${PROFILE_MICROSECONDS}`],
    then: async (_replica, timing) => {
      taken = timing;
    },
  });
  if (taken === null) throw new BenchFailure('the profiled round was not timed');
  const shares = profileShares(await readProfiles(directory), taken);
  await rm(processes.directoryOf(name), { recursive: true });
  return shares;
}
