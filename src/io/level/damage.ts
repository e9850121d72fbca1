import { join } from 'node:path';
import type { FileSystem } from '../file-system.ts';
import type { LevelDamage } from './format.ts';
import { logRecords } from './log-records.ts';
import { readManifest, type LevelManifest } from './manifest.ts';
import { damageInTable } from './table.ts';

/** A batch in a log begins with its sequence number, of 64 bits, and how many entries it has, of 32. */
const BATCH_HEADER_BYTES = 12;

/**
 * Looks for damage that LevelDB would pass over, before it is opened and writes its files anew. It reads tables without their
 * checksums, drops what it cannot read of a log and takes up the next batch that it can, and misses no log that is gone: entries
 * below a checkpoint that stands would be missing. Reads every file that the manifest names once, a table at a time.
 */
export async function damageOf(files: FileSystem, directory: string): Promise<LevelDamage | null> {
  const manifest = await readManifest(files, directory);
  if (manifest === null) return storeWithoutName(files, directory);
  return (
    (await damageInLogs(files, directory, manifest)) ??
    (await damageInTables(files, directory, manifest.tables))
  );
}

/** Where `CURRENT` is gone LevelDB would begin a new store, and take up the logs of the old one without its tables. */
async function storeWithoutName(files: FileSystem, directory: string): Promise<LevelDamage | null> {
  const names = await files.list(directory);
  // Any other fault of it, or of the manifest, is told by LevelDB.
  if (names.includes('CURRENT')) return null;
  for (const name of names.filter((one) => /^\d+\.(log|ldb|sst)$/.test(one)))
    // A store that was never whole has an empty log at most.
    if (((await files.stat(join(directory, name)))?.bytes ?? 0) > 0)
      return { file: 'CURRENT', expected: 'the name of a manifest', found: `no file, and ${name} beside it` };
  return null;
}

/**
 * Every batch follows the one before, whatever file it stands in. The end of the last log may be missing: each batch is synced
 * before the next one, so a power cut takes the last one only, and the checkpoint that it carries.
 */
async function damageInLogs(
  files: FileSystem,
  directory: string,
  { file: manifest, logNumber, lastSequence }: LevelManifest,
): Promise<LevelDamage | null> {
  const logs = (await files.list(directory))
    .flatMap((file) => {
      const [, number] = /^(\d+)\.log$/.exec(file) ?? [];
      return number === undefined ? [] : [{ file, number: Number(number) }];
    })
    .filter(({ number }) => number >= logNumber)
    .sort((left, right) => left.number - right.number);
  if (logNumber > 0 && !logs.some(({ number }) => number === logNumber))
    return { file: manifest, expected: `log ${logNumber}`, found: 'no such log' };
  let due = { file: manifest, byte: 0, sequence: lastSequence + 1, isExact: false };
  for (const { file } of logs) {
    const handle = await files.open(join(directory, file), 'read');
    try {
      for await (const { byte, head } of logRecords(handle, BATCH_HEADER_BYTES)) {
        if (head.length < BATCH_HEADER_BYTES)
          return { file, expected: 'a batch', found: `${head.length} bytes`, byte };
        const sequence = Number(head.readBigUInt64LE(0));
        if (due.isExact ? sequence !== due.sequence : sequence > due.sequence)
          return {
            file: due.file,
            expected: `a batch from sequence number ${due.sequence} on`,
            found: `one from ${sequence} on, at byte ${byte} of ${file}`,
            byte: due.byte,
          };
        due = { file, byte, sequence: sequence + head.readUInt32LE(8), isExact: true };
      }
    } finally {
      await handle.close();
    }
  }
  return null;
}

async function damageInTables(
  files: FileSystem,
  directory: string,
  tables: ReadonlyMap<number, number>,
): Promise<LevelDamage | null> {
  for (const [number, bytes] of tables) {
    const names = ['ldb', 'sst'].map((kind) => `${String(number).padStart(6, '0')}.${kind}`);
    for (const file of names) {
      const found = (await files.stat(join(directory, file)))?.bytes;
      // A table that is not there is told by LevelDB.
      if (found === undefined) continue;
      if (found !== bytes) return { file, expected: `${bytes} bytes`, found: `${found} bytes` };
      const damage = damageInTable(file, await wholeFile(files, join(directory, file), bytes));
      if (damage !== null) return damage;
    }
  }
  return null;
}

async function wholeFile(files: FileSystem, path: string, bytes: number): Promise<Buffer> {
  const handle = await files.open(path, 'read');
  try {
    const buffer = Buffer.allocUnsafe(bytes);
    return buffer.subarray(0, await handle.read(buffer, 0));
  } finally {
    await handle.close();
  }
}
