import { Command } from 'commander';
import { haltToJson } from '../../core/halt.ts';
import { clearHalt, readHalt } from '../../io/halt-file.ts';
import { directoryOf } from '../directory.ts';
import { whileNotRunning } from '../not-running.ts';
import { fieldsText, outputOf } from '../output.ts';

interface HaltFlags {
  readonly data: string;
  readonly json?: boolean;
}

/** `replichart halt show|clear`: the recorded halt of a node that does not run. */
export function haltCommand(): Command {
  const command = new Command('halt').description('show or clear the recorded halt of a node');
  command
    .command('show')
    .description('why the node halted; works while it runs')
    .requiredOption('--data <dir>', 'data directory of the node')
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  replichart halt show --data ./replica')
    .action(async (flags: HaltFlags) => {
      const halt = await readHalt((await directoryOf(flags.data)).directory);
      outputOf(flags).result(
        { halted: halt !== null, halt: halt && haltToJson(halt) },
        halt === null ? 'no halt is recorded' : fieldsText({ ...haltToJson(halt) }),
      );
    });
  command
    .command('clear')
    .description('let the node start again; the record is kept with the evidence')
    .requiredOption('--data <dir>', 'data directory of the node, which must not run')
    .option('--json', 'print as JSON')
    .addHelpText('after', '\nExample:\n  replichart halt clear --data ./replica')
    .action(async (flags: HaltFlags) => {
      const { directory } = await directoryOf(flags.data);
      const { halt, keptAs } = await whileNotRunning(directory, async () => {
        const recorded = await readHalt(directory);
        return { halt: recorded, keptAs: recorded === null ? null : await clearHalt(directory) };
      });
      outputOf(flags).result(
        { cleared: halt !== null, kept_as: keptAs, halt: halt && haltToJson(halt) },
        keptAs === null
          ? 'no halt is recorded'
          : `cleared ${halt?.code ?? ''}; the record is kept as ${keptAs}`,
      );
    });
  return command;
}
