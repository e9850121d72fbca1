import { join } from 'node:path';
import { decodeHaltRecord, type HaltReason } from '../core/halt.ts';
import type { DataDirectory } from './data-directory.ts';
import { makeDirectoryDurably, readWholeFile } from './durable-file.ts';

/** The recorded halt of a node, or `null`. */
export async function readHalt(directory: DataDirectory): Promise<HaltReason | null> {
  const bytes = await readWholeFile(directory.files, directory.haltFile);
  return bytes === null ? null : decodeHaltRecord(bytes);
}

/**
 * Clears the recorded halt: the record is moved to the evidence, never deleted. One rename, so that after a crash it is
 * either cleared or not.
 *
 * @returns where the record went.
 */
export async function clearHalt(directory: DataDirectory): Promise<string> {
  const { files, evidenceDirectory, haltFile, root } = directory;
  await makeDirectoryDurably(files, evidenceDirectory);
  const taken = new Set(await files.list(evidenceDirectory));
  let number = 1;
  while (taken.has(`halt-${number}`)) number += 1;
  const name = `halt-${number}`;
  await files.rename(haltFile, join(evidenceDirectory, name));
  await files.syncDirectory(evidenceDirectory);
  await files.syncDirectory(root);
  return `evidence/${name}`;
}
