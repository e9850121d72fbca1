import { readdir, readFile } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { expect } from 'vitest';
import { cli } from './cli.ts';
import { decodeWalFiles, type DecodedCommit } from './independent-decoder.ts';
import { CLUSTER, del, put, startPrimary, temporaryDirectory } from './nodes.ts';
import { unitsOf } from './wal-forge.ts';

export type Line = Record<string, unknown>;

const inBinary = (n: number) => ({
  op: 'put' as const,
  collection: Buffer.from([0xff, 0x01]),
  id: Buffer.from([0xfe, n]),
  document: Buffer.from([n, 0xff]),
});

/**
 * A stopped primary: three segments of three commits, the last of two. Commit n puts `k<n>` in `c` and, where n is even,
 * a document of a binary name; commit 5 deletes `k4` as well.
 */
export async function threeSegments() {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
  for (let n = 1; n <= 8; n += 1) {
    const more = n === 5 ? [del('k4')] : n % 2 === 0 ? [inBinary(n)] : [];
    await primary.commit([put(`k${n}`, `{"n":${n}}`), ...more]);
    // A snapshot ends a segment.
    if (n % 3 === 0) await primary.createSnapshot();
  }
  await primary.stop();
  const walDir = join(dataDir, 'wal');
  const names = (await readdir(walDir)).sort() as [string, string, string];
  const paths = names.map((name) => join(walDir, name)) as [string, string, string];
  return { dataDir, walDir, names, paths, records: await recordsIn(walDir) };
}

/** What `wal dump --documents --json` must say of a WAL from LSN 0 on, read by the independent decoder. */
export async function recordsIn(walDir: string): Promise<Line[]> {
  const names = (await readdir(walDir)).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, bytes: await readFile(join(walDir, name)) })),
  );
  const wal = Buffer.concat(files.map(({ bytes }) => bytes));
  const { positions, commits, segments } = decodeWalFiles(files, CLUSTER);
  const records: Line[] = [];
  let segment = -1;
  for (const [index, { lsn, bytes, kind }] of unitsOf(wal).entries()) {
    const before = positions[index];
    const after = positions[index + 1];
    if (kind === 'header') segment += 1;
    const startLsn = segments[segment]?.startLsn ?? 0;
    const place = { lsn, file: names[segment] };
    if (kind === 'header') {
      records.push({
        record: 'segment',
        ...place,
        segment_index: segment,
        cluster_id: CLUSTER,
        format_version: 1,
        first_commit_id: (before?.commitId ?? 0) + 1,
        history_hash: before?.historyHash,
        crc32c: hex32(wal, lsn + 92),
      });
      continue;
    }
    const own = commits.filter(({ acknowledged }) => kind === 'commits' && acknowledged.lsn === after?.lsn);
    records.push({
      record: 'frame',
      ...place,
      byte: lsn - startLsn,
      kind,
      bytes,
      first_commit_id: (before?.commitId ?? 0) + 1,
      commit_count: own.length,
      previous_hash: before?.historyHash,
      history_hash: after?.historyHash,
      crc32c: hex32(wal, lsn + 64),
    });
    records.push(...commitRecords(lsn + 72, own));
  }
  return records;
}

function commitRecords(firstLsn: number, commits: readonly DecodedCommit[]): Line[] {
  const records: Line[] = [];
  let lsn = firstLsn;
  for (const { commitId, operations } of commits) {
    const bytes = operations.reduce((sum, { record }) => sum + record.length, 16);
    records.push({ record: 'commit', lsn, commit_id: commitId, bytes, operation_count: operations.length });
    let operationLsn = lsn + 16;
    for (const [index, { op, collection, id, document, record }] of operations.entries()) {
      records.push({
        record: 'operation',
        lsn: operationLsn,
        commit_id: commitId,
        index,
        op,
        ...(isUtf8(collection)
          ? { collection: collection.toString() }
          : { collection_base64: collection.toString('base64') }),
        ...(isUtf8(id) ? { id: id.toString() } : { id_base64: id.toString('base64') }),
        document_bytes: document.length,
        crc32c: hex32(record, 8),
        ...(op === 'put' ? documentOf(document) : {}),
      });
      operationLsn += record.length;
    }
    lsn += bytes;
  }
  return records;
}

function documentOf(document: Buffer): Line {
  return document[0] === 0x7b
    ? { document: JSON.parse(document.toString()) as unknown }
    : { document_base64: document.toString('base64') };
}

function hex32(bytes: Buffer, offset: number): string {
  return bytes.readUInt32LE(offset).toString(16).padStart(8, '0');
}

interface DumpEnd extends Line {
  readonly verdict: string;
  readonly message: string;
  readonly records: number;
  readonly begins_at: Line | null;
  readonly proven_to: Line | null;
  readonly stop: Line | null;
  readonly notes: readonly string[];
}

/** What `wal dump --json` prints: its records, and the last of them apart. */
export async function dump(args: readonly string[]) {
  const { exit, out, err } = await cli(['wal', 'dump', ...args, '--json']);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const end = lines.pop() as DumpEnd;
  expect([end['record'], end.records, err]).toEqual(['end', lines.length, '']);
  return { exit, records: lines, end };
}

export const withoutDocuments = (records: readonly Line[]) =>
  records.map(({ document: _document, document_base64: _base64, ...record }) => record);

/** Of each record what it is and where it stands. */
export const placesOf = (records: readonly Line[]) =>
  records.map(({ record, lsn }) => `${String(record)} ${String(lsn)}`);

/** The position at an LSN of these records. */
export const positionBefore = (records: readonly Line[], lsn: number) => {
  const frames = records.filter(
    (one) => (one['record'] === 'frame' || one['record'] === 'segment') && (one['lsn'] as number) < lsn,
  );
  const last = frames.findLast(({ record }) => record === 'frame');
  return {
    commit_id: (last?.['first_commit_id'] as number) + (last?.['commit_count'] as number) - 1,
    lsn,
    history_hash: last?.['history_hash'],
  };
};

/** The LSN that the name of a segment file says. */
export const startOf = (name: string) => Number(name.slice(0, 20));
export const GENESIS_HASH = '0'.repeat(64);
export const FROM_GENESIS = { commit_id: 0, lsn: 0, history_hash: GENESIS_HASH, hash_from: 'genesis' };
