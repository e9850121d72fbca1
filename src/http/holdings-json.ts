import { keyJson, hex32 } from '../core/bytes.ts';
import { positionToJson } from '../core/position.ts';
import { manifestJson } from '../core/storage/manifest.ts';
import { versionKey } from '../core/storage/index-entry.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import { operationCrcOf } from '../core/wal/operation.ts';
import { segmentFileName } from '../core/wal/segment-header.ts';
import { baseCutOf, type ServedNode } from '../node/served-node.ts';
import { PAGE_DEFAULT } from './contract/dx.ts';

interface Page<Cursor> {
  readonly after?: Cursor | undefined;
  readonly limit?: number | undefined;
}

/** The segment files of a node, a page of them. */
export function segmentsJson(node: ServedNode, { after, limit = PAGE_DEFAULT }: Page<number>) {
  const wal = node.files()?.wal ?? null;
  if (wal === null) return { oldest_lsn: null, segments: null, next_after: null };
  const behind = wal.segments.filter(({ startLsn }) => after === undefined || startLsn > after);
  const page = behind.slice(0, limit);
  return {
    oldest_lsn: wal.startLsn,
    segments: page.map(({ startLsn, bytes }) => ({
      file: segmentFileName(startLsn),
      start_lsn: startLsn,
      bytes,
    })),
    next_after: behind.length > limit ? (page.at(-1)?.startLsn ?? null) : null,
  };
}

/** The views that can be had. A state digest is a read of everything, so it passes the gate like any other. */
export async function mvccJson(node: ServedNode, digestAt: number | undefined) {
  const applied = node.applied();
  const digest =
    digestAt === undefined ? null : await node.gate.read((view) => view.stateDigest(), { at: digestAt });
  return {
    newest_view_commit_id: applied?.commitId ?? null,
    position: applied && positionToJson(applied),
    snapshot_cut_commit_id: baseCutOf(node),
    state_digest: digest && {
      commit_id: digest.commitId,
      sha256: digest.sha256,
      versions: digest.versions,
      keys: digest.keys,
    },
  };
}

/** A page of the versions within a view. */
export function versionsJson(
  node: ServedNode,
  { at, after, limit = PAGE_DEFAULT }: Page<string> & { readonly at?: number | undefined },
) {
  return node.gate.read(
    async (view) => {
      const versions: ReturnType<typeof versionJson>[] = [];
      let last: Buffer | null = null;
      let isMore = false;
      for await (const version of view.versions(
        after === undefined ? undefined : Buffer.from(after, 'base64url'),
      )) {
        isMore = versions.length === limit;
        if (isMore) break;
        versions.push(versionJson(version));
        last = versionKey(version.collection, version.id, version.commitId);
      }
      return {
        view_commit_id: view.commitId,
        versions,
        next_after: isMore && last !== null ? last.toString('base64url') : null,
      };
    },
    at === undefined ? {} : { at },
  );
}

function versionJson({ collection, id, commitId, document, record }: StoredVersion) {
  return {
    ...keyJson('collection', collection),
    ...keyJson('id', id),
    commit_id: commitId,
    op: document === null ? ('delete' as const) : ('put' as const),
    document_bytes: document?.length ?? 0,
    crc32c: hex32(operationCrcOf(record)),
  };
}

/** The snapshots that a node keeps, and the one that it began with. */
export async function snapshotsJson(node: ServedNode, { after, limit = PAGE_DEFAULT }: Page<number>) {
  const ids = (await node.snapshots.list()).filter((id) => after === undefined || Number(id) > after);
  const page = ids.slice(0, limit);
  const found = await node.snapshots.inspectAll(page);
  const cut = baseCutOf(node) ?? 0;
  return {
    snapshots: found.map((one) => ({
      snapshot_id: one.snapshotId,
      state: one.state,
      manifest: one.state === 'intact' ? manifestJson(one.manifest) : null,
      fault: one.state === 'damaged' ? { expected: one.expected, found: one.found } : null,
    })),
    bootstrapped_from_commit_id: cut > 0 ? cut : null,
    next_after: ids.length > limit ? Number(page.at(-1)) : null,
  };
}

/** The checkpoint as it is stored, read anew, and the cuts of the snapshots that are intact. */
export async function checkpointsJson(node: ServedNode) {
  const [found = null, { snapshots }] = await Promise.all([
    node.files()?.storage.readCheckpoint(),
    snapshotsJson(node, { limit: Infinity }),
  ]);
  return {
    state: found?.state ?? null,
    checkpoint:
      found?.state === 'intact'
        ? {
            ...positionToJson(found.checkpoint),
            segment_index: found.checkpoint.segmentIndex,
            snapshot_cut_commit_id: found.checkpoint.snapshotCut,
          }
        : null,
    snapshot_cuts: snapshots.flatMap(({ manifest }) => (manifest === null ? [] : [manifest.cut])),
  };
}
