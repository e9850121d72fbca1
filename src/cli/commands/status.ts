import { Command } from 'commander';
import { getStatus } from '../../http/contract/dx.ts';
import { ask, type ClientFlags } from '../client.ts';
import { fieldsText, outputOf } from '../output.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('what a running node is, where it stands, and why')
    .argument('<url>', 'URL of the node')
    .option('--token-file <file>', 'a file with the bearer token of the node')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', '\nExample:\n  replichart status http://127.0.0.1:7001')
    .action(async (url: string, flags: ClientFlags) => {
      const answer = await ask(url, getStatus, flags);
      outputOf(flags).result(answer, fieldsText(answer.data));
    });
}
