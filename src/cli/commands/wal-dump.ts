import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, ReplichartError, type ExitCode } from '../../core/errors.ts';
import { RECORD_LEVELS, type WalRecord } from '../../core/wal/records.ts';
import { dumpWal, type DumpQuery, type EndRecord } from '../../io/wal/dump.ts';
import { numberFrom } from '../arguments.ts';
import { writeLines } from '../lines.ts';
import { outputOf } from '../output.ts';
import { recordLine } from '../record-line.ts';
import {
  ENDS_HELP,
  EXIT_OF_END,
  PARTIAL_HELP,
  walPlaceOf,
  withPlace,
  type PlaceFlags,
} from '../wal-place.ts';

interface DumpFlags extends PlaceFlags {
  readonly commit?: number;
  readonly fromCommit?: number;
  readonly toCommit?: number;
  readonly fromLsn?: number;
  readonly toLsn?: number;
  readonly collection?: string;
  readonly id?: string;
  readonly level: string;
  readonly documents?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
}

const LEVELS = RECORD_LEVELS.map((level) => `${level}s`);

/** `replichart wal dump` */
export function walDumpCommand(setExit: (code: ExitCode) => void): Command {
  return withPlace(
    new Command('dump').description(
      'print what a WAL holds, proving it on the way; works while the node runs, and on some of its segments',
    ),
  )
    .addOption(
      new Option('--commit <id>', 'only this commit')
        .argParser(numberFrom(1))
        .conflicts(['fromCommit', 'toCommit']),
    )
    .option('--from-commit <id>', 'only this commit and later ones', numberFrom(1))
    .option('--to-commit <id>', 'only this commit and earlier ones', numberFrom(1))
    .option('--from-lsn <lsn>', 'from the segment header or frame on that holds this LSN', numberFrom(0))
    .option('--to-lsn <lsn>', 'up to this LSN: what begins there is left out', numberFrom(0))
    .option('--collection <name>', 'only operations on this collection', nonEmpty)
    .option('--id <id>', 'only operations on documents with this id', nonEmpty)
    .addOption(
      new Option('--level <level>', 'the smallest thing to print').choices(LEVELS).default('operations'),
    )
    .option('--documents', 'print the documents as well')
    .option('--limit <n>', 'at most so many lines before the last', numberFrom(1))
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', HELP)
    .action((flags: DumpFlags) => dump(flags, setExit));
}

const HELP = `
Filters go together. A segment, a frame or a commit is printed before the first thing in it that is
selected. "lsn" of a commit or operation is where it stands; ids and collections that are no UTF-8 are
printed as base64, in "id_base64" and "collection_base64". With --documents a document is "document"
where it is JSON without spaces, and "document_base64" where it is any other bytes.

--from-lsn, --from-commit and --commit begin at the start of the segment that they lead to, and prove it
from there. ${PARTIAL_HELP}

The last line is "end" always. Verdicts, and the exit code of each:
${ENDS_HELP}
  proven        (0)  --to-lsn, --to-commit, --commit or --limit ended the dump: what was read is proved

After the first thing that does not hold nothing is printed: "stop" says where and what it is, and
"valid_unit_lsn" where something stands that is valid in itself.

Examples:
  replichart wal dump --data ./primary | head
  replichart wal dump --data ./primary --commit 12 --documents --json
  replichart wal dump --wal ./copied --collection cities --id vie
  replichart wal dump --data ./replica --level frames --from-lsn 4096 --to-lsn 8192`;

async function dump(flags: DumpFlags, setExit: (code: ExitCode) => void): Promise<void> {
  const query = queryOf(flags);
  const records = dumpWal(await walPlaceOf(flags), query);
  const end: { record: EndRecord | null } = { record: null };
  async function* lines() {
    for await (const record of records) {
      if (isEnd(record)) end.record = record;
      yield flags.json === true ? JSON.stringify(record) : lineOf(record);
    }
  }
  const isRead = await writeLines(lines());
  // Whoever closed the pipe has seen enough; no verdict was asked for.
  if (!isRead || end.record === null) return setExit(EXIT.ok);
  const { verdict, message, notes } = end.record;
  if (flags.json !== true) for (const note of [message, ...notes]) outputOf(flags).note(note);
  setExit(EXIT_OF_END[verdict]);
}

/** What the end has to say in sentences goes to standard error. */
function lineOf(record: WalRecord | EndRecord): string {
  if (!isEnd(record)) return recordLine(record);
  const { message: _message, notes: _notes, ...line } = record;
  return recordLine(line);
}

function isEnd(record: WalRecord | EndRecord): record is EndRecord {
  return record.record === 'end';
}

function queryOf(flags: DumpFlags): DumpQuery {
  const query: DumpQuery = {
    level: RECORD_LEVELS[LEVELS.indexOf(flags.level)] ?? 'operation',
    documents: flags.documents === true,
    fromLsn: flags.fromLsn ?? null,
    toLsn: flags.toLsn ?? null,
    fromCommitId: flags.commit ?? flags.fromCommit ?? null,
    toCommitId: flags.commit ?? flags.toCommit ?? null,
    collection: flags.collection === undefined ? null : Buffer.from(flags.collection),
    id: flags.id === undefined ? null : Buffer.from(flags.id),
    limit: flags.limit ?? null,
  };
  assertRange('--from-commit', query.fromCommitId, '--to-commit', query.toCommitId);
  assertRange('--from-lsn', query.fromLsn, '--to-lsn', query.toLsn);
  return query;
}

function assertRange(fromName: string, from: number | null, toName: string, to: number | null): void {
  if (from !== null && to !== null && from > to)
    throw new ReplichartError('REQUEST_INVALID', `${fromName} is ${from}, which lies behind ${toName} ${to}`);
}

function nonEmpty(value: string): string {
  if (value === '') throw new InvalidArgumentError('It must not be empty.');
  return value;
}
