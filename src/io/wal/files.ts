import { join } from 'node:path';
import { assertThat, ReplichartError } from '../../core/errors.ts';
import { segmentFileName, segmentStartLsn } from '../../core/wal/segment-header.ts';
import { ensureDirectory } from '../durable-file.ts';
import type { FileHandle, FileSystem } from '../file-system.ts';

export interface SegmentFile {
  readonly startLsn: number;
  readonly bytes: number;
}

/** Where one segment file does not begin at the end of the one before it. */
export interface Discontinuity {
  readonly expectedLsn: number;
  readonly foundLsn: number;
}

/** How many segments are kept open for reading: a node must not run out of descriptors because somebody reads. */
const READ_HANDLES_MAX = 64;

interface OpenSegment {
  readonly startLsn: number;
  bytes: number;
  handle: FileHandle | null;
}

/**
 * The segment files of one node as one stream of bytes, addressed by LSN. Knows sizes and places; judges no content.
 * One owner appends; reads may go on beside it and see only what was appended before they began.
 */
export class WalFiles {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #segments: OpenSegment[];
  readonly #readers = new Set<OpenSegment>();
  #closed = false;
  #origin = 0;
  #writer: { readonly startLsn: number; readonly handle: FileHandle } | null = null;

  private constructor(files: FileSystem, directory: string, segments: OpenSegment[]) {
    this.#files = files;
    this.#directory = directory;
    this.#segments = segments;
  }

  /** Lists the segments; makes the directory where there is none. A file that is no segment is not touched. */
  static async open(files: FileSystem, directory: string): Promise<WalFiles> {
    await ensureDirectory(files, directory);
    return new WalFiles(files, directory, await listSegments(files, directory));
  }

  /** Lists the segments of a directory that may belong to another, running process; makes nothing. */
  static async openToRead(files: FileSystem, directory: string): Promise<WalFiles> {
    return new WalFiles(files, directory, await listSegments(files, directory));
  }

  get segments(): readonly SegmentFile[] {
    return this.#segments;
  }

  /** Says where the stream begins in a node that holds none of it yet: at the cut of its base file. */
  beginAt(lsn: number): void {
    assertThat(this.#segments.length === 0, 'a stream that has bytes has its beginning');
    this.#origin = lsn;
  }

  /** The first LSN that is held, or would be. */
  get startLsn(): number {
    return this.#segments[0]?.startLsn ?? this.#origin;
  }

  /** The LSN after the last byte that is held. */
  get endLsn(): number {
    const last = this.#segments.at(-1);
    return last === undefined ? this.#origin : last.startLsn + last.bytes;
  }

  /** The first place where one file does not begin where the one before it ends, or `null`. */
  get discontinuity(): Discontinuity | null {
    return this.discontinuityFrom(this.startLsn);
  }

  /** The same, of the files from a segment on. */
  discontinuityFrom(segmentStartLsn: number): Discontinuity | null {
    let expectedLsn = segmentStartLsn;
    for (const { startLsn, bytes } of this.#segments) {
      if (startLsn < segmentStartLsn) continue;
      if (startLsn !== expectedLsn) return { expectedLsn, foundLsn: startLsn };
      expectedLsn = startLsn + bytes;
    }
    return null;
  }

  segmentAt(lsn: number): SegmentFile | undefined {
    return this.#find(lsn);
  }

  path(startLsn: number): string {
    return join(this.#directory, segmentFileName(startLsn));
  }

  /** Reads up to `bytes` bytes from `lsn` on, never across the end of a segment; empty at the end of what is held. */
  async read(lsn: number, bytes: number): Promise<Buffer> {
    const segment = this.#find(lsn);
    if (segment === undefined) return Buffer.alloc(0);
    const offset = lsn - segment.startLsn;
    const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, segment.bytes - offset));
    try {
      const { handle } = await this.#opened(segment);
      return buffer.subarray(0, await handle.read(buffer, offset));
    } catch (error) {
      // It was removed meanwhile, as if it had been a moment before.
      if (lsn < this.startLsn) return Buffer.alloc(0);
      throw error;
    }
  }

  /** Reads a record that lies in one segment; `null` where the files do not hold all of it. */
  async readRecord(lsn: number, bytes: number): Promise<Buffer | null> {
    const segment = this.#find(lsn);
    if (segment === undefined || lsn - segment.startLsn + bytes > segment.bytes) return null;
    const { handle } = await this.#opened(segment);
    const buffer = Buffer.allocUnsafe(bytes);
    return handle.readSync(buffer, lsn - segment.startLsn) === bytes ? buffer : null;
  }

  /** The same without waiting; `undefined` where the segment would have to be opened first. */
  readRecordNow(lsn: number, bytes: number): Buffer | null | undefined {
    const segment = this.#find(lsn);
    if (segment === undefined || lsn - segment.startLsn + bytes > segment.bytes) return null;
    if (segment.handle === null) return undefined;
    const buffer = Buffer.allocUnsafe(bytes);
    return segment.handle.readSync(buffer, lsn - segment.startLsn) === bytes ? buffer : null;
  }

  /** Appends bytes of the last segment. They are durable only after `datasync`. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    const segment = this.#segments.at(-1);
    assertThat(segment !== undefined, 'bytes are appended to a segment that was started');
    if (this.#writer?.startLsn !== segment.startLsn) {
      await this.#writer?.handle.close();
      this.#writer = null;
      const handle = await this.#files.open(this.path(segment.startLsn), 'append');
      this.#writer = { startLsn: segment.startLsn, handle };
    }
    await this.#writer.handle.append(parts);
    for (const part of parts) segment.bytes += part.length;
  }

  /**
   * Starts the segment at the end of what is held, with its first bytes, and makes both the file and its name durable.
   * The segment before it must have been synced.
   */
  async startSegment(startLsn: number, firstBytes: Uint8Array): Promise<void> {
    assertThat(
      this.#segments.length === 0 || startLsn === this.endLsn,
      'a segment starts where the last one ends',
    );
    await this.#writer?.handle.close();
    this.#writer = null;
    const handle = await this.#files.open(this.path(startLsn), 'create');
    this.#writer = { startLsn, handle };
    const segment: OpenSegment = { startLsn, bytes: 0, handle: null };
    await handle.append([firstBytes]);
    await handle.datasync();
    await this.#files.syncDirectory(this.#directory);
    segment.bytes = firstBytes.length;
    this.#segments.push(segment);
  }

  /** Makes all that was appended durable. */
  async datasync(): Promise<void> {
    await this.#writer?.handle.datasync();
  }

  /**
   * Makes durable what an earlier process may have left in the cache only: the files from the one that holds `lsn` on,
   * and their names.
   */
  async syncFrom(lsn: number): Promise<void> {
    for (const { startLsn, bytes } of this.#segments) {
      if (startLsn + bytes < lsn) continue;
      const handle = await this.#files.open(this.path(startLsn), 'append');
      try {
        await handle.datasync();
      } finally {
        await handle.close();
      }
    }
    await this.#files.syncDirectory(this.#directory);
  }

  /** Cuts the stream at an LSN, last file first, so that a crash on the way leaves a shorter tail and nothing else. */
  async truncate(lsn: number): Promise<void> {
    await this.#writer?.handle.close();
    this.#writer = null;
    for (let last = this.#segments.at(-1); last !== undefined; last = this.#segments.at(-1)) {
      // An empty file is a segment whose start was never made durable: it goes as well.
      if (last.bytes > 0 && last.startLsn + last.bytes <= lsn) return;
      await last.handle?.close();
      last.handle = null;
      if (last.startLsn >= lsn) {
        await this.#files.remove(this.path(last.startLsn));
        await this.#files.syncDirectory(this.#directory);
        this.#segments.pop();
        // Where nothing is left the stream still begins where it began.
        if (this.#segments.length === 0) this.#origin = last.startLsn;
      } else {
        const handle = await this.#files.open(this.path(last.startLsn), 'append');
        try {
          await handle.truncate(lsn - last.startLsn);
          await handle.datasync();
        } finally {
          await handle.close();
        }
        last.bytes = lsn - last.startLsn;
      }
    }
  }

  /**
   * Removes the segments before the one that begins at `lsn`, the oldest first. Each is gone for good before the next is
   * touched: a power cut on the way leaves fewer of them, and never a hole.
   */
  async dropBefore(lsn: number): Promise<{ readonly segments: number; readonly bytes: number }> {
    assertThat(
      this.#segments.some(({ startLsn }) => startLsn === lsn),
      'a segment begins where others are removed',
    );
    let segments = 0;
    let bytes = 0;
    for (let first = this.#segments[0]; first !== undefined; first = this.#segments[0]) {
      if (first.startLsn >= lsn) break;
      this.#segments.shift();
      this.#readers.delete(first);
      const { handle } = first;
      first.handle = null;
      await handle?.close();
      await this.#files.remove(this.path(first.startLsn));
      await this.#files.syncDirectory(this.#directory);
      segments += 1;
      bytes += first.bytes;
    }
    return { segments, bytes };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const handles = [this.#writer?.handle, ...this.#segments.map((segment) => segment.handle)];
    this.#writer = null;
    for (const segment of this.#segments) segment.handle = null;
    for (const handle of handles) await handle?.close();
  }

  #find(lsn: number): OpenSegment | undefined {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const segment = this.#segments[middle] as OpenSegment;
      if (lsn < segment.startLsn) high = middle - 1;
      else if (lsn >= segment.startLsn + segment.bytes) low = middle + 1;
      else return segment;
    }
    return undefined;
  }

  /**
   * The open handle of a segment, wrapped so that awaiting it is the last thing before it is used: of the handles that
   * reads keep open only so many are, and the one used longest ago is closed.
   */
  async #opened(segment: OpenSegment): Promise<{ readonly handle: FileHandle }> {
    if (segment.handle === null) {
      const opened = await this.#files.open(this.path(segment.startLsn), 'read');
      // Another reader may have been faster, or the files were closed meanwhile.
      const isHeld = this.#segments.includes(segment);
      if (this.#closed || segment.handle !== null || !isHeld) await opened.close();
      else segment.handle = opened;
      // Whoever asks again finds what stood there where it was moved to, or is told that it is gone.
      if (!isHeld) throw new ReplichartError('WAL_PRUNED', 'the segment was removed while it was opened');
      if (this.#closed) throw new ReplichartError('READS_BLOCKED', 'the files are closed');
      if (segment.handle === null) return this.#opened(segment);
    }
    this.#readers.delete(segment);
    this.#readers.add(segment);
    if (this.#readers.size > READ_HANDLES_MAX) await this.#closeOldest();
    return segment.handle === null ? this.#opened(segment) : { handle: segment.handle };
  }

  async #closeOldest(): Promise<void> {
    const [oldest] = this.#readers;
    if (oldest === undefined) return;
    this.#readers.delete(oldest);
    const { handle } = oldest;
    oldest.handle = null;
    await handle?.close();
  }
}

async function listSegments(files: FileSystem, directory: string): Promise<OpenSegment[]> {
  const segments: OpenSegment[] = [];
  for (const name of await files.list(directory)) {
    if (!name.endsWith('.wal')) continue;
    const startLsn = segmentStartLsn(name);
    const found = await files.stat(join(directory, name));
    // A running node removed it between the two looks: a list without it alone might have a hole.
    if (found === null && !(await files.list(directory)).includes(name))
      return listSegments(files, directory);
    if (startLsn === null || found?.kind !== 'file')
      throw new ReplichartError('WAL_CORRUPT', `wal/${name} is no segment file`, {
        evidence: { file: name },
      });
    segments.push({ startLsn, bytes: found.bytes, handle: null });
  }
  return segments;
}
