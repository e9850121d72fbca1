import Table from 'cli-table3';
import { Command } from 'commander';
import type { ExitCode } from '../../core/errors.ts';
import { COLLECTIONS_MAX, walStats, type WalStats } from '../../io/wal/stats.ts';
import { fieldsText, outputOf } from '../output.ts';
import { progressLine } from '../progress.ts';
import {
  ENDS_HELP,
  EXIT_OF_END,
  PARTIAL_HELP,
  walPlaceOf,
  withPlace,
  type PlaceFlags,
} from '../wal-place.ts';

interface StatsFlags extends PlaceFlags {
  readonly json?: boolean;
}

/** `replichart wal stats` */
export function walStatsCommand(setExit: (code: ExitCode) => void): Command {
  return withPlace(
    new Command('stats').description(
      'count what a WAL holds, proving it on the way; works while the node runs, and on some of its segments',
    ),
  )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action((flags: StatsFlags) => stats(flags, setExit));
}

const HELP = `
All counts are of what is proved, up to "proven_to". "commits_per_frame" and "frame_bytes" are of frames of
commits: min, mean and max are exact, p50 and p99 are upper bounds, at most twice the true value. The first
${COLLECTIONS_MAX} collections are counted one by one, those met after them together, as "other".

${PARTIAL_HELP}

Verdicts, and the exit code of each:
${ENDS_HELP}

Examples:
  replichart wal stats --data ./primary
  replichart wal stats --wal ./copied --json`;

async function stats(flags: StatsFlags, setExit: (code: ExitCode) => void): Promise<void> {
  const place = await walPlaceOf(flags);
  const progress = progressLine();
  let found: WalStats;
  try {
    found = await walStats(place, ({ bytes, totalBytes, commitId }) =>
      progress.show(`${bytes} of ${totalBytes} bytes proved, up to commit ${commitId}`),
    );
  } finally {
    progress.clear();
  }
  const output = outputOf(flags);
  output.result(found, statsText(found, process.stdout.isTTY));
  if (!output.json) for (const note of [found.message, ...found.notes]) output.note(note);
  setExit(EXIT_OF_END[found.verdict]);
}

function statsText(found: WalStats, onTerminal: boolean): string {
  const { collections, other, stop, message: _message, notes: _notes, ...summary } = found;
  const rows = rowsOf({ collections, other });
  return [
    fieldsText(summary),
    ...(stop === null ? [] : [fieldsText(stop)]),
    ...(rows.length === 0 ? [] : [onTerminal ? tableOf(rows) : tabSeparated(rows)]),
  ].join('\n\n');
}

const HEAD = ['collection', 'puts', 'deletes', 'document_bytes'];

type Row = readonly [name: string, puts: number, deletes: number, documentBytes: number];

function rowsOf({ collections, other }: Pick<WalStats, 'collections' | 'other'>): Row[] {
  const rows = collections.map(({ puts, deletes, document_bytes: documentBytes, ...name }): Row => [
    JSON.stringify(name.collection ?? name),
    puts,
    deletes,
    documentBytes,
  ]);
  if (other === null) return rows;
  return [...rows, ['other', other.puts, other.deletes, other.document_bytes]];
}

/** Names are in quotes, so a collection named "other" is not taken for the rest. */
function tabSeparated(rows: readonly Row[]): string {
  return [HEAD, ...rows].map((row) => row.join('\t')).join('\n');
}

function tableOf(rows: readonly Row[]): string {
  const table = new Table({ head: HEAD, colAligns: ['left', 'right', 'right', 'right'] });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
