import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { manifest } from './replication.ts';
import {
  commitId,
  documentName,
  enveloped,
  halt,
  historyHash,
  invariantId,
  limitOf,
  lsn,
  machineState,
  position,
  queryNumber,
  replicaState,
  viewQuery,
} from './shapes.ts';

export const PAGE_MAX = 1_000;
export const PAGE_DEFAULT = 100;

const role = z.enum(['primary', 'replica']);
export const getStatus = endpoint({
  method: 'GET',
  path: '/v1/status',
  plane: 'dx',
  summary: 'What a node is, where it stands, and why',
  answer: enveloped(
    z
      .object({
        role,
        node_id: z.string().nullable(),
        cluster_id: z.string().nullable(),
        replication: z.enum(['disabled', 'enabled']),
        replica_state: replicaState,
        machine_state: machineState,
        position: position.nullable(),
        blocking_reason: z
          .object({ code: z.string(), invariant: invariantId.nullable(), rule: z.string().nullable() })
          .nullable(),
        failure: halt.nullable(),
      })
      .meta({ id: 'Status' }),
  ),
});

export const getReplication = endpoint({
  method: 'GET',
  path: '/v1/replication',
  plane: 'dx',
  summary: 'The state of replication on a node; what is not known is null',
  answer: enveloped(
    z
      .object({
        role,
        replica_id: z.string().nullable(),
        replica_state: replicaState,
        replica_commit_id: commitId.nullable(),
        primary_commit_id: commitId.nullable(),
        wal_received_lsn: lsn.nullable(),
        wal_validated_lsn: lsn.nullable(),
        wal_applied_lsn: lsn.nullable(),
        history_hash: historyHash.nullable(),
        snapshot_bootstrap_state: z.enum(['NotStarted', 'InProgress', 'Complete']),
        read_safety: z.enum(['Safe', 'Unsafe']),
        blocking_reason: z.string().nullable(),
        detachment: z.string().nullable().meta({ description: 'Why ingress has no stream.' }),
        failure: halt.nullable(),
      })
      .meta({ id: 'Replication' }),
  ),
});

export const getWal = endpoint({
  method: 'GET',
  path: '/v1/wal',
  plane: 'dx',
  summary:
    'How far the WAL has come: received, validated and applied are three things; and its segment files',
  query: z.strictObject({
    after: queryNumber.optional().meta({ description: 'Only segments that start after this LSN.' }),
    limit: limitOf(PAGE_MAX, PAGE_DEFAULT),
  }),
  answer: enveloped(
    z
      .object({
        wal_received_lsn: lsn.nullable(),
        wal_validated_lsn: lsn.nullable(),
        wal_applied_lsn: lsn.nullable(),
        validated_commit_id: commitId.nullable(),
        applied_commit_id: commitId.nullable(),
        history_hash: historyHash.nullable(),
        primary_durable_lsn: lsn.nullable(),
        primary_commit_id: commitId.nullable(),
        oldest_lsn: lsn.nullable(),
        segments: z
          .array(z.object({ file: z.string(), start_lsn: lsn, bytes: z.int() }))
          .nullable()
          .meta({ description: 'null while the files are not open.' }),
        next_after: lsn.nullable(),
      })
      .meta({ id: 'Wal' }),
  ),
});

export const getMvcc = endpoint({
  method: 'GET',
  path: '/v1/mvcc',
  plane: 'dx',
  summary: 'The views that can be had; with `digest_at`, the digest of the state at a commit id',
  description:
    'Equal digests at equal commit ids are equal states. A digest reads everything and passes the read gate like any read.',
  query: z.strictObject({ digest_at: queryNumber.optional() }),
  answer: enveloped(
    z
      .object({
        newest_view_commit_id: commitId.nullable(),
        position: position.nullable(),
        snapshot_cut_commit_id: commitId.nullable(),
        state_digest: z
          .object({ commit_id: commitId, sha256: z.string(), versions: z.int(), keys: z.int() })
          .nullable(),
      })
      .meta({ id: 'Mvcc' }),
  ),
  refusals: ['READS_BLOCKED', 'VIEW_ABOVE_APPLIED', 'INDEX_DAMAGED'],
});

export const getVersions = endpoint({
  method: 'GET',
  path: '/v1/mvcc/versions',
  plane: 'dx',
  summary: 'Every retained version within a view, in key order, newest first within a key',
  description:
    'What the state digest is made over, a page at a time: two nodes are compared version by version.',
  query: z.strictObject({
    at: viewQuery.at,
    after: z
      .base64url('must be the next_after of a page before')
      .optional()
      .meta({ description: '`next_after` of the page before.' }),
    limit: limitOf(PAGE_MAX, PAGE_DEFAULT),
  }),
  answer: enveloped(
    z
      .object({
        view_commit_id: commitId,
        versions: z.array(
          z.object({
            ...documentName,
            commit_id: commitId,
            op: z.enum(['put', 'delete']),
            document_bytes: z.int(),
            crc32c: z.string(),
          }),
        ),
        next_after: z.string().nullable(),
      })
      .meta({ id: 'Versions' }),
  ),
  refusals: ['READS_BLOCKED', 'VIEW_ABOVE_APPLIED', 'INDEX_DAMAGED'],
});

export const getSnapshots = endpoint({
  method: 'GET',
  path: '/v1/snapshots',
  plane: 'dx',
  summary: 'The snapshots of a node, the oldest cut first, and the one that it began with',
  query: z.strictObject({
    after: queryNumber.optional().meta({ description: 'Only snapshots of cuts after this commit id.' }),
    limit: limitOf(PAGE_MAX, PAGE_DEFAULT),
  }),
  answer: enveloped(
    z
      .object({
        snapshots: z.array(
          z.object({
            snapshot_id: z.string(),
            state: z.enum(['intact', 'damaged']),
            manifest: manifest.nullable(),
            fault: z.object({ expected: z.string(), found: z.string() }).nullable(),
          }),
        ),
        bootstrapped_from_commit_id: commitId
          .nullable()
          .meta({ description: 'Cut of the base file; null without one.' }),
        next_after: z.int().nullable(),
      })
      .meta({ id: 'Snapshots' }),
  ),
});

const checkpoint = z.object({
  commit_id: commitId,
  lsn,
  history_hash: historyHash,
  segment_index: z.int(),
  snapshot_cut_commit_id: commitId,
});

export const getCheckpoints = endpoint({
  method: 'GET',
  path: '/v1/checkpoints',
  plane: 'dx',
  summary: 'The checkpoint of the index as it is stored, and the cuts that the node could begin from',
  answer: enveloped(
    z
      .object({
        state: z
          .enum(['absent', 'damaged', 'intact'])
          .nullable()
          .meta({ description: 'null while the files are not open.' }),
        checkpoint: checkpoint.nullable(),
        snapshot_cuts: z.array(
          z.object({ commit_id: commitId, lsn, history_hash: historyHash, segment_index: z.int() }),
        ),
      })
      .meta({ id: 'Checkpoints' }),
  ),
});

export const getMetrics = endpoint({
  method: 'GET',
  path: '/metrics',
  plane: 'dx',
  summary: 'Figures for Prometheus; what is not known is absent',
  answer: z.string(),
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
});

export const getOpenApi = endpoint({
  method: 'GET',
  path: '/openapi.json',
  plane: 'dx',
  summary: 'This description',
  answer: z.record(z.string(), z.unknown()),
});
