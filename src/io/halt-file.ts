import { join } from 'node:path';
import { decodeHaltRecord, type HaltReason } from '../core/halt.ts';
import type { DataDirectory } from './data-directory.ts';
import { ensureDirectory, readWholeFile, replaceFile } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';

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
  await ensureDirectory(files, evidenceDirectory);
  const name = await freeName(files, evidenceDirectory, 'halt');
  await files.rename(haltFile, join(evidenceDirectory, name));
  await files.syncDirectory(evidenceDirectory);
  await files.syncDirectory(root);
  return `evidence/${name}`;
}

/** Keeps bytes as evidence, durably and under a name of their own; says where. */
export async function keepEvidence(
  directory: DataDirectory,
  files: FileSystem,
  what: string,
  bytes: Uint8Array,
): Promise<string> {
  await ensureDirectory(files, directory.evidenceDirectory);
  const name = await freeName(files, directory.evidenceDirectory, what);
  await replaceFile(files, join(directory.evidenceDirectory, name), bytes);
  return `evidence/${name}`;
}

async function freeName(files: FileSystem, evidenceDirectory: string, what: string): Promise<string> {
  const taken = new Set(await files.list(evidenceDirectory));
  let number = 1;
  while (taken.has(`${what}-${number}`)) number += 1;
  return `${what}-${number}`;
}
