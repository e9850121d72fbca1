import { join } from 'node:path';
import type { FileSystem } from '../file-system.ts';
import { LevelFields } from './format.ts';
import { logRecords } from './log-records.ts';

/** What the manifest of a LevelDB directory says that the directory consists of. */
export interface LevelManifest {
  readonly file: string;
  /** By number, with its size in bytes. */
  readonly tables: ReadonlyMap<number, number>;
  /** Logs before this one are obsolete; 0: no log was named yet. */
  readonly logNumber: number;
  /** Every batch in those logs begins at the next sequence number at the latest. */
  readonly lastSequence: number;
}

/** Tags of the fields of a version edit. Source: LevelDB’s `db/version_edit.cc`. */
const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const;

/**
 * Reads it as LevelDB does. `null`: there is none that can be read, which LevelDB finds as well when it is opened, and says so.
 */
export async function readManifest(files: FileSystem, directory: string): Promise<LevelManifest | null> {
  const file = await currentManifest(files, directory);
  if (file === null || (await files.stat(join(directory, file)))?.kind !== 'file') return null;
  const manifest = { file, tables: new Map<number, number>(), logNumber: 0, lastSequence: 0 };
  const handle = await files.open(join(directory, file), 'read');
  try {
    for await (const { head } of logRecords(handle)) take(manifest, new LevelFields(head));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  } finally {
    await handle.close();
  }
  return manifest;
}

async function currentManifest(files: FileSystem, directory: string): Promise<string | null> {
  const path = join(directory, 'CURRENT');
  if ((await files.stat(path))?.kind !== 'file') return null;
  const handle = await files.open(path, 'read');
  try {
    const buffer = Buffer.alloc(64);
    const name = buffer.subarray(0, await handle.read(buffer, 0)).toString('latin1');
    return /^(MANIFEST-\d+)\n$/.exec(name)?.[1] ?? null;
  } finally {
    await handle.close();
  }
}

function take(
  manifest: { tables: Map<number, number>; logNumber: number; lastSequence: number },
  edit: LevelFields,
) {
  while (!edit.isAtEnd) {
    const tag = edit.varint();
    if (tag === TAG.comparator) edit.string();
    else if (tag === TAG.logNumber) manifest.logNumber = edit.varint();
    else if (tag === TAG.lastSequence) manifest.lastSequence = edit.varint();
    else if (tag === TAG.nextFileNumber || tag === TAG.previousLogNumber) edit.varint();
    else if (tag === TAG.compactPointer) {
      edit.varint();
      edit.string();
    } else if (tag === TAG.deletedFile) {
      edit.varint();
      manifest.tables.delete(edit.varint());
    } else if (tag === TAG.newFile) {
      edit.varint();
      manifest.tables.set(edit.varint(), edit.varint());
      edit.string();
      edit.string();
    } else throw new RangeError(`no field of a version edit: ${tag}`);
  }
}
