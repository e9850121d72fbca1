import { crc32c, readSafeU64, writeU64 } from '../bytes.ts';

/**
 * Keys of the index, ordered by collection, id, then newest commit first:
 * `01 · collection · 00 01 · id · 00 01 · (2^64 - 1 - commit id, big endian)`; a zero byte inside a name is `00 FF`.
 * The terminator sorts below every continuation, so a name that is a prefix of another comes first.
 */
const VERSION_PREFIX = 0x01;
export const CHECKPOINT_KEY: Buffer = Buffer.concat([Buffer.from([0x00]), Buffer.from('checkpoint')]);
/** Below and above every version key. */
export const FIRST_VERSION_KEY: Buffer = Buffer.from([VERSION_PREFIX]);
export const AFTER_VERSION_KEYS: Buffer = Buffer.from([VERSION_PREFIX + 1]);

const COMMIT_ID_BYTES = 8;
const HIGH_MAX = 0xffff_ffff;

export function versionKey(collection: Buffer, id: Buffer, commitId: number): Buffer {
  if (!collection.includes(0) && !id.includes(0)) {
    const key = Buffer.allocUnsafe(1 + collection.length + 2 + id.length + 2 + COMMIT_ID_BYTES);
    key[0] = VERSION_PREFIX;
    collection.copy(key, 1);
    let at = 1 + collection.length;
    key[at] = 0;
    key[at + 1] = 1;
    id.copy(key, at + 2);
    at += 2 + id.length;
    key[at] = 0;
    key[at + 1] = 1;
    writeNewestFirst(key, commitId, at + 2);
    return key;
  }
  const tail = Buffer.allocUnsafe(COMMIT_ID_BYTES);
  writeNewestFirst(tail, commitId, 0);
  return Buffer.concat([Buffer.from([VERSION_PREFIX]), escaped(collection), escaped(id), tail]);
}

/** All that stands before the commit id in the keys of one document. */
export function documentPrefix(key: Buffer): Buffer {
  return key.subarray(0, key.length - COMMIT_ID_BYTES);
}

/** The first possible key of a collection, and the first possible key after it. */
export function collectionBounds(collection: Buffer): { from: Buffer; to: Buffer } {
  const from = Buffer.concat([Buffer.from([VERSION_PREFIX]), escaped(collection)]);
  const to = Buffer.from(from);
  to[to.length - 1] = 2;
  return { from, to };
}

/** The first possible key after every version of a document. */
export function afterDocument(collection: Buffer, id: Buffer): Buffer {
  const key = versionKey(collection, id, 0);
  return Buffer.concat([key, Buffer.from([0])]);
}

export function commitIdOfKey(key: Buffer): number {
  const high = HIGH_MAX - key.readUInt32BE(key.length - 8);
  const low = HIGH_MAX - key.readUInt32BE(key.length - 4);
  return high * 0x1_0000_0000 + low;
}

function writeNewestFirst(target: Buffer, commitId: number, offset: number): void {
  target.writeUInt32BE(HIGH_MAX - Math.floor(commitId / 0x1_0000_0000), offset);
  target.writeUInt32BE(HIGH_MAX - (commitId % 0x1_0000_0000), offset + 4);
}

function escaped(name: Buffer): Buffer {
  const parts: number[] = [];
  for (const byte of name) {
    parts.push(byte);
    if (byte === 0) parts.push(0xff);
  }
  parts.push(0, 1);
  return Buffer.from(parts);
}

/** Where a version stands: at an LSN of the node's WAL, or at an offset of its base file. */
export interface VersionPlace {
  readonly log: 'wal' | 'base';
  readonly offset: number;
  /** The size of the operation record. */
  readonly bytes: number;
}

const VALUE_BYTES = 17;
const LOG_CODE = { wal: 1, base: 2 } as const;

/** The value of an index entry: log u8 · offset u64 · bytes u32 · CRC32C u32 over the key and what stands before. */
export function encodeIndexValue(key: Buffer, log: 'wal' | 'base', offset: number, bytes: number): Buffer {
  const value = Buffer.allocUnsafe(VALUE_BYTES);
  value[0] = LOG_CODE[log];
  writeU64(value, offset, 1);
  value.writeUInt32LE(bytes, 9);
  value.writeUInt32LE(crc32c(key, value.subarray(0, 13)), 13);
  return value;
}

/** `null` for a value that does not carry the checksum it was written with. */
export function decodeIndexValue(key: Buffer, value: Buffer): VersionPlace | null {
  if (value.length !== VALUE_BYTES) return null;
  if (value.readUInt32LE(13) !== crc32c(key, value.subarray(0, 13))) return null;
  const offset = readSafeU64(value, 1);
  const log = value[0] === LOG_CODE.wal ? 'wal' : value[0] === LOG_CODE.base ? 'base' : null;
  return offset === null || log === null ? null : { log, offset, bytes: value.readUInt32LE(9) };
}
