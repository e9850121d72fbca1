import { hex32 } from '../../core/bytes.ts';
import type { FileHandle } from '../file-system.ts';
import { LevelFields, maskedCrc, type LevelDamage } from './format.ts';

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** Behind each block: how it is compressed, and the checksum of both. */
const TRAILER_BYTES = 5;

/** So many bytes of blocks are read at once, or one block. */
const RUN_BYTES = 1024 * 1024;

interface Block {
  readonly at: number;
  readonly bytes: number;
}

/** Blocks that follow each other. */
interface Run extends Block {
  readonly blocks: readonly Block[];
}

/**
 * Whether every byte of a table is as it was written: each block carries its checksum, and the blocks fill the file. LevelDB does
 * not look at them when it reads, so that a key that rotted would be a version that is not found. Memory is that of two runs of
 * blocks: one is looked at while the next is read.
 *
 * @param bytes How long the file is.
 */
export async function damageInTable(
  file: string,
  handle: FileHandle,
  bytes: number,
): Promise<LevelDamage | null> {
  const end = bytes - FOOTER_BYTES;
  const ending = end < 0 ? null : await read(handle, { at: end, bytes: FOOTER_BYTES });
  if (ending === null || !ending.subarray(-MAGIC.length).equals(MAGIC))
    return { file, expected: 'a table that ends with a footer', found: 'none', byte: Math.max(0, end) };
  try {
    const footer = new LevelFields(ending);
    const meta = blockOf(footer);
    const index = blockOf(footer);
    const misplaced = { file, expected: 'the index block right before the footer', byte: end };
    if (endOf(index) !== end) return { ...misplaced, found: `at byte ${index.at}` };
    if (endOf(meta) > end) throw new RangeError('a block beyond the end');
    const blocks: Block[] = [];
    for (const listing of [index, meta]) {
      const listed = await read(handle, { at: listing.at, bytes: endOf(listing) - listing.at });
      const damage = damageInBlock(file, listing, listed);
      if (damage !== null) return damage;
      blocks.push(...placesIn(listed.subarray(0, listing.bytes)));
    }
    blocks.push(meta, index);
    return gapBetween(file, blocks) ?? (await damageInRuns(file, handle, [...runsOf(blocks)]));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { file, expected: 'a footer and an index of blocks', found: error.message, byte: end };
  }
}

/** What stands between blocks that follow each other is told by none of them. */
function gapBetween(file: string, blocks: readonly Block[]): LevelDamage | null {
  let due = 0;
  for (const block of blocks) {
    if (block.at !== due)
      return { file, expected: `a block at byte ${due}`, found: `one at byte ${block.at}`, byte: due };
    due = endOf(block);
  }
  return null;
}

function* runsOf(blocks: readonly Block[]): Generator<Run> {
  let run: Block[] = [];
  let at = 0;
  let end = 0;
  for (const block of blocks) {
    if (run.length > 0 && endOf(block) - at > RUN_BYTES) {
      yield { at, bytes: end - at, blocks: run };
      run = [];
    }
    if (run.length === 0) at = block.at;
    run.push(block);
    end = endOf(block);
  }
  yield { at, bytes: end - at, blocks: run };
}

async function damageInRuns(
  file: string,
  handle: FileHandle,
  runs: readonly Run[],
): Promise<LevelDamage | null> {
  const bytesMax = Math.max(...runs.map(({ bytes }) => bytes));
  let [filled, free] = [Buffer.allocUnsafeSlow(bytesMax), Buffer.allocUnsafeSlow(bytesMax)];
  let reading: Promise<Buffer> | null = null;
  for (const [place, run] of runs.entries()) {
    const bytes = await (reading ?? read(handle, run, filled));
    const next = runs[place + 1];
    reading = next === undefined ? null : read(handle, next, free);
    const damage = damageInRun(file, run, bytes);
    if (damage !== null) {
      await reading;
      return damage;
    }
    [filled, free] = [free, filled];
  }
  return null;
}

function damageInRun(file: string, { at, blocks }: Run, bytes: Buffer): LevelDamage | null {
  for (const block of blocks) {
    const damage = damageInBlock(file, block, bytes.subarray(block.at - at, endOf(block) - at));
    if (damage !== null) return damage;
  }
  return null;
}

/** @param stored The block, with its trailer. */
function damageInBlock(file: string, { at, bytes }: Block, stored: Buffer): LevelDamage | null {
  const expected = stored.readUInt32LE(bytes + 1);
  const found = maskedCrc(stored.subarray(0, bytes + 1));
  return expected === found
    ? null
    : { file, expected: `checksum ${hex32(expected)}`, found: hex32(found), byte: at };
}

const endOf = ({ at, bytes }: Block) => at + bytes + TRAILER_BYTES;

async function read(
  handle: FileHandle,
  { at, bytes }: Block,
  buffer: Buffer = Buffer.allocUnsafeSlow(bytes),
): Promise<Buffer> {
  return buffer.subarray(0, await handle.read(buffer.subarray(0, bytes), at));
}

const blockOf = (fields: LevelFields): Block => ({ at: fields.varint(), bytes: fields.varint() });

/** Places of blocks, the values of a block: those of data in the index, that of the filter in the meta block. */
function* placesIn(block: Buffer): Generator<Block> {
  const bytes = block.length;
  const restarts = block.readUInt32LE(bytes - 4);
  const entries = new LevelFields(block.subarray(0, bytes - 4 - 4 * restarts));
  while (!entries.isAtEnd) {
    entries.varint();
    const keyBytes = entries.varint();
    const valueBytes = entries.varint();
    entries.bytes(keyBytes);
    yield blockOf(new LevelFields(entries.bytes(valueBytes)));
  }
}
