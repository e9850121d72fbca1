import { Command } from 'commander';
import { postPrune } from '../../http/contract/data.ts';
import { numberFrom } from '../arguments.ts';
import { ask, type ClientFlags } from '../client.ts';
import { fieldsText, outputOf } from '../output.ts';

interface PruneFlags extends ClientFlags {
  readonly upTo?: number;
}

/** `replichart prune`: bounds the space that a node takes. */
export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'put a base file in the place of the history of a running node, and remove the WAL before it',
    )
    .argument('<url>', 'URL of the node, primary or replica')
    .option('--up-to <commit-id>', 'keep the commits from this one on as WAL', numberFrom(0))
    .option('--token-file <file>', 'a file with the bearer token of the node')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `
The node goes on reading and writing. Its base file holds every version up to the newest segment boundary
that is applied; views of older commits are answered as before. The WAL before it goes only after all of it
was proved again, and every version in it counted in the base file.

A primary is never pruned behind its oldest snapshot: make a new one, let the replicas pass it, and remove
the old one first. A replica that still needs what is gone is told so (WAL_PRUNED, exit code 7): it begins
again in an empty directory with --bootstrap snapshot.

Examples:
  replichart prune http://127.0.0.1:7002
  replichart prune http://127.0.0.1:7001 --up-to 120000`,
    )
    .action(async (url: string, flags: PruneFlags) => {
      const query = flags.upTo === undefined ? {} : { up_to: flags.upTo };
      const pruned = await ask(url, postPrune, flags, { query, long: true });
      const nothing = pruned.segments_removed === 0 ? 'there is nothing to prune\n' : '';
      outputOf(flags).result(pruned, `${nothing}${fieldsText(pruned)}`);
    });
}
