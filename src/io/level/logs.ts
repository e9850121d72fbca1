import { join } from 'node:path';
import type { FileSystem } from '../file-system.ts';
import { wholeRecords } from './log-records.ts';
import type { LevelManifest } from './manifest.ts';

/** A batch in a log begins with its sequence number, of 64 bits, and how many entries it has, of 32. */
const BATCH_HEADER_BYTES = 12;

/** What was cut off the logs: the end of one, and every log behind it. */
export interface LogsCut {
  readonly file: string;
  readonly byte: number;
  /** In this file and in those behind it. */
  readonly bytes: number;
}

/**
 * Cuts the logs at the first place where one is not whole, or does not go on where the one before it ended. They hold the
 * newest batches, which were not synced: a power cut may leave holes in them. LevelDB would leave out what it cannot read and
 * take up what stands behind it, and a checkpoint would stand above entries that are missing. What is left is all that was
 * written up to a point, with the checkpoint of that point; the rest is applied again from the WAL.
 *
 * @param proveUnlocked Throws where another process has the store open: then nothing is cut.
 */
export async function cutLogs(
  files: FileSystem,
  directory: string,
  { logNumber, lastSequence }: LevelManifest,
  proveUnlocked: () => Promise<void>,
): Promise<LogsCut | null> {
  const logs = await logsFrom(files, directory, logNumber);
  // A log that the manifest names and that is gone was lost as a whole.
  const isFirstThere = logNumber === 0 || logs[0]?.number === logNumber;
  let due: Due = { sequence: lastSequence + 1, isExact: false };
  for (const [index, log] of logs.entries()) {
    const ended = isFirstThere ? await wholeEnd(files, join(directory, log.file), due) : null;
    if (ended !== null && ended.byte === log.bytes) {
      due = ended.due;
      continue;
    }
    const byte = ended?.byte ?? 0;
    const behind = logs.slice(index + 1);
    const bytes = behind.reduce((sum, one) => sum + one.bytes, log.bytes - byte);
    await proveUnlocked();
    await cut(files, directory, log.file, byte, behind);
    return bytes === 0 ? null : { file: log.file, byte, bytes };
  }
  return null;
}

interface Log {
  readonly file: string;
  readonly number: number;
  readonly bytes: number;
}

/** The sequence number that the next batch begins with: that one, or at most that one. */
interface Due {
  readonly sequence: number;
  readonly isExact: boolean;
}

/** The logs that LevelDB will read, in its order. */
async function logsFrom(files: FileSystem, directory: string, logNumber: number): Promise<Log[]> {
  const logs: Log[] = [];
  for (const file of await files.list(directory)) {
    const [, number] = /^(\d+)\.log$/.exec(file) ?? [];
    if (number === undefined || Number(number) < logNumber) continue;
    logs.push({ file, number: Number(number), bytes: (await files.stat(join(directory, file)))?.bytes ?? 0 });
  }
  return logs.sort((left, right) => left.number - right.number);
}

/** Where the last batch ends that follows all those before it, and what is due then. */
async function wholeEnd(
  files: FileSystem,
  path: string,
  from: Due,
): Promise<{ readonly byte: number; readonly due: Due }> {
  let [byte, due] = [0, from];
  const handle = await files.open(path, 'read');
  try {
    for await (const { head, end } of wholeRecords(handle, BATCH_HEADER_BYTES)) {
      if (head.length < BATCH_HEADER_BYTES) break;
      const sequence = Number(head.readBigUInt64LE(0));
      if (due.isExact ? sequence !== due.sequence : sequence > due.sequence) break;
      due = { sequence: sequence + head.readUInt32LE(8), isExact: true };
      byte = end;
    }
  } finally {
    await handle.close();
  }
  return { byte, due };
}

/** The last log first: a crash on the way leaves a shorter end, which is cut again. */
async function cut(
  files: FileSystem,
  directory: string,
  file: string,
  byte: number,
  behind: readonly Log[],
): Promise<void> {
  for (const log of [...behind].reverse()) await files.remove(join(directory, log.file));
  const handle = await files.open(join(directory, file), 'append');
  try {
    await handle.truncate(byte);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await files.syncDirectory(directory);
}
