/**
 * A second reading of docs/FORMAT.md: written from the document, sharing no line with the program, so that the two can
 * be held against each other. It favours being obvious over being fast, and keeps everything in memory.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The bytes break a rule of the document. `where` says at which byte of what. */
export class FormatFault extends Error {
  override readonly name = 'FormatFault';
  readonly rule: string;
  readonly where: string;

  constructor(rule: string, where: string, detail = '') {
    super(`${where}: ${rule}${detail === '' ? '' : ` (${detail})`}`);
    this.rule = rule;
    this.where = where;
  }
}

function must(holds: boolean, rule: string, where: string, detail = ''): asserts holds {
  if (!holds) throw new FormatFault(rule, where, detail);
}

export interface DecodedPosition {
  readonly commitId: number;
  readonly lsn: number;
  readonly historyHash: string;
}

/** A snapshot cut: where the next segment begins. */
export interface DecodedCut extends DecodedPosition {
  readonly segmentIndex: number;
}

export interface DecodedOperation {
  readonly op: 'put' | 'delete';
  readonly collection: Buffer;
  readonly id: Buffer;
  readonly document: Buffer;
  /** The operation record as it stands. */
  readonly record: Buffer;
}

export interface DecodedCommit {
  readonly commitId: number;
  readonly operations: readonly DecodedOperation[];
  /** What the writer was told: its own commit id, and the end of its frame. */
  readonly acknowledged: DecodedPosition;
}

export interface DecodedWal {
  readonly clusterId: string;
  readonly segments: readonly { readonly index: number; readonly startLsn: number; readonly bytes: number }[];
  readonly frames: readonly { readonly kind: FrameKind; readonly lsn: number; readonly commits: number }[];
  /** Every unit boundary, the first one included. */
  readonly positions: readonly DecodedPosition[];
  readonly commits: readonly DecodedCommit[];
  readonly position: DecodedPosition;
}

export interface DecodedDigest {
  readonly sha256: string;
  readonly versions: number;
  readonly keys: number;
}

// ---- Section 1: conventions ----

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

/** CRC32C of the parts as one run of bytes. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  let crc = 0xffff_ffff;
  for (const part of parts)
    for (const byte of part) crc = (CRC_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

const GENESIS_HASH = '0'.repeat(64);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const FRAME_BYTES_MAX = 4_194_304;
const BLOCK_BYTES_MAX = 6_291_456;

/** Fields of a record at fixed offsets, with the name of the record for what goes wrong. */
class Fields {
  readonly bytes: Buffer;
  readonly where: string;

  constructor(bytes: Buffer, where: string, size: number) {
    must(bytes.length >= size, 'it is complete', where, `${bytes.length} of ${size} bytes`);
    this.bytes = bytes;
    this.where = where;
  }
  ascii(offset: number, expected: string): void {
    const found = this.bytes.toString('latin1', offset, offset + expected.length);
    must(found === expected, `it carries ${expected}`, this.where);
  }
  u16(offset: number): number {
    return this.bytes.readUInt16LE(offset);
  }
  u32(offset: number): number {
    return this.bytes.readUInt32LE(offset);
  }
  u64(offset: number): number {
    const value = this.bytes.readBigUInt64LE(offset);
    must(value <= 9007199254740991n, 'an integer is at most 2^53 - 1', this.where, `byte ${offset}`);
    return Number(value);
  }
  hash(offset: number): string {
    return this.bytes.toString('hex', offset, offset + 32);
  }
  uuid(offset: number): string {
    const digits = this.bytes.toString('hex', offset, offset + 16);
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  is(offset: number, expected: number, what: string): void {
    must(this.u32(offset) === expected, `${what} is ${expected}`, this.where, String(this.u32(offset)));
  }
  checksum(offset: number, ...covered: readonly Uint8Array[]): void {
    must(this.u32(offset) === crc32c(...covered), 'it carries its checksum', this.where);
  }
}

// ---- Section 4: sealed records ----

type Json = Record<string, unknown>;

function unseal(bytes: Buffer, what: string): Json {
  const end = bytes.indexOf(0x0a) + 1;
  must(end > 0, 'a line of JSON comes first', what);
  const line = bytes.subarray(0, end);
  const seal = Buffer.from(`sha256 ${sha256(line)}\n`);
  must(bytes.subarray(end).equals(seal), 'the second line is the SHA-256 of the first', what);
  const record: unknown = JSON.parse(line.toString('utf8'));
  must(typeof record === 'object' && record !== null && !Array.isArray(record), 'it is an object', what);
  return record as Json;
}

/** A field that must be text, of a form where one is given. */
function text(record: Json, field: string, what: string, form = /^/): string {
  const value = record[field];
  must(typeof value === 'string' && form.test(value), `${field} is text of its form`, what);
  return value;
}

function integer(record: Json, field: string, what: string, min = 0): number {
  const value = record[field];
  must(
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min,
    `${field} is an integer`,
    what,
  );
  return value;
}

function exactly(record: Json, fields: readonly string[], what: string): void {
  const found = Object.keys(record).sort().join(' ');
  must(found === [...fields].sort().join(' '), 'it has exactly its fields', what, found);
}

export interface DecodedIdentity {
  readonly formatVersion: number;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly role: string;
}

export function decodeIdentityFile(bytes: Buffer): DecodedIdentity {
  const what = 'identity';
  const record = unseal(bytes, what);
  text(record, 'magic', what, /^replichart-identity$/);
  const formatVersion = integer(record, 'format_version', what);
  must(formatVersion === 1, 'format_version is 1', what);
  return {
    formatVersion,
    clusterId: text(record, 'cluster_id', what, UUID),
    nodeId: text(record, 'node_id', what, UUID),
    role: text(record, 'role', what, /^(primary|replica)$/),
  };
}

export interface DecodedHalt {
  readonly code: string;
  readonly invariant: string | null;
  readonly rule: string | null;
  readonly message: string;
  readonly evidence: Json;
  readonly action: string;
}

export function decodeHaltFile(bytes: Buffer): DecodedHalt {
  const what = 'halt';
  const record = unseal(bytes, what);
  text(record, 'magic', what, /^replichart-halt$/);
  const { evidence } = record;
  must(typeof evidence === 'object' && evidence !== null, 'evidence is an object', what);
  const orNull = (field: string) => (record[field] === null ? null : text(record, field, what));
  return {
    code: text(record, 'code', what, /^[A-Z_]+$/),
    invariant: orNull('invariant'),
    rule: orNull('rule'),
    message: text(record, 'message', what),
    evidence: evidence as Json,
    action: text(record, 'action', what),
  };
}

export interface DecodedManifest {
  readonly snapshotId: string;
  readonly clusterId: string;
  readonly cut: DecodedCut;
  readonly stateDigest: string;
  readonly versions: number;
  readonly keys: number;
  readonly bytes: number;
  readonly blocks: readonly { readonly offset: number; readonly bytes: number; readonly sha256: string }[];
}

const MANIFEST_FIELDS =
  'magic format_version snapshot_id cluster_id cut state_digest versions keys bytes blocks'.split(' ');
const HASH = /^[0-9a-f]{64}$/;

export function decodeManifestFile(bytes: Buffer): DecodedManifest {
  const what = 'manifest';
  const record = unseal(bytes, what);
  exactly(record, MANIFEST_FIELDS, what);
  text(record, 'magic', what, /^replichart-snapshot$/);
  must(record['format_version'] === 1, 'format_version is 1', what);
  const cut = record['cut'] as Json;
  exactly(cut, ['commit_id', 'lsn', 'history_hash', 'segment_index'], `${what} cut`);
  const blocks = record['blocks'];
  must(Array.isArray(blocks) && blocks.length > 0, 'it lists its blocks', what);
  let end = 0;
  const pieces = (blocks as Json[]).map((block, index) => {
    const where = `${what} block ${index}`;
    exactly(block, ['index', 'offset', 'bytes', 'sha256'], where);
    must(block['index'] === index, 'blocks count from 0', where);
    must(block['offset'] === end, 'a block begins where the one before it ends', where);
    const size = integer(block, 'bytes', where, 1);
    end += size;
    return { offset: end - size, bytes: size, sha256: text(block, 'sha256', where, HASH) };
  });
  must(record['bytes'] === end, 'the blocks cover the file', what);
  const commitId = integer(cut, 'commit_id', what, 1);
  const snapshotId = text(record, 'snapshot_id', what, /^\d{1,16}$/);
  must(snapshotId === String(commitId), 'the snapshot id is the commit id of the cut', what);
  return {
    snapshotId,
    clusterId: text(record, 'cluster_id', what, UUID),
    cut: {
      commitId,
      lsn: integer(cut, 'lsn', what),
      historyHash: text(cut, 'history_hash', what, HASH),
      segmentIndex: integer(cut, 'segment_index', what),
    },
    stateDigest: text(record, 'state_digest', what, HASH),
    versions: integer(record, 'versions', what),
    keys: integer(record, 'keys', what),
    bytes: end,
    blocks: pieces,
  };
}

// ---- Section 5: WAL ----

export type FrameKind = 'commits' | 'seal' | 'cut';
const KINDS: Readonly<Record<number, FrameKind>> = { 1: 'commits', 2: 'seal', 3: 'cut' };

interface Reader extends DecodedCut {
  readonly clusterId: string;
  readonly due: 'header' | 'frame';
}

/** Decodes and verifies all segments of a `wal` directory. `start`: the cut, where the node began with a snapshot. */
export async function decodeWalDirectory(
  directory: string,
  clusterId: string,
  start: DecodedCut = { commitId: 0, lsn: 0, historyHash: GENESIS_HASH, segmentIndex: 0 },
): Promise<DecodedWal> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.wal')).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, bytes: await readFile(join(directory, name)) })),
  );
  return decodeWalFiles(files, clusterId, start);
}

export function decodeWalFiles(
  files: readonly { readonly name: string; readonly bytes: Buffer }[],
  clusterId: string,
  start: DecodedCut = { commitId: 0, lsn: 0, historyHash: GENESIS_HASH, segmentIndex: 0 },
): DecodedWal {
  let reader: Reader = { ...start, clusterId, due: 'header' };
  const segments: { index: number; startLsn: number; bytes: number }[] = [];
  const frames: { kind: FrameKind; lsn: number; commits: number }[] = [];
  const positions: DecodedPosition[] = [positionOf(reader)];
  const commits: DecodedCommit[] = [];
  for (const { name, bytes } of files) {
    const expected = `${String(reader.lsn).padStart(20, '0')}.wal`;
    must(name === expected, 'a segment is named by the LSN that it starts at', name, `expected ${expected}`);
    must(reader.due === 'header', 'a segment ends with a seal', name);
    segments.push({ index: reader.segmentIndex, startLsn: reader.lsn, bytes: bytes.length });
    reader = decodeSegmentHeader(bytes, name, reader);
    positions.push(positionOf(reader));
    let at = 96;
    while (at < bytes.length) {
      must(reader.due === 'frame', 'nothing follows a seal in its segment', `${name} byte ${at}`);
      const frame = decodeFrame(bytes.subarray(at), `${name} byte ${at}`, reader);
      frames.push({ kind: frame.kind, lsn: reader.lsn, commits: frame.commits.length });
      reader = frame.after;
      positions.push(positionOf(reader));
      const { lsn, historyHash } = reader;
      for (const { commitId, operations } of frame.commits)
        commits.push({ commitId, operations, acknowledged: { commitId, lsn, historyHash } });
      at += frame.bytes;
    }
  }
  return { clusterId, segments, frames, positions, commits, position: positionOf(reader) };
}

function positionOf({ commitId, lsn, historyHash }: DecodedPosition): DecodedPosition {
  return { commitId, lsn, historyHash };
}

function decodeSegmentHeader(bytes: Buffer, name: string, reader: Reader): Reader {
  const header = new Fields(bytes, `${name} header`, 96);
  const { where } = header;
  header.ascii(0, 'RPLCHRT1');
  header.is(8, 96, 'header bytes');
  header.is(12, 1, 'format version');
  header.is(88, 0, 'zero');
  header.checksum(92, bytes.subarray(0, 92));
  must(header.uuid(16) === reader.clusterId, 'it is of the cluster', where);
  must(header.u64(32) === reader.segmentIndex, 'segment indexes have no gap', where);
  must(header.u64(40) === reader.lsn, 'it stands at its start LSN', where);
  must(header.hash(56) === reader.historyHash, 'it names the history before it', where);
  must(header.u64(48) === reader.commitId + 1, 'its first commit id is the next', where);
  return { ...reader, lsn: reader.lsn + 96, due: 'frame' };
}

function decodeFrame(rest: Buffer, where: string, reader: Reader) {
  const header = new Fields(rest, where, 72);
  header.ascii(0, 'RWF1');
  const size = header.u32(4);
  must(size >= 72 && size <= FRAME_BYTES_MAX, 'a frame takes 72 bytes to 4 MiB', where, String(size));
  must(size <= rest.length, 'it is complete', where, `${rest.length} of ${size} bytes`);
  const frame = rest.subarray(0, size);
  const count = header.u32(24);
  const kind = KINDS[header.u32(28)];
  must(kind !== undefined, 'its kind is known', where);
  must(kind === 'commits' ? count > 0 : count === 0 && size === 72, 'size and count are of its kind', where);
  header.is(68, 0, 'zero');
  header.checksum(64, frame.subarray(0, 64), frame.subarray(72));
  must(header.u64(8) === reader.lsn, 'it stands at its own LSN', where);
  must(header.hash(32) === reader.historyHash, 'it names the history before it', where);
  must(header.u64(16) === reader.commitId + 1, 'its first commit id is the next', where);
  const commits: { commitId: number; operations: DecodedOperation[] }[] = [];
  let at = 72;
  while (at < size) {
    const place = `${where} + ${at}`;
    const commit = new Fields(frame.subarray(at), place, 16);
    const commitId = commit.u64(0);
    must(commitId === reader.commitId + 1 + commits.length, 'commit ids have no gap', place);
    const end = at + commit.u32(8);
    must(end <= size, 'a commit lies in its frame', place);
    const operations: DecodedOperation[] = [];
    let operationAt = at + 16;
    while (operationAt < end) {
      const operation = decodeOperation(
        frame.subarray(operationAt, end),
        commitId,
        `${where} + ${operationAt}`,
      );
      operations.push(operation);
      operationAt += operation.record.length;
    }
    must(operationAt === end, 'operations fill their commit', place);
    must(operations.length > 0 && operations.length === commit.u32(12), 'operations are counted', place);
    commits.push({ commitId, operations });
    at = end;
  }
  must(commits.length === count, 'commits are counted', where);
  const isSeal = kind === 'seal';
  const after: Reader = {
    ...reader,
    commitId: reader.commitId + count,
    lsn: reader.lsn + size,
    historyHash: sha256(frame),
    segmentIndex: reader.segmentIndex + (isSeal ? 1 : 0),
    due: isSeal ? 'header' : 'frame',
  };
  return { kind, bytes: size, commits, after };
}

/** Decodes the operation record that `rest` begins with. */
function decodeOperation(rest: Buffer, commitId: number, where: string): DecodedOperation {
  const fields = new Fields(rest, where, 12);
  const op = rest[0] === 1 ? 'put' : rest[0] === 2 ? 'delete' : null;
  must(op !== null, 'an operation is a put or a delete', where);
  const idAt = 12 + (rest[1] as number);
  const documentAt = idAt + fields.u16(2);
  const end = documentAt + fields.u32(4);
  must(idAt > 12 && documentAt > idAt, 'collection and id are not empty', where);
  must(op === 'put' || end === documentAt, 'a delete has no document', where);
  must(end <= rest.length, 'an operation lies in its commit', where);
  const signed = Buffer.alloc(9);
  signed.writeBigUInt64LE(BigInt(commitId), 0);
  signed[8] = rest[0] as number;
  fields.checksum(8, signed, rest.subarray(12, end));
  return {
    op,
    collection: rest.subarray(12, idAt),
    id: rest.subarray(idAt, documentAt),
    document: rest.subarray(documentAt, end),
    record: rest.subarray(0, end),
  };
}

// ---- Section 6: state digest ----

interface NaiveVersion extends DecodedOperation {
  readonly commitId: number;
}

function inOrder(left: NaiveVersion, right: NaiveVersion): number {
  return (
    Buffer.compare(left.collection, right.collection) ||
    Buffer.compare(left.id, right.id) ||
    right.commitId - left.commitId
  );
}

const sameDocument = (left: NaiveVersion, right: NaiveVersion) =>
  left.collection.equals(right.collection) && left.id.equals(right.id);

/** The state digest at a commit id, from every commit since the first: nothing but a list, a sort and a hash. */
export function digestOfCommits(commits: readonly DecodedCommit[], at: number): DecodedDigest {
  const versions: NaiveVersion[] = [];
  for (const { commitId, operations } of commits) {
    if (commitId > at) continue;
    const last = new Map<string, DecodedOperation>();
    for (const operation of operations)
      last.set(`${operation.collection.toString('hex')}/${operation.id.toString('hex')}`, operation);
    for (const operation of last.values()) versions.push({ ...operation, commitId });
  }
  return digestOf(versions.sort(inOrder));
}

function digestOf(versions: readonly NaiveVersion[]): DecodedDigest {
  const parts = versions.flatMap(({ commitId, record }) => {
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(commitId), 0);
    return [prefix, record];
  });
  const keys = versions.filter(
    (version, n) => n === 0 || !sameDocument(version, versions[n - 1] as NaiveVersion),
  );
  return { sha256: sha256(...parts), versions: versions.length, keys: keys.length };
}

// ---- Section 7: index ----

export interface DecodedCheckpoint extends DecodedCut {
  readonly snapshotCut: number;
  readonly baseSlot: number;
}

export function decodeCheckpointValue(bytes: Buffer): DecodedCheckpoint {
  const fields = new Fields(bytes, 'checkpoint', 80);
  must(bytes.length === 80, 'it has 80 bytes', 'checkpoint');
  fields.ascii(0, 'RPLCKPT1');
  fields.checksum(76, bytes.subarray(0, 76));
  must(fields.u32(72) <= 1, 'there are two base slots', 'checkpoint');
  return {
    commitId: fields.u64(8),
    lsn: fields.u64(16),
    historyHash: fields.hash(24),
    segmentIndex: fields.u64(56),
    snapshotCut: fields.u64(64),
    baseSlot: fields.u32(72),
  };
}

export interface DecodedIndexEntry {
  readonly collection: Buffer;
  readonly id: Buffer;
  readonly commitId: number;
  readonly log: 'wal' | 'base';
  /** Of a version in a base file. */
  readonly slot: number | null;
  readonly offset: number;
  readonly bytes: number;
}

/** Decodes a version entry of the index: key and value. */
export function decodeIndexEntry(key: Buffer, value: Buffer): DecodedIndexEntry {
  const where = `index key ${key.toString('hex')}`;
  must(key[0] === 1, 'a version key begins with 01', where);
  const collection = unescapeName(key, 1, where);
  const id = unescapeName(key, collection.next, where);
  must(key.length === id.next + 8, 'eight bytes follow the id', where);
  const fields = new Fields(value, where, 17);
  const log = value[0] as number;
  must(value.length === 17 && log >= 1 && log <= 3, 'its value is of its form', where);
  fields.checksum(13, key, value.subarray(0, 13));
  return {
    collection: collection.name,
    id: id.name,
    commitId: Number(0xffff_ffff_ffff_ffffn - key.readBigUInt64BE(id.next)),
    log: log === 1 ? 'wal' : 'base',
    slot: log === 1 ? null : log - 2,
    offset: fields.u64(1),
    bytes: fields.u32(9),
  };
}

function unescapeName(key: Buffer, from: number, where: string): { name: Buffer; next: number } {
  const name: number[] = [];
  for (let at = from; at < key.length; at += 1) {
    const byte = key[at] as number;
    if (byte !== 0) {
      name.push(byte);
    } else if (key[at + 1] === 0xff) {
      name.push(0);
      at += 1;
    } else {
      must(key[at + 1] === 1, 'a name ends with 00 01', where);
      return { name: Buffer.from(name), next: at + 2 };
    }
  }
  throw new FormatFault('a name ends with 00 01', where);
}

// ---- Section 8: base file ----

export interface DecodedBase extends DecodedDigest {
  readonly clusterId: string;
  readonly cut: DecodedCut;
  readonly blocks: number;
}

/** Decodes and verifies a base file; its digest is computed from its entries. */
export function decodeBaseFileBytes(bytes: Buffer): DecodedBase {
  const header = new Fields(bytes, 'base header', 128);
  header.ascii(0, 'RPLCBAS1');
  header.is(8, 128, 'header bytes');
  header.is(12, 1, 'format version');
  header.checksum(124, bytes.subarray(0, 124));
  const cut: DecodedCut = {
    commitId: header.u64(32),
    lsn: header.u64(40),
    historyHash: header.hash(48),
    segmentIndex: header.u64(80),
  };
  const versions: NaiveVersion[] = [];
  let blocks = 0;
  let at = 128;
  while (bytes.toString('latin1', at, at + 8) !== 'RPLCBEN1') {
    at += decodeBlock(bytes.subarray(at), `base block ${blocks}`, blocks, cut.commitId, versions);
    blocks += 1;
  }
  const digest = digestOf(versions);
  const footer = new Fields(bytes.subarray(at), 'base footer', 80);
  const { where } = footer;
  footer.is(8, 80, 'footer bytes');
  footer.is(12, blocks, 'block count');
  footer.is(72, 0, 'zero');
  footer.checksum(76, bytes.subarray(at, at + 76));
  must(footer.u64(16) === digest.versions, 'versions are counted', where);
  must(footer.u64(24) === digest.keys, 'keys are counted', where);
  must(footer.u64(32) === bytes.length && at + 80 === bytes.length, 'the footer ends the file', where);
  must(footer.hash(40) === digest.sha256, 'the state digest is that of the entries', where);
  return { clusterId: header.uuid(16), cut, blocks, ...digest };
}

function decodeBlock(
  rest: Buffer,
  where: string,
  index: number,
  cutCommitId: number,
  into: NaiveVersion[],
): number {
  const header = new Fields(rest, where, 24);
  header.ascii(0, 'RBB1');
  const size = header.u32(4);
  must(size >= 24 && size <= BLOCK_BYTES_MAX && size <= rest.length, 'its size is possible', where);
  header.is(8, index, 'block index');
  header.is(16, 0, 'zero');
  const block = rest.subarray(0, size);
  header.checksum(20, block.subarray(0, 20), block.subarray(24));
  let count = 0;
  let at = 24;
  while (at < size) {
    const place = `${where} + ${at}`;
    const commitId = new Fields(block.subarray(at), place, 8).u64(0);
    must(commitId >= 1 && commitId <= cutCommitId, 'a version is not above the cut', place);
    const version = { ...decodeOperation(block.subarray(at + 8), commitId, place), commitId };
    const last = into.at(-1);
    must(last === undefined || inOrder(last, version) < 0, 'versions are in order', place);
    into.push(version);
    count += 1;
    at += 8 + version.record.length;
  }
  header.is(12, count, 'version count');
  return size;
}

// ---- Section 10.4: position notices ----

export function decodeNoticeBytes(bytes: Buffer): DecodedPosition {
  const fields = new Fields(bytes, 'notice', 64);
  fields.ascii(0, 'RPN1');
  fields.is(4, 64, 'bytes');
  fields.is(56, 0, 'zero');
  fields.checksum(60, bytes.subarray(0, 60));
  return { commitId: fields.u64(8), lsn: fields.u64(16), historyHash: fields.hash(24) };
}
