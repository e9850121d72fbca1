import { hex32 } from '../../core/bytes.ts';
import { LevelFields, maskedCrc, type LevelDamage } from './format.ts';

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** Behind each block: how it is compressed, and the checksum of both. */
const TRAILER_BYTES = 5;

interface Block {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Whether every byte of a table is as it was written: each block carries its checksum, and the blocks fill the file. LevelDB does
 * not look at them when it reads, so that a key that rotted would be a version that is not found.
 */
export function damageInTable(file: string, table: Buffer): LevelDamage | null {
  const end = table.length - FOOTER_BYTES;
  if (end < 0 || !table.subarray(-MAGIC.length).equals(MAGIC))
    return { file, expected: 'a table that ends with a footer', found: 'none', byte: Math.max(0, end) };
  try {
    const footer = new LevelFields(table.subarray(end));
    const meta = blockOf(footer);
    const index = blockOf(footer);
    const misplaced = { file, expected: 'the index block right before the footer', byte: end };
    if (index.at + index.bytes + TRAILER_BYTES !== end) return { ...misplaced, found: `at byte ${index.at}` };
    const damage = damageInBlock(file, table, index) ?? damageInBlock(file, table, meta);
    if (damage !== null) return damage;
    return damageInBlocks(file, table, [...placesIn(table, index), ...placesIn(table, meta), meta, index]);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { file, expected: 'a footer and an index of blocks', found: error.message, byte: end };
  }
}

/** What stands between blocks that follow each other is told by none of them. */
function damageInBlocks(file: string, table: Buffer, blocks: readonly Block[]): LevelDamage | null {
  let due = 0;
  for (const block of blocks) {
    if (block.at !== due)
      return { file, expected: `a block at byte ${due}`, found: `one at byte ${block.at}`, byte: due };
    const damage = damageInBlock(file, table, block);
    if (damage !== null) return damage;
    due = block.at + block.bytes + TRAILER_BYTES;
  }
  return null;
}

function damageInBlock(file: string, table: Buffer, { at, bytes }: Block): LevelDamage | null {
  const trailer = at + bytes;
  const expected = table.readUInt32LE(trailer + 1);
  const found = maskedCrc(table.subarray(at, trailer + 1));
  return expected === found
    ? null
    : { file, expected: `checksum ${hex32(expected)}`, found: hex32(found), byte: at };
}

const blockOf = (fields: LevelFields): Block => ({ at: fields.varint(), bytes: fields.varint() });

/** Places of blocks, the values of a block: those of data in the index, that of the filter in the meta block. */
function* placesIn(table: Buffer, { at, bytes }: Block): Generator<Block> {
  const block = table.subarray(at, at + bytes);
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
