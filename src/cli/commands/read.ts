import { Command, Option } from 'commander';
import { ReplichartError } from '../../core/errors.ts';
import { getDocument, getDocuments, LIMIT_MAX } from '../../http/contract/data.ts';
import { numberFrom, positionArgument } from '../arguments.ts';
import { ask, type ClientFlags } from '../client.ts';
import { fieldsText, outputOf } from '../output.ts';
import { tableText } from '../table.ts';

interface ReadFlags extends ClientFlags {
  readonly at?: number;
  readonly position?: string;
  readonly after?: string;
  readonly limit?: number;
  readonly proof?: boolean;
}

/** `replichart read`: a document, or the documents of a collection, as a node answers for them. */
export function readCommand(): Command {
  return new Command('read')
    .description('read a document, or the documents of a collection, from a running node')
    .argument('<url>', 'URL of the node, primary or replica')
    .argument('<collection>', 'the collection')
    .argument('[id]', 'id of a document; left out, documents in the order of their ids')
    .option('--at <commit-id>', 'read the state at this commit id', numberFrom(0))
    .addOption(
      new Option(
        '--position <commit-id:lsn:hash>',
        'read the state at this position, if it is in the history of the node',
      )
        .argParser(positionArgument)
        .conflicts('at'),
    )
    .option('--after <id>', 'without an id: only documents behind this id')
    .option('--limit <n>', 'without an id: at most so many documents', numberFrom(1, LIMIT_MAX))
    .option('--proof', 'with its proof, which replichart explain read --verify checks')
    .option('--token-file <file>', 'a file with the bearer token of the node')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `
A node answers only what it can prove. Where it refuses, the rules that do not hold are shown, and the
exit code is 4. A document that is not there is an answer: exit code 0.

Examples:
  replichart read http://127.0.0.1:7002 cities vie
  replichart read http://127.0.0.1:7002 cities --at 12 --limit 10
  replichart read http://127.0.0.1:7002 cities vie --proof --json > kept.json`,
    )
    .action((url: string, collection: string, id: string | undefined, flags: ReadFlags) =>
      id === undefined ? readRange(url, collection, flags) : readPoint(url, collection, id, flags),
    );
}

async function readPoint(url: string, collection: string, id: string, flags: ReadFlags): Promise<void> {
  if (flags.after !== undefined || flags.limit !== undefined)
    throw new ReplichartError('REQUEST_INVALID', '--after and --limit go with a range: leave the id out');
  const answer = await ask(url, getDocument, flags, { params: { collection, id }, query: queryOf(flags) });
  outputOf(flags).result(answer, `${answer.found ? '' : 'not found\n'}${fieldsText(answer)}`);
}

async function readRange(url: string, collection: string, flags: ReadFlags): Promise<void> {
  const answer = await ask(url, getDocuments, flags, { params: { collection }, query: queryOf(flags) });
  const { documents, ...rest } = answer;
  const rows = documents.map(({ id, id_base64: base64, version_commit_id: version, ...body }) => [
    id ?? base64 ?? '',
    version,
    JSON.stringify(body.document ?? body),
  ]);
  outputOf(flags).result(
    answer,
    [
      fieldsText({ ...rest, next_after: rest.next_after ?? 'none', documents: documents.length }),
      ...(rows.length === 0 ? [] : [tableText({ head: ['id', 'version', 'document'], rows })]),
    ].join('\n'),
  );
}

function queryOf({ at, position, after, limit, proof }: ReadFlags) {
  return { at, position, after, limit, proof: proof === true ? 1 : undefined };
}
