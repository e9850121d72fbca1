import { createHash, type Hash } from 'node:crypto';
import { hex32, readSafeU64, sha256, hex, writeU64, type JsonObject } from '../core/bytes.ts';
import { OPERATION_HEADER_BYTES } from '../core/limits.ts';
import {
  BASE_BLOCK_BYTES_TARGET,
  BASE_BLOCK_HEADER_BYTES,
  BASE_ENTRY_PREFIX_BYTES,
  BASE_FOOTER_BYTES,
  BASE_HEADER_BYTES,
  blockCrc,
  decodeBaseFooter,
  decodeBaseHeader,
  encodeBaseFooter,
  encodeBaseHeader,
  encodeBlock,
  isFooter,
  readBlockHeader,
  type BaseFooter,
  type BaseHeader,
} from '../core/storage/base-format.ts';
import { Census } from '../core/storage/census.ts';
import { documentPrefix, isSameDocument, KeyMaker, versionKey } from '../core/storage/index-entry.ts';
import type { Manifest, SnapshotBlock } from '../core/storage/manifest.ts';
import { OP_DELETE, OP_PUT, operationCrc } from '../core/wal/operation.ts';
import { namesIn } from '../core/wal/payload.ts';
import type { FileHandle, FileSystem } from './file-system.ts';
import type { StoredVersion } from '../core/storage/version.ts';

/** A version inside a base file: its index key, and where its operation record stands. */
export interface BaseEntry {
  readonly key: Buffer;
  readonly offset: number;
  readonly bytes: number;
}

/** A base file that is open for reading single versions. */
export class BaseFile {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async open(files: FileSystem, path: string): Promise<BaseFile> {
    return new BaseFile(await files.open(path, 'read'));
  }

  /** `null` where the file does not hold all of it. */
  readRecord(offset: number, bytes: number): Buffer | null {
    const buffer = Buffer.allocUnsafe(bytes);
    return this.#handle.readSync(buffer, offset) === bytes ? buffer : null;
  }

  /** The same without holding up the thread; fewer bytes where the file does not hold all of it. */
  async read(offset: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(bytes);
    return buffer.subarray(0, await this.#handle.read(buffer, offset));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * Writes the base file of a cut, durably, and says what it is. Versions come in key order, newest first within a key;
 * memory is one block.
 */
export async function writeBaseFile(
  files: FileSystem,
  path: string,
  snapshotId: string,
  header: BaseHeader,
  versions: AsyncIterable<StoredVersion>,
): Promise<Manifest> {
  const handle = await files.open(path, 'create');
  try {
    const digest = createHash('sha256');
    const blocks: SnapshotBlock[] = [];
    let written = 0;
    // What is transferred as one piece: the header goes with the first block, the footer with the last.
    const piece: Buffer[] = [encodeBaseHeader(header)];
    const writePiece = async () => {
      const bytes = Buffer.concat(piece.splice(0));
      await handle.append([bytes]);
      blocks.push({
        index: blocks.length,
        offset: written,
        bytes: bytes.length,
        sha256: hex(sha256(bytes)),
      });
      written += bytes.length;
    };
    let entries: Buffer[] = [];
    let entriesBytes = 0;
    let entriesCount = 0;
    let blockCount = 0;
    let versionCount = 0;
    let keys = 0;
    let last: Buffer | null = null;
    const closeBlock = () => {
      piece.push(encodeBlock(blockCount, entriesCount, entries));
      blockCount += 1;
      entries = [];
      entriesBytes = 0;
      entriesCount = 0;
    };
    for await (const { commitId, record, collection, id } of versions) {
      if (entriesBytes >= BASE_BLOCK_BYTES_TARGET) {
        closeBlock();
        await writePiece();
      }
      const prefix = Buffer.alloc(BASE_ENTRY_PREFIX_BYTES);
      writeU64(prefix, commitId, 0);
      digest.update(prefix);
      digest.update(record);
      entries.push(prefix, record);
      entriesBytes += prefix.length + record.length;
      entriesCount += 1;
      versionCount += 1;
      const document = documentPrefix(versionKey(collection, id, 0));
      if (last === null || !last.equals(document)) keys += 1;
      last = document;
    }
    if (entriesCount > 0) closeBlock();
    const pending = piece.reduce((sum, { length }) => sum + length, 0);
    const footer: BaseFooter = {
      blocks: blockCount,
      versions: versionCount,
      keys,
      fileBytes: written + pending + BASE_FOOTER_BYTES,
      stateDigest: digest.digest('hex'),
    };
    piece.push(encodeBaseFooter(footer));
    await writePiece();
    await handle.datasync();
    return {
      snapshotId,
      clusterId: header.clusterId,
      cut: header.cut,
      stateDigest: footer.stateDigest,
      versions: footer.versions,
      keys: footer.keys,
      bytes: footer.fileBytes,
      blocks,
    };
  } finally {
    await handle.close();
  }
}

/** The first thing in a base file that is not as it must be. */
export interface BaseFault {
  readonly rule: string;
  readonly offset: number;
  readonly expected: JsonObject;
  readonly found: JsonObject;
}

/** What a base file is, read from its first byte to its last. */
export interface BaseFacts {
  readonly header: BaseHeader | null;
  readonly footer: BaseFooter | null;
  readonly fault: BaseFault | null;
  readonly versions: number;
  readonly keys: number;
  /** Of the checksums of all versions: the same for the same versions in whatever order (`Census`). */
  readonly checksumSum: number;
  readonly stateDigest: string;
}

/**
 * Reads a whole base file and verifies everything that it says of itself: header, every block and every version in it,
 * their order, the footer. `entries` is given the versions of one good block at a time. Memory is one block.
 */
export async function readBaseFile(
  files: FileSystem,
  path: string,
  entries?: (block: readonly BaseEntry[]) => Promise<void>,
): Promise<BaseFacts> {
  const size = (await files.stat(path))?.bytes ?? 0;
  const handle = await files.open(path, 'read');
  try {
    return await new BaseReader(handle, size).read(entries);
  } finally {
    await handle.close();
  }
}

class BaseReader {
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #digest: Hash = createHash('sha256');
  #header: BaseHeader | null = null;
  #footer: BaseFooter | null = null;
  readonly #census = new Census();
  #keys = 0;
  #blocks = 0;
  #lastKey: Buffer | null = null;
  /** Two take turns, so that a key is there as long as the one after it is looked at. */
  #maker = new KeyMaker();
  #otherMaker = new KeyMaker();

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  async read(entries?: (block: readonly BaseEntry[]) => Promise<void>): Promise<BaseFacts> {
    const fault = await this.#readAll(entries);
    return {
      header: this.#header,
      footer: this.#footer,
      fault,
      versions: this.#census.versions,
      keys: this.#keys,
      checksumSum: this.#census.checksumSum,
      stateDigest: this.#digest.digest('hex'),
    };
  }

  async #readAll(entries?: (block: readonly BaseEntry[]) => Promise<void>): Promise<BaseFault | null> {
    this.#header = decodeBaseHeader(await this.#bytes(0, BASE_HEADER_BYTES));
    if (this.#header === null) return fault('header', 0, { header: 'intact' }, { header: 'damaged' });
    let offset = BASE_HEADER_BYTES;
    for (;;) {
      const head = await this.#bytes(offset, Math.max(BASE_BLOCK_HEADER_BYTES, BASE_FOOTER_BYTES));
      if (isFooter(head)) break;
      const header = readBlockHeader(head);
      if (header === null || header.index !== this.#blocks)
        return fault('block', offset, { block: this.#blocks }, { block: header?.index ?? null });
      const block = await this.#bytes(offset, header.bytes);
      if (block.length < header.bytes || blockCrc(block) !== header.crc)
        return fault(
          'block checksum',
          offset,
          { bytes: header.bytes, crc32c: hex32(header.crc) },
          { bytes: block.length, crc32c: hex32(blockCrc(block)) },
        );
      const { found, wrong } = this.#entriesOf(block, offset, header.versions, entries !== undefined);
      if (wrong !== null) return wrong;
      await entries?.(found);
      this.#blocks += 1;
      offset += header.bytes;
    }
    return this.#readFooter(offset);
  }

  /** Versions of a block whose checksum is right; order and every single version are looked at all the same. */
  #entriesOf(block: Buffer, blockOffset: number, count: number, isWanted: boolean) {
    const found: BaseEntry[] = [];
    let counted = 0;
    let at = BASE_BLOCK_HEADER_BYTES;
    while (at < block.length) {
      const bytes = versionBytesAt(block, at, this.#header?.cut.commitId ?? 0);
      if (bytes === null)
        return {
          found,
          wrong: fault('version', blockOffset + at, { version: 'intact' }, { version: 'damaged' }),
        };
      const recordAt = at + BASE_ENTRY_PREFIX_BYTES;
      const key = this.#maker.keyOf(block, recordAt, readSafeU64(block, at) as number);
      if (this.#lastKey !== null && Buffer.compare(this.#lastKey, key) >= 0)
        return {
          found,
          wrong: fault('order', blockOffset + at, { above_key: hex(this.#lastKey) }, { key: hex(key) }),
        };
      const isNewKey = this.#lastKey === null || !isSameDocument(this.#lastKey, key);
      if (isNewKey) this.#keys += 1;
      this.#census.add(block.readUInt32LE(recordAt + 8));
      this.#lastKey = key;
      [this.#maker, this.#otherMaker] = [this.#otherMaker, this.#maker];
      if (isWanted) found.push({ key: Buffer.from(key), offset: blockOffset + recordAt, bytes });
      counted += 1;
      at = recordAt + bytes;
    }
    // What the digest is made over stands in the block as it is: one call for all of it.
    this.#digest.update(block.subarray(BASE_BLOCK_HEADER_BYTES));
    return counted === count
      ? { found, wrong: null }
      : { found, wrong: fault('count', blockOffset, { versions: count }, { versions: counted }) };
  }

  async #readFooter(offset: number): Promise<BaseFault | null> {
    this.#footer = decodeBaseFooter(await this.#bytes(offset, BASE_FOOTER_BYTES));
    if (this.#footer === null) return fault('footer', offset, { footer: 'intact' }, { footer: 'damaged' });
    const { blocks, versions, keys, fileBytes, stateDigest } = this.#footer;
    const expected = { blocks, versions, keys, file_bytes: fileBytes, state_digest: stateDigest };
    const found = {
      blocks: this.#blocks,
      versions: this.#census.versions,
      keys: this.#keys,
      file_bytes: this.#size,
      state_digest: this.#digest.copy().digest('hex'),
    };
    return JSON.stringify(expected) === JSON.stringify(found)
      ? null
      : fault('footer', offset, expected, found);
  }

  async #bytes(offset: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(bytes, this.#size - offset)));
    return buffer.subarray(0, await this.#handle.read(buffer, offset));
  }
}

function fault(rule: string, offset: number, expected: JsonObject, found: JsonObject): BaseFault {
  return { rule, offset, expected, found };
}

/** What the record of the version that begins here takes; `null` where it is not a version as it was written. */
function versionBytesAt(block: Buffer, at: number, cutCommitId: number): number | null {
  const recordAt = at + BASE_ENTRY_PREFIX_BYTES;
  if (recordAt + OPERATION_HEADER_BYTES > block.length) return null;
  const commitId = readSafeU64(block, at);
  const documentBytes = block.readUInt32LE(recordAt + 4);
  const { collectionAt, idAt, end } = namesIn(block, recordAt);
  const bytes = end + documentBytes - recordAt;
  if (commitId === null || recordAt + bytes > block.length) return null;
  const op = block[recordAt] as number;
  const crc = operationCrc(commitId, op, block.subarray(collectionAt, recordAt + bytes));
  if (block.readUInt32LE(recordAt + 8) !== crc) return null;
  const isKnown = op === OP_PUT || (op === OP_DELETE && documentBytes === 0);
  if (!isKnown || idAt === collectionAt || end === idAt) return null;
  return commitId < 1 || commitId > cutCommitId ? null : bytes;
}
