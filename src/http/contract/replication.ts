import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { commitId, enveloped, historyHash, lsn, position, queryNumber } from './shapes.ts';

export const snapshotCut = z.object({
  commit_id: commitId,
  lsn,
  history_hash: historyHash,
  segment_index: z.int(),
});

export const manifest = z
  .object({
    snapshot_id: z.string(),
    cluster_id: z.string(),
    cut: snapshotCut,
    state_digest: z.string(),
    versions: z.int(),
    keys: z.int(),
    bytes: z.int(),
  })
  .meta({ id: 'SnapshotManifest', description: 'What a snapshot is, without its list of blocks.' });

const REPLICATION = ['REPLICATION_DISABLED', 'READS_BLOCKED'] as const;

export const getIdentity = endpoint({
  method: 'GET',
  path: '/replication/v1/identity',
  plane: 'replication',
  summary: 'Whose history this primary has, and how far it is durable',
  query: z.object({}),
  answer: enveloped(
    z.object({
      cluster_id: z.string(),
      node_id: z.string(),
      format_version: z.int(),
      oldest_lsn: lsn,
      durable: position,
    }),
  ),
  refusals: REPLICATION,
});

export const getWalStream = endpoint({
  method: 'GET',
  path: '/replication/v1/wal',
  plane: 'replication',
  summary: 'Durable WAL from a position on, for as long as the follower stays',
  description:
    'Raw bytes exactly as in the segment files, following the durable tail; docs/FORMAT.md section 10 has headers and notices.',
  query: z.object({
    from_lsn: queryNumber,
    history_hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits in lower case')
      .optional(),
    commit_id: queryNumber.optional(),
    notice_interval_ms: queryNumber.pipe(z.number().min(10).max(3_600_000)).optional(),
  }),
  answer: z.string(),
  contentType: 'application/octet-stream',
  refusals: [...REPLICATION, 'POSITION_INVALID', 'HISTORY_DIVERGED', 'WAL_PRUNED', 'WAL_CORRUPT'],
});

export const listSnapshots = endpoint({
  method: 'GET',
  path: '/replication/v1/snapshots',
  plane: 'replication',
  summary: 'Snapshots that replicas may begin with, the oldest cut first',
  query: z.object({}),
  answer: enveloped(z.object({ snapshots: z.array(manifest) })),
  refusals: REPLICATION,
});

export const getManifest = endpoint({
  method: 'GET',
  path: '/replication/v1/snapshots/:id/manifest',
  plane: 'replication',
  summary: 'The manifest of a snapshot as it is stored, with its seal',
  params: z.object({ id: z.string() }),
  query: z.object({}),
  answer: z.string(),
  contentType: 'text/plain',
  refusals: ['REPLICATION_DISABLED', 'SNAPSHOT_UNKNOWN'],
});

export const getBlock = endpoint({
  method: 'GET',
  path: '/replication/v1/snapshots/:id/blocks/:n',
  plane: 'replication',
  summary: 'One block of a snapshot; its SHA-256 stands in the manifest',
  params: z.object({ id: z.string(), n: queryNumber }),
  query: z.object({}),
  answer: z.string(),
  contentType: 'application/octet-stream',
  refusals: ['REPLICATION_DISABLED', 'SNAPSHOT_UNKNOWN', 'SNAPSHOT_CORRUPT'],
});
