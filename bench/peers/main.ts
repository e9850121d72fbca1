import { Command, Option } from 'commander';
import { numberFrom, secondsArgument } from '../../src/cli/arguments.ts';
import { benchAndTell, RESULTS, type CommonFlags } from '../command.ts';
import { listOf } from '../lists.ts';
import { peersWorkload, SYSTEMS, type System } from './peers.ts';
import { GOALS, type GoalId } from './turns.ts';

interface Flags extends CommonFlags {
  readonly lagCommits: number;
  readonly only: readonly System[];
  readonly goals: readonly GoalId[];
}

await new Command('bench:peers')
  .description('Replichart and its peers on the same work, in turns; the exit code never depends on speed')
  .option('--documents <n>', 'documents of W1', numberFrom(1_000, 100_000_000))
  .option('--rounds <n>', 'turns of each system', numberFrom(1, 1_000))
  .option(
    '--lag-commits <n>',
    'single commits that the lag is measured with',
    numberFrom(1, 1_000_000),
    1_000,
  )
  .option('--seconds <n>', 'how long a window of P5 lasts', secondsArgument)
  .addOption(new Option('--only <systems>', SYSTEMS.join(',')).argParser(listOf(SYSTEMS)).default(SYSTEMS))
  .addOption(new Option('--goals <goals>', GOALS.join(',')).argParser(listOf(GOALS)).default(GOALS))
  .option('--keep', 'keep the files of the run and say where they are')
  .option('--record [dir]', `keep the result as JSON and as a document (in ${RESULTS}, if nothing is named)`)
  .option('--note <text>', 'what a reader of the result is to know of this run')
  .option('--json', 'print every figure as one JSON object')
  .action(async (flags: Flags) => {
    const { lagCommits, only: systems, goals } = flags;
    process.exitCode = await benchAndTell(peersWorkload({ lagCommits, systems, goals }), flags);
  })
  .parseAsync();
