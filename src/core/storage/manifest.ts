import * as z from 'zod';
import { isUuid } from '../bytes.ts';
import { FORMAT_VERSION } from '../limits.ts';
import { decodeSealedRecord, encodeSealedRecord } from '../sealed-record.ts';
import {
  BASE_BLOCK_BYTES_MAX,
  BASE_FOOTER_BYTES,
  BASE_HEADER_BYTES,
  cutToJson,
  type SnapshotCut,
} from './base-format.ts';

/** A piece of the base file as it is transferred. The pieces follow one another and make up the whole file. */
export interface SnapshotBlock {
  readonly index: number;
  readonly offset: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a snapshot is: whose, of which cut, and the hashes of all its bytes. */
export interface Manifest {
  readonly snapshotId: string;
  readonly clusterId: string;
  readonly cut: SnapshotCut;
  readonly stateDigest: string;
  readonly versions: number;
  readonly keys: number;
  readonly bytes: number;
  readonly blocks: readonly SnapshotBlock[];
}

/** A piece holds one block of the file, and at its ends the header and the footer. */
export const SNAPSHOT_BLOCK_BYTES_MAX = BASE_BLOCK_BYTES_MAX + BASE_HEADER_BYTES + BASE_FOOTER_BYTES;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0);
const manifestRecord = z.strictObject({
  magic: z.literal('replichart-snapshot'),
  format_version: z.literal(FORMAT_VERSION),
  snapshot_id: z.string().regex(/^\d{1,16}$/),
  cluster_id: z.string().refine(isUuid, 'must be a UUID'),
  cut: z.strictObject({ commit_id: count.min(1), lsn: count, history_hash: hash, segment_index: count }),
  state_digest: hash,
  versions: count,
  keys: count,
  bytes: count,
  blocks: z
    .array(
      z.strictObject({
        index: count,
        offset: count,
        bytes: count.min(1).max(SNAPSHOT_BLOCK_BYTES_MAX),
        sha256: hash,
      }),
    )
    .min(1),
});

export function encodeManifest(manifest: Manifest): Buffer {
  return encodeSealedRecord({
    magic: 'replichart-snapshot',
    format_version: FORMAT_VERSION,
    ...manifestJson(manifest),
    blocks: manifest.blocks.map(({ index, offset, bytes, sha256 }) => ({ index, offset, bytes, sha256 })),
  });
}

/** A manifest without its blocks, as it is listed. */
export function manifestJson({ snapshotId, clusterId, cut, stateDigest, versions, keys, bytes }: Manifest) {
  return {
    snapshot_id: snapshotId,
    cluster_id: clusterId,
    cut: cutToJson(cut),
    state_digest: stateDigest,
    versions,
    keys,
    bytes,
  };
}

export type ManifestFound =
  | { readonly state: 'intact'; readonly manifest: Manifest }
  | { readonly state: 'damaged'; readonly expected: string; readonly found: string };

/** Reads a manifest: its own hash, its fields, and that its blocks cover the file without gap or overlap. */
export function decodeManifest(bytes: Buffer): ManifestFound {
  const sealed = decodeSealedRecord(bytes);
  if (sealed.state === 'damaged') return sealed;
  const parsed = manifestRecord.safeParse(sealed.record);
  if (!parsed.success)
    return {
      state: 'damaged',
      expected: 'the fields of a manifest',
      found: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    };
  const record = parsed.data;
  if (record.snapshot_id !== String(record.cut.commit_id))
    return {
      state: 'damaged',
      expected: `the snapshot of commit ${record.cut.commit_id}`,
      found: `snapshot ${record.snapshot_id}`,
    };
  let offset = 0;
  for (const [index, block] of record.blocks.entries()) {
    if (block.index !== index || block.offset !== offset)
      return {
        state: 'damaged',
        expected: `block ${index} at offset ${offset}`,
        found: `block ${block.index} at offset ${block.offset}`,
      };
    offset += block.bytes;
  }
  if (offset !== record.bytes)
    return { state: 'damaged', expected: `${record.bytes} bytes in blocks`, found: `${offset}` };
  return {
    state: 'intact',
    manifest: {
      snapshotId: record.snapshot_id,
      clusterId: record.cluster_id,
      cut: {
        commitId: record.cut.commit_id,
        lsn: record.cut.lsn,
        historyHash: record.cut.history_hash,
        segmentIndex: record.cut.segment_index,
      },
      stateDigest: record.state_digest,
      versions: record.versions,
      keys: record.keys,
      bytes: record.bytes,
      blocks: record.blocks,
    },
  };
}
