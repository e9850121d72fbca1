import { dirname } from 'node:path';
import type { FileSystem } from './file-system.ts';

export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Puts a whole file in place so that after a crash either the old one or the new one stands there, whole: bytes and
 * their fsync under another name, then the rename, then the fsync of the directory.
 */
export async function replaceFile(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  await writeTemporary(files, temporary, bytes);
  await files.rename(temporary, path);
  await files.syncDirectory(dirname(path));
}

/**
 * Puts a whole file in place where nothing stands yet, durably; of several that try at once, one succeeds and the others
 * fail with EEXIST.
 */
export async function createFile(
  files: FileSystem,
  path: string,
  uniqueName: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = `${path}.${uniqueName}${TEMPORARY_SUFFIX}`;
  await writeTemporary(files, temporary, bytes);
  try {
    await files.link(temporary, path);
  } finally {
    await files.remove(temporary);
  }
  await files.syncDirectory(dirname(path));
}

async function writeTemporary(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  if ((await files.stat(path)) !== null) await files.remove(path);
  const handle = await files.open(path, 'create');
  try {
    await handle.append([bytes]);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/**
 * A directory inside another one that exists. Its entry is made durable also where it was there: an earlier process may
 * have died between making it and that.
 */
export async function ensureDirectory(files: FileSystem, path: string): Promise<void> {
  if ((await files.stat(path)) === null) await files.makeDirectory(path);
  await files.syncDirectory(dirname(path));
}

/**
 * Makes a directory that survives a power cut, with those above it. The entries of all of them are made durable, also of
 * those that were there: an earlier process may have died, or failed, between making one and that.
 */
export async function makeDirectoryDurably(files: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  await makeDirectoryDurably(files, parent);
  if ((await files.stat(path)) === null) {
    await files.makeDirectory(path);
    await files.syncDirectory(parent);
  } else {
    await syncWhereAllowed(files, parent);
  }
}

/** A directory that we may not read cannot be synced by us; its entry of ours was there before, and others keep nodes in such. */
async function syncWhereAllowed(files: FileSystem, path: string): Promise<void> {
  try {
    await files.syncDirectory(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
  }
}

/** All the bytes of a small file, or `null` where there is none. */
export async function readWholeFile(files: FileSystem, path: string): Promise<Buffer | null> {
  const found = await files.stat(path);
  if (found === null) return null;
  const handle = await files.open(path, 'read');
  try {
    const buffer = Buffer.alloc(found.bytes);
    return buffer.subarray(0, await handle.read(buffer, 0));
  } finally {
    await handle.close();
  }
}
