import { dirname, join } from 'node:path';
import { hex, sha256, type JsonObject } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { positionToJson } from '../core/position.ts';
import type { SnapshotCut } from '../core/storage/base-format.ts';
import { decodeManifest, type Manifest } from '../core/storage/manifest.ts';
import { readBaseFile, type BaseFacts } from './base-file.ts';
import { readWholeFile } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Something in a snapshot that is not as it must be. */
export interface SnapshotFault {
  /** Below the data directory. */
  readonly file: string;
  readonly rule: string;
  /** `null` where the fault is one of the whole file. */
  readonly offset: number | null;
  readonly expected: JsonObject;
  readonly found: JsonObject;
}

export interface SnapshotVerdict {
  readonly snapshotId: string;
  /** `null` where the manifest cannot be believed. */
  readonly manifest: Manifest | null;
  readonly faults: readonly SnapshotFault[];
}

/**
 * Reads all the bytes of a snapshot and compares them with what they say of themselves and of each other: the
 * manifest's hash, the SHA-256 of every block, the base file from its first byte to its last, counts, cut, digest and
 * cluster. Changes nothing. Memory: one block. `progress` is told the bytes that were read since it was told last.
 *
 * @throws ReplichartError `SNAPSHOT_UNKNOWN`
 */
export async function verifySnapshot(
  files: FileSystem,
  store: SnapshotStore,
  snapshotId: string,
  clusterId: string,
  progress: (bytes: number) => void = () => undefined,
): Promise<SnapshotVerdict> {
  const isThere = async () => (await store.list()).includes(snapshotId);
  const unknown = () => new ReplichartError('SNAPSHOT_UNKNOWN', `there is no snapshot ${snapshotId}`);
  if (!(await isThere())) throw unknown();
  try {
    const verdict = await verify(files, store, snapshotId, clusterId, progress);
    if (verdict.faults.length === 0 || (await isThere())) return verdict;
  } catch (error) {
    if (await isThere()) throw error;
  }
  // What a running primary removes meanwhile is not damaged.
  throw unknown();
}

async function verify(
  files: FileSystem,
  store: SnapshotStore,
  snapshotId: string,
  clusterId: string,
  progress: (bytes: number) => void,
): Promise<SnapshotVerdict> {
  const manifestFile = `snapshots/${snapshotId}/manifest`;
  const dataFile = `snapshots/${snapshotId}/data.base`;
  const bytes = await readWholeFile(files, join(dirname(store.dataFile(snapshotId)), 'manifest'));
  // A snapshot appears whole: one without a manifest has lost it.
  const found =
    bytes === null
      ? ({ state: 'damaged', expected: 'a manifest', found: 'no file' } as const)
      : decodeManifest(bytes);
  if (found.state === 'damaged')
    return {
      snapshotId,
      manifest: null,
      faults: [
        {
          file: manifestFile,
          rule: 'manifest',
          offset: null,
          expected: { manifest: found.expected },
          found: { manifest: found.found },
        },
      ],
    };
  const { manifest } = found;
  const faults: SnapshotFault[] = [];
  const compare = (file: string, rule: string, expected: JsonObject, is: JsonObject) => {
    if (JSON.stringify(expected) !== JSON.stringify(is))
      faults.push({ file, rule, offset: null, expected, found: is });
  };
  compare(
    manifestFile,
    'whose it is',
    { snapshot_id: snapshotId, cut_commit_id: Number(snapshotId), cluster_id: clusterId },
    {
      snapshot_id: manifest.snapshotId,
      cut_commit_id: manifest.cut.commitId,
      cluster_id: manifest.clusterId,
    },
  );
  const path = store.dataFile(snapshotId);
  const data = await files.stat(path);
  compare(dataFile, 'size', { bytes: manifest.bytes }, { bytes: data?.bytes ?? null });
  if (data === null) return { snapshotId, manifest, faults };
  for await (const fault of blockFaults(files, path, manifest, progress))
    faults.push({ file: dataFile, ...fault });
  const base = await readBaseFile(files, path);
  if (base.fault !== null) faults.push({ file: dataFile, ...base.fault });
  // A file that could not be read to its end has no counts and no digest to compare.
  else compare(dataFile, 'state', expectedState(manifest), foundState(base));
  return { snapshotId, manifest, faults };
}

async function* blockFaults(
  files: FileSystem,
  path: string,
  { blocks }: Manifest,
  progress: (bytes: number) => void,
): AsyncGenerator<Omit<SnapshotFault, 'file'>> {
  const handle = await files.open(path, 'read');
  try {
    for (const { index, offset, bytes, sha256: expected } of blocks) {
      const buffer = Buffer.allocUnsafeSlow(bytes);
      const read = await handle.read(buffer, offset);
      progress(read);
      const found = hex(sha256(buffer.subarray(0, read)));
      if (read !== bytes || found !== expected)
        yield {
          rule: 'block hash',
          offset,
          expected: { block: index, bytes, sha256: expected },
          found: { block: index, bytes: read, sha256: found },
        };
    }
  } finally {
    await handle.close();
  }
}

function expectedState({ clusterId, cut, stateDigest, versions, keys }: Manifest): JsonObject {
  return {
    cluster_id: clusterId,
    cut: cutJson(cut),
    footer_digest: stateDigest,
    state_digest: stateDigest,
    versions,
    keys,
  };
}

function foundState({ header, footer, stateDigest, versions, keys }: BaseFacts): JsonObject {
  return {
    cluster_id: header?.clusterId ?? null,
    cut: header && cutJson(header.cut),
    footer_digest: footer?.stateDigest ?? null,
    state_digest: stateDigest,
    versions,
    keys,
  };
}

function cutJson(cut: SnapshotCut): JsonObject {
  return { ...positionToJson(cut), segment_index: cut.segmentIndex };
}
