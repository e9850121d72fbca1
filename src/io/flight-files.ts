import { join } from 'node:path';
import { flightFileNumber } from '../core/flight/file-name.ts';
import type { FileSystem } from './file-system.ts';

/** A file that a flight recorder began. */
export interface KeptFlightFile {
  readonly name: string;
  readonly number: number;
  readonly bytes: number;
}

/**
 * The files of a flight recorder in a directory, in the order in which they were begun. Only regular files with such a
 * name are any: whatever else has one is not looked into, and not removed.
 */
export async function keptFlightFiles(
  files: FileSystem,
  directory: string,
): Promise<readonly KeptFlightFile[]> {
  const kept: KeptFlightFile[] = [];
  for (const name of await files.list(directory)) {
    const number = flightFileNumber(name);
    const found = number === null ? null : await files.stat(join(directory, name));
    if (number !== null && found?.kind === 'file') kept.push({ name, number, bytes: found.bytes });
  }
  return kept;
}
