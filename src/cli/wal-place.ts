import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import { EXIT, ReplichartError, type ExitCode } from '../core/errors.ts';
import { nodeFileSystem } from '../io/node-file-system.ts';
import { placeOfNode, type WalPlace } from '../io/wal/beginning.ts';
import type { WalEndVerdict } from '../io/wal/conclusion.ts';
import { directoryOf } from './directory.ts';

/** Where a command finds the WAL that it reads. */
export interface PlaceFlags {
  readonly data?: string;
  readonly wal?: string;
}

export function withPlace(command: Command): Command {
  return command
    .option('--data <dir>', 'data directory of a node, running or not')
    .addOption(
      new Option('--wal <dir>', 'a directory of segment files alone, or of some of them').conflicts('data'),
    );
}

/** @throws ReplichartError where there is no such directory, or nothing in it that could be read. */
export async function walPlaceOf({ data, wal }: PlaceFlags): Promise<WalPlace> {
  if (wal !== undefined) return bareDirectory(wal);
  if (data === undefined)
    throw new ReplichartError('REQUEST_INVALID', 'say where the WAL is: --data <dir> or --wal <dir>');
  const { directory, identity } = await directoryOf(data);
  return placeOfNode(directory, identity);
}

async function bareDirectory(wal: string): Promise<WalPlace> {
  const walDirectory = resolve(wal);
  const found = await nodeFileSystem.stat(walDirectory);
  const names = found?.kind === 'directory' ? await nodeFileSystem.list(walDirectory) : [];
  if (!names.some((name) => name.endsWith('.wal')))
    throw new ReplichartError(
      'REQUEST_INVALID',
      `${wal} is no directory with segment files${names.includes('identity') ? '; of a data directory, say --data' : ''}`,
      { evidence: { directory: walDirectory } },
    );
  return { files: nodeFileSystem, walDirectory, clusterId: null, cuts: [] };
}

export const EXIT_OF_END: Readonly<Record<WalEndVerdict, ExitCode>> = {
  clean: EXIT.ok,
  proven: EXIT.ok,
  torn: EXIT.tornTail,
  corrupt: EXIT.corruption,
  'broken chain': EXIT.corruption,
};

export const ENDS_HELP = `  clean         (0)  every unit is proved: framing, checksum, order, history hash, commit ids
  torn          (6)  the end is incomplete or invalid, and nothing valid stands at it or behind it
  corrupt       (5)  a unit breaks a rule before something that is valid
  broken chain  (5)  a unit is whole but does not continue the history before it: another history hash,
                     commit id, LSN or cluster; or the segment files do not join`;

export const PARTIAL_HELP = `Where the first segments are not there, that is no error: the first that is there is taken at its word
about the history before it, and "begins_at" and a note say so. Only files are read, and none is changed.`;
