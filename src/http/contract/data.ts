import * as z from 'zod';
import { explanationShape } from '../../core/explain/explanation.ts';
import { endpoint } from './endpoint.ts';
import { manifest, snapshotCut } from './replication.ts';
import { commitId, limitOf, oneView, position, queryFlag, queryNumber, viewQuery } from './shapes.ts';

export const COMMITS_MAX = 10_000;
export const LIMIT_MAX = 10_000;
export const LIMIT_DEFAULT = 100;

const operation = z
  .discriminatedUnion('op', [
    z.strictObject({
      op: z.literal('put'),
      collection: z.string(),
      id: z.string(),
      document: z.unknown().refine((value) => value !== undefined, 'a put needs a document'),
    }),
    z.strictObject({ op: z.literal('delete'), collection: z.string(), id: z.string() }),
  ])
  .meta({ id: 'Operation' });
export type OperationJson = z.infer<typeof operation>;
const operations = z.array(operation).min(1, 'a commit needs at least one operation');

export const postCommits = endpoint({
  method: 'POST',
  path: '/data/v1/commits',
  plane: 'data',
  summary: 'Makes one commit, or several in order; primary only',
  description:
    'Acknowledged after the WAL fsync and the storage apply. Each commit is all or nothing by itself.',
  query: z.strictObject({}),
  body: z.union([
    z.strictObject({ ops: operations }),
    z.strictObject({
      commits: z
        .array(z.strictObject({ ops: operations }))
        .min(1)
        .max(COMMITS_MAX),
    }),
  ]),
  answer: z.union([position, z.object({ commits: z.int(), commit_ids: z.array(commitId), position })]),
  statuses: [201],
  refusals: ['WRITE_REFUSED', 'COMMIT_INVALID', 'COMMIT_TOO_LARGE', 'NOT_WRITABLE', 'STORAGE_FAILED'],
});

const READ = [
  'READS_BLOCKED',
  'VIEW_ABOVE_APPLIED',
  'HISTORY_DIVERGED',
  'INDEX_DAMAGED',
  'WAL_CORRUPT',
] as const;
const view = z
  .object({ commit_id: commitId })
  .meta({ description: 'The upper bound that the read was answered for.' });
const proof = explanationShape
  .optional()
  .meta({ description: 'With `proof=1`: `replichart explain --verify` checks it.' });
const proofFlag = queryFlag.optional().meta({ description: 'The answer carries its proof.' });
/** A document that is no JSON text was written through the library; it is shown as base64. */
const document = { document: z.unknown().optional(), document_base64: z.string().optional() };

export const getDocument = endpoint({
  method: 'GET',
  path: '/data/v1/:collection/:id',
  plane: 'data',
  summary: 'A document as a view sees it; 404 when the view sees none',
  params: z.object({ collection: z.string(), id: z.string() }),
  query: z.strictObject({ ...viewQuery, proof: proofFlag }).refine(...oneView),
  answer: z.object({
    position,
    view,
    collection: z.string(),
    id: z.string(),
    found: z.boolean(),
    version_commit_id: commitId.optional(),
    ...document,
    proof,
  }),
  statuses: [200, 404],
  refusals: READ,
});

export const getDocuments = endpoint({
  method: 'GET',
  path: '/data/v1/:collection',
  plane: 'data',
  summary: 'The documents of a collection that one view sees, in the order of their ids',
  description:
    'A page also ends before its documents take more than 16 MiB. An id that is no UTF-8 text is shown as base64, and so is `next_after`.',
  params: z.object({ collection: z.string() }),
  query: z
    .strictObject({
      ...viewQuery,
      after: z.string().optional().meta({ description: 'Only ids after this one.' }),
      after_base64: z.base64('must be base64').optional(),
      limit: limitOf(LIMIT_MAX, LIMIT_DEFAULT),
      proof: proofFlag,
    })
    .refine(...oneView),
  answer: z.object({
    position,
    view,
    collection: z.string(),
    documents: z.array(
      z.object({
        id: z.string().optional(),
        id_base64: z.string().optional(),
        version_commit_id: commitId,
        ...document,
      }),
    ),
    next_after: z.string().nullable().optional(),
    next_after_base64: z.string().optional(),
    proof,
  }),
  refusals: READ,
});

export const postSnapshot = endpoint({
  method: 'POST',
  path: '/data/v1/snapshots',
  plane: 'data',
  summary: 'Makes a snapshot of all that is committed now, while writes go on; primary only',
  query: z.strictObject({}),
  answer: manifest,
  statuses: [201],
  refusals: ['NOT_WRITABLE', 'STORAGE_FAILED', 'SNAPSHOT_CORRUPT', 'INDEX_DAMAGED'],
});

export const deleteSnapshot = endpoint({
  method: 'DELETE',
  path: '/data/v1/snapshots/:id',
  plane: 'data',
  summary: 'Removes a snapshot, so that history may be pruned up to the next one; primary only',
  params: z.object({ id: z.string() }),
  query: z.strictObject({}),
  answer: z.object({ snapshot_id: z.string(), removed: z.literal(true) }),
  refusals: ['NOT_WRITABLE', 'STORAGE_FAILED', 'SNAPSHOT_UNKNOWN'],
});

export const postPrune = endpoint({
  method: 'POST',
  path: '/data/v1/prune',
  plane: 'data',
  summary: 'Puts a base file in the place of history, and removes the WAL before it, while the node goes on',
  description:
    'The base file is cut at the newest segment boundary that is applied; on a primary, not behind its oldest snapshot. Where there is no such boundary nothing is done, and the answer says so.',
  query: z.strictObject({
    up_to: queryNumber
      .optional()
      .meta({ description: 'The commits from this one on stay in the WAL. Left out: none need to.' }),
  }),
  answer: z
    .object({
      cut: snapshotCut.nullable(),
      segments_removed: z.int(),
      bytes_removed: z.int(),
    })
    .meta({
      description: '`cut`: where the WAL begins that is kept; null where all history is kept.',
    }),
  refusals: [
    'NOT_WRITABLE',
    'READS_BLOCKED',
    'STORAGE_FAILED',
    'SNAPSHOT_CORRUPT',
    'INDEX_DAMAGED',
    'WAL_CORRUPT',
  ],
});
