import { Command, InvalidArgumentError, Option } from 'commander';
import type { JsonObject } from '../../core/bytes.ts';
import { ReplichartError } from '../../core/errors.ts';
import { errorFromProblem } from '../../http/problem.ts';
import { numberFrom } from '../arguments.ts';
import { ask, type ClientFlags } from '../client.ts';
import { fieldsText, outputOf } from '../output.ts';
import { tableText } from '../table.ts';

interface ReadFlags extends ClientFlags {
  readonly at?: number;
  readonly position?: string;
  readonly after?: string;
  readonly limit?: number;
}

type FoundDocument = JsonObject & { readonly id: string; readonly version_commit_id: number };

const NOT_FOUND = 404;
const LIMIT_MAX = 10_000;

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
        .argParser(position)
        .conflicts('at'),
    )
    .option('--after <id>', 'without an id: only documents behind this id')
    .option('--limit <n>', 'without an id: at most so many documents', numberFrom(1, LIMIT_MAX))
    .option('--token-file <file>', 'a file with the bearer token of the node')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `
A node answers only what it can prove. Where it refuses, the rules that do not hold are shown, and the
exit code is 4. A document that is not there is an answer: exit code 0.

Examples:
  replichart read http://127.0.0.1:7002 cities vie
  replichart read http://127.0.0.1:7002 cities --at 12 --limit 10`,
    )
    .action((url: string, collection: string, id: string | undefined, flags: ReadFlags) =>
      id === undefined ? readRange(url, collection, flags) : readPoint(url, collection, id, flags),
    );
}

async function readPoint(url: string, collection: string, id: string, flags: ReadFlags): Promise<void> {
  if (flags.after !== undefined || flags.limit !== undefined)
    throw new ReplichartError('REQUEST_INVALID', '--after and --limit go with a range: leave the id out');
  const path = `data/v1/${segment('collection', collection)}/${segment('id', id)}`;
  const answer = (await ask(url, `${path}${queryOf({ ...flags })}`, flags, {
    accept: [NOT_FOUND],
  })) as JsonObject;
  // Only a node that says of the document that it is not there has answered.
  if (typeof answer['found'] !== 'boolean')
    throw errorFromProblem(answer) ?? new ReplichartError('INTERNAL', `${url} gave no answer to a read`);
  outputOf(flags).result(answer, `${answer['found'] ? '' : 'not found\n'}${fieldsText(answer)}`);
}

async function readRange(url: string, collection: string, flags: ReadFlags): Promise<void> {
  const path = `data/v1/${segment('collection', collection)}${queryOf({ ...flags })}`;
  const answer = (await ask(url, path, flags)) as JsonObject & {
    readonly documents: readonly FoundDocument[];
  };
  const { documents, ...rest } = answer;
  const rows = documents.map(({ id, version_commit_id: version, ...body }) => [
    id,
    version,
    JSON.stringify(body['document'] ?? body),
  ]);
  outputOf(flags).result(
    answer,
    [
      fieldsText({ ...rest, next_after: rest['next_after'] ?? 'none', documents: documents.length }),
      ...(rows.length === 0 ? [] : [tableText({ head: ['id', 'version', 'document'], rows })]),
    ].join('\n'),
  );
}

/** A name as a piece of a path. */
function segment(what: string, name: string): string {
  if (name === '' || name === '.' || name === '..')
    throw new ReplichartError(
      'REQUEST_INVALID',
      `${what} is ${JSON.stringify(name)}: an address cannot carry that name`,
      { evidence: { field: what, value: name } },
    );
  return encodeURIComponent(name);
}

function queryOf({ at, position: where, after, limit }: Omit<ReadFlags, 'json'>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ at, position: where, after, limit }))
    if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function position(value: string): string {
  if (/^\d{1,16}:\d{1,16}:[0-9a-f]{64}$/.test(value)) return value;
  throw new InvalidArgumentError('It must be COMMIT_ID:LSN:HASH, the hash in 64 lower case digits.');
}
