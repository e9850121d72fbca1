import { crc32cAfter, crc32cOfFew, readSafeU64, writeU64 } from '../bytes.ts';
import { namesIn } from '../wal/payload.ts';

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
const TERMINATOR_BYTES = 2;
const HIGH_MAX = 0xffff_ffff;
/** What a key takes beside its names, where those hold no zero byte: prefix, two terminators, commit id. */
const PLAIN_KEY_BYTES = 1 + TERMINATOR_BYTES + TERMINATOR_BYTES + COMMIT_ID_BYTES;

export function versionKey(collection: Buffer, id: Buffer, commitId: number): Buffer {
  if (!collection.includes(0) && !id.includes(0)) {
    const key = Buffer.allocUnsafe(PLAIN_KEY_BYTES + collection.length + id.length);
    key[0] = VERSION_PREFIX;
    collection.copy(key, 1);
    writeTerminator(key, 1 + collection.length);
    id.copy(key, 3 + collection.length);
    writeTerminator(key, 3 + collection.length + id.length);
    writeNewestFirst(key, commitId, key.length - COMMIT_ID_BYTES);
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

export function isSameDocument(key: Buffer, other: Buffer): boolean {
  const end = key.length - COMMIT_ID_BYTES;
  return key.length === other.length && key.compare(other, 0, end, 0, end) === 0;
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

function writeTerminator(key: Buffer, at: number): void {
  key[at] = 0;
  key[at + 1] = 1;
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

const INDEX_VALUE_BYTES = 17;
/** Up to here a checksum is computed faster where the bytes are. */
const FEW_BYTES = 64;
/** What of a value its checksum covers. */
const CHECKED_VALUE_BYTES = 13;
const WAL_CODE = 1;

/**
 * Two base files may stand in a node while the versions of one are taken over into the next: which of the two an entry
 * means. The checkpoint says which of them is the node's base file.
 */
export type BaseSlot = 0 | 1;
const FIRST_BASE_CODE = 2;

/** Where an index entry says that its version stands: in the WAL, or in the base file of a slot. */
export type Log = 'wal' | BaseSlot;

/** The place of a version as its index entry names it. */
export interface IndexedPlace {
  readonly log: Log;
  readonly offset: number;
  readonly bytes: number;
}

/** The value of an index entry: log u8 · offset u64 · bytes u32 · CRC32C u32 over the key and what stands before. */
export function encodeIndexValue(key: Buffer, log: Log, offset: number, bytes: number): Buffer {
  return writeIndexValue(newIndexValue(), key, log, offset, bytes);
}

/** Memory for a value; to make one after another in it. */
export function newIndexValue(): Buffer {
  return Buffer.alloc(INDEX_VALUE_BYTES);
}

export function writeIndexValue(value: Buffer, key: Buffer, log: Log, offset: number, bytes: number): Buffer {
  value[0] = log === 'wal' ? WAL_CODE : FIRST_BASE_CODE + log;
  writeU64(value, offset, 1);
  value.writeUInt32LE(bytes, 9);
  value.writeUInt32LE(checksumOf(key, value), CHECKED_VALUE_BYTES);
  return value;
}

function checksumOf(key: Buffer, value: Buffer): number {
  const ofKey = key.length <= FEW_BYTES ? crc32cOfFew(key) : crc32cAfter(0, key);
  return crc32cOfFew(value, CHECKED_VALUE_BYTES, ofKey);
}

/** `null` for a value that does not carry the checksum it was written with. */
export function decodeIndexValue(key: Buffer, value: Buffer): IndexedPlace | null {
  if (value.length !== INDEX_VALUE_BYTES) return null;
  if (value.readUInt32LE(CHECKED_VALUE_BYTES) !== checksumOf(key, value)) return null;
  const offset = readSafeU64(value, 1);
  const log = logOf(value[0] as number);
  return offset === null || log === null ? null : { log, offset, bytes: value.readUInt32LE(9) };
}

function logOf(code: number): Log | null {
  if (code === WAL_CODE) return 'wal';
  const slot = code - FIRST_BASE_CODE;
  return slot === 0 || slot === 1 ? slot : null;
}

/** Longer keys are rare, and get memory of their own. */
const KEPT_KEY_BYTES_MAX = 512;

/** Makes keys one after another in memory that is used again: each is good until the next one is made. */
export class KeyMaker {
  /** By their length. */
  readonly #kept: (Buffer | undefined)[] = [];

  /** The key of the operation record that stands at `offset`. */
  keyOf(bytes: Buffer, offset: number, commitId: number): Buffer {
    const { collectionAt, idAt, end } = namesIn(bytes, offset);
    const keyBytes = PLAIN_KEY_BYTES + end - collectionAt;
    return (
      (keyBytes <= KEPT_KEY_BYTES_MAX ? this.#plain(bytes, offset, commitId, keyBytes) : null) ??
      versionKey(bytes.subarray(collectionAt, idAt), bytes.subarray(idAt, end), commitId)
    );
  }

  /** `null` where a name holds a zero byte. */
  #plain(bytes: Buffer, offset: number, commitId: number, keyBytes: number): Buffer | null {
    const { collectionAt, idAt, end } = namesIn(bytes, offset);
    const key = (this.#kept[keyBytes] ??= newPlainKey(keyBytes));
    const collectionEnd = 1 + idAt - collectionAt;
    if (!copyPlain(bytes, collectionAt, idAt, key, 1)) return null;
    if (!copyPlain(bytes, idAt, end, key, collectionEnd + TERMINATOR_BYTES)) return null;
    writeTerminator(key, collectionEnd);
    writeTerminator(key, keyBytes - COMMIT_ID_BYTES - TERMINATOR_BYTES);
    writeNewestFirst(key, commitId, keyBytes - COMMIT_ID_BYTES);
    return key;
  }
}

function newPlainKey(keyBytes: number): Buffer {
  const key = Buffer.alloc(keyBytes);
  key[0] = VERSION_PREFIX;
  return key;
}

/** Copies a name into a key; false where it holds a zero byte, which a key writes otherwise. */
function copyPlain(from: Buffer, start: number, end: number, to: Buffer, at: number): boolean {
  // A call of `copy` costs more than the few bytes of a name.
  for (let source = start, target = at; source < end; source += 1, target += 1) {
    const byte = from[source] as number;
    if (byte === 0) return false;
    to[target] = byte;
  }
  return true;
}
