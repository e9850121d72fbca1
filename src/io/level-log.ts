import { join } from 'node:path';
import { crc32c } from '../core/bytes.ts';
import type { FileHandle, FileSystem } from './file-system.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Kinds of a log record: whole, or the first, a middle and the last piece of one that crosses blocks. */
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;

/** A damaged stretch of a log that more than the end of the last batch stands behind. */
export interface LogDamage {
  readonly file: string;
  /** The block of the file, of 32 KiB, that the damage is in. */
  readonly block: number;
  /** Where the next batch begins that would be taken up. */
  readonly resumesInFile: string;
  readonly resumesInBlock: number;
}

/**
 * Looks for damage that LevelDB would pass over. It drops what it cannot read of a log and takes up the next batch that it can,
 * and nothing tells it not to: the entries of a batch in between would be missing below a checkpoint that stands. The end of the
 * newest log may be damaged: every batch is synced before the next one, so a power cut takes the last one only.
 */
export async function damageInLogs(files: FileSystem, directory: string): Promise<LogDamage | null> {
  const logs = (await files.list(directory)).filter((name) => /^\d+\.log$/.test(name)).sort();
  let damage: Omit<LogDamage, 'resumesInFile' | 'resumesInBlock'> | null = null;
  for (const file of logs) {
    const handle = await files.open(join(directory, file), 'read');
    try {
      for await (const { block, isWhole, beginsBatch } of blocksOf(handle)) {
        // A newer log without a batch is what an interrupted recovery leaves beside the log that it read.
        if (damage !== null && beginsBatch) return { ...damage, resumesInFile: file, resumesInBlock: block };
        if (!isWhole) damage ??= { file, block };
      }
    } finally {
      await handle.close();
    }
  }
  return null;
}

async function* blocksOf(handle: FileHandle) {
  const buffer = Buffer.alloc(BLOCK_BYTES);
  for (let block = 0; ; block += 1) {
    const bytes = await handle.read(buffer, block * BLOCK_BYTES);
    yield { block, ...readBlock(buffer.subarray(0, bytes)) };
    if (bytes < BLOCK_BYTES) return;
  }
}

/** Whether all of a block can be read, and whether a batch begins in what can be. As LevelDB does, it ends at the first fault. */
function readBlock(block: Buffer): { readonly isWhole: boolean; readonly beginsBatch: boolean } {
  let beginsBatch = false;
  // What is shorter than a header at the end of a full block is filling.
  for (let at = 0; at < block.length && at + HEADER_BYTES <= BLOCK_BYTES;) {
    if (at + HEADER_BYTES > block.length) return { isWhole: false, beginsBatch };
    const end = at + HEADER_BYTES + block.readUInt16LE(at + 4);
    const kind = block[at + 6] as number;
    if (kind < WHOLE || kind > LAST || end > block.length) return { isWhole: false, beginsBatch };
    if (block.readUInt32LE(at) !== masked(crc32c(block.subarray(at + 6, end))))
      return { isWhole: false, beginsBatch };
    if (kind === WHOLE || kind === FIRST) beginsBatch = true;
    at = end;
  }
  return { isWhole: true, beginsBatch };
}

/** How LevelDB stores a checksum. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0;
}
