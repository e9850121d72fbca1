import { Command, InvalidArgumentError } from 'commander';
import { createReadStream } from 'node:fs';
import { importRows, ROW_NUMBER_AS_ID } from '../import/import.ts';
import type { ClientFlags } from '../client.ts';
import { fieldsText, outputOf } from '../output.ts';
import { progressLine } from '../progress.ts';

const COMMITS_PER_REQUEST = 1_000;
/** What a primary takes in one request. */
const COMMITS_PER_REQUEST_MAX = 10_000;
const ROWS_PER_COMMIT_MAX = 10_000;
const STANDARD_INPUT = '-';
const READ_BYTES = 256 * 1024;

interface ImportFlags extends ClientFlags {
  readonly primary: string;
  readonly collection: string;
  readonly idField: string;
  readonly batch: number;
  readonly rowsPerCommit: number;
}

/** `replichart import`: rows of a file, or of standard input, as commits of a primary. */
export function importCommand(): Command {
  return new Command('import')
    .description('commit the rows of a JSON array or NDJSON file to a running primary')
    .argument('<file>', 'a JSON array of objects, or one object a line; - is standard input')
    .requiredOption('--primary <url>', 'URL of the primary', url)
    .requiredOption('--collection <name>', 'collection that the documents go to', nonEmpty)
    .requiredOption(
      '--id-field <field>',
      `field of a row that is its id; ${ROW_NUMBER_AS_ID} takes the row number`,
      nonEmpty,
    )
    .option(
      '--rows-per-commit <n>',
      'rows that are committed together, all or nothing',
      numberUpTo(ROWS_PER_COMMIT_MAX),
      1,
    )
    .option('--batch <n>', 'commits in one request', numberUpTo(COMMITS_PER_REQUEST_MAX), COMMITS_PER_REQUEST)
    .option('--token-file <file>', 'a file with the bearer token of the primary')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The file is read as a stream, whatever its size. Rows are committed in their order; a row whose id is
there already becomes a new version of that document. At the first row that cannot be imported the
import stops: it names the line and what is wrong, and every row before that line is committed.

Examples:
  echo '{"id":"vie","name":"Vienna"}' | \\
    replichart import --primary http://127.0.0.1:7001 --collection cities --id-field id -
  replichart import --primary http://127.0.0.1:7001 --collection cities --id-field '${ROW_NUMBER_AS_ID}' cities.json

Then look at the first row of the second:
  curl http://127.0.0.1:7001/data/v1/cities/000000001`,
    )
    .action(run);
}

async function run(file: string, flags: ImportFlags): Promise<void> {
  const input: AsyncIterable<Buffer> =
    file === STANDARD_INPUT ? process.stdin : createReadStream(file, { highWaterMark: READ_BYTES });
  const progress = progressLine();
  try {
    const { rows, commits, bytes, position } = await importRows(
      input,
      {
        primary: flags.primary,
        collection: flags.collection,
        idField: flags.idField,
        rowsPerCommit: flags.rowsPerCommit,
        commitsPerRequest: flags.batch,
        client: flags,
      },
      (done) => progress.show(`${done.rows} rows committed, ${done.bytes} bytes read`),
    );
    progress.clear();
    outputOf(flags).result(
      { rows, commits, bytes, position },
      fieldsText({ rows, commits, bytes, position }),
    );
  } catch (error) {
    progress.clear();
    throw error;
  }
}

function url(value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:7001.');
}

function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}

function numberUpTo(max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= 1 && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}
