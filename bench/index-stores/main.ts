import { Command, Option } from 'commander';
import { numberFrom } from '../../src/cli/arguments.ts';
import { benchAndTell, RESULTS, type CommonFlags } from '../command.ts';
import { listOf } from '../lists.ts';
import { indexStoresWorkload } from './index-stores.ts';
import { STORE_NAMES, type StoreName } from './stores.ts';

interface Flags extends CommonFlags {
  readonly reads: number;
  readonly only: readonly StoreName[];
}

await new Command('bench:index-stores')
  .description('the index of a replica on other stores; the exit code never depends on speed')
  .option('--documents <n>', 'documents of W1', numberFrom(1_000, 100_000_000))
  .option('--rounds <n>', 'turns of each store', numberFrom(1, 1_000))
  .option('--reads <n>', 'point reads of a turn', numberFrom(1, 100_000_000), 100_000)
  .addOption(
    new Option('--only <stores>', STORE_NAMES.join(',')).argParser(listOf(STORE_NAMES)).default(STORE_NAMES),
  )
  .option('--keep', 'keep the files of the run and say where they are')
  .option('--record [dir]', `keep the result as JSON and as a document (in ${RESULTS}, if nothing is named)`)
  .option('--note <text>', 'what a reader of the result is to know of this run')
  .option('--json', 'print every figure as one JSON object')
  .action(async (flags: Flags) => {
    const { reads, only: stores } = flags;
    process.exitCode = await benchAndTell(indexStoresWorkload({ reads, stores }), flags);
  })
  .parseAsync();
