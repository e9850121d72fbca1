import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFrameHeader } from '../core/wal/frame.ts';
import { SEGMENT_HEADER_BYTES } from '../core/limits.ts';
import { segmentStartLsn } from '../core/wal/segment-header.ts';
import { DemoFailure } from './failure.ts';
import { FLIPPED_BIT } from './relay.ts';

/** A segment file as it lies on disk. */
interface Segment {
  readonly file: string;
  readonly path: string;
  readonly startLsn: number;
  readonly bytes: number;
}

/** The WAL of a node as its files hold it. */
export interface WalOnDisk {
  readonly startLsn: number;
  readonly endLsn: number;
  readonly segments: readonly Segment[];
}

export async function walOnDisk(dataDirectory: string): Promise<WalOnDisk> {
  const directory = join(dataDirectory, 'wal');
  const segments: Segment[] = [];
  for (const file of (await readdir(directory)).sort()) {
    const startLsn = segmentStartLsn(file);
    const path = join(directory, file);
    if (startLsn !== null) segments.push({ file, path, startLsn, bytes: (await stat(path)).size });
  }
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) throw new DemoFailure(`${directory} holds no WAL`);
  return { startLsn: first.startLsn, endLsn: last.startLsn + last.bytes, segments };
}

/** What came of comparing files byte by byte. */
export interface Comparison {
  readonly from_lsn: number;
  readonly to_lsn: number;
  readonly files: number;
  readonly bytes_compared: number;
  /** Where the first byte differs or is missing; `null`: nowhere. */
  readonly first_difference_lsn: number | null;
}

/** Compares every segment file of a node with the file of the same name of the other; one file at a time is in memory. */
export async function compareWal(node: WalOnDisk, primary: WalOnDisk): Promise<Comparison> {
  let compared = 0;
  let difference: number | null = null;
  for (const { file, path, startLsn } of node.segments) {
    const other = primary.segments.find((segment) => segment.file === file);
    const [own, theirs] = await Promise.all([
      readFile(path),
      other === undefined ? Buffer.alloc(0) : readFile(other.path),
    ]);
    const same = theirs.subarray(0, own.length);
    compared += same.length;
    const at = own.equals(same) ? null : firstDifference(own, same);
    if (at !== null) difference ??= startLsn + at;
  }
  return {
    from_lsn: node.startLsn,
    to_lsn: node.endLsn,
    files: node.segments.length,
    bytes_compared: compared,
    first_difference_lsn: difference,
  };
}

function firstDifference(left: Buffer, right: Buffer): number {
  const at = left.findIndex((byte, index) => byte !== right[index]);
  return at === -1 ? left.length : at;
}

/** A byte in the middle of a document of the WAL, and what altering it makes of the document. */
export interface Target {
  readonly lsn: number;
  readonly frameLsn: number;
  readonly frameBytes: number;
  readonly document: string;
  readonly altered: string;
}

const FIELD = Buffer.from('"country":"');

/** Picks the first letter of a country code about half-way: with a bit turned over the document is still JSON. */
export async function pickTarget(wal: WalOnDisk): Promise<Target> {
  const segment = wal.segments[(wal.segments.length - 1) >> 1];
  if (segment === undefined) throw new DemoFailure('there is no segment to pick a byte of');
  const bytes = await readFile(segment.path);
  const field = bytes.indexOf(FIELD, bytes.length >> 1);
  const offset = field + FIELD.length;
  let frame = SEGMENT_HEADER_BYTES;
  let { frameBytes } = readFrameHeader(bytes, frame);
  while (frame + frameBytes <= offset) {
    frame += frameBytes;
    ({ frameBytes } = readFrameHeader(bytes, frame));
  }
  if (field === -1) throw new DemoFailure(`${segment.file} holds no document to alter`);
  const from = bytes.lastIndexOf('{', offset);
  const to = bytes.indexOf('}', offset) + 1;
  const altered = Buffer.from(bytes.subarray(from, to));
  altered.writeUInt8(altered.readUInt8(offset - from) ^ FLIPPED_BIT, offset - from);
  return {
    lsn: segment.startLsn + offset,
    frameLsn: segment.startLsn + frame,
    frameBytes,
    document: bytes.toString('utf8', from, to),
    altered: altered.toString('utf8'),
  };
}

/** The LSNs at which bytes that begin at `lsn` differ from the WAL. */
export async function differencesFrom(wal: WalOnDisk, lsn: number, bytes: Buffer): Promise<number[]> {
  const differences: number[] = [];
  for (const { path, startLsn, bytes: size } of wal.segments) {
    const [from, to] = [Math.max(lsn, startLsn), Math.min(lsn + bytes.length, startLsn + size)];
    if (from >= to) continue;
    const own = (await readFile(path)).subarray(from - startLsn, to - startLsn);
    own.forEach((byte, index) => {
      if (byte !== bytes[from - lsn + index]) differences.push(from + index);
    });
  }
  return differences;
}
