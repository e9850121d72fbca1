import type { FastifyInstance } from 'fastify';
import { keyJson } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { DOCUMENT_DEPTH_MAX, documentJson, isTooDeep } from '../core/document-json.ts';
import { RangeDigest } from '../core/explain/visibility.ts';
import { positionToJson } from '../core/position.ts';
import { cutToJson } from '../core/storage/base-format.ts';
import { prepareCommit, type Operation, type PreparedCommit } from '../core/wal/operation.ts';
import type { ReadView } from '../node/read-view.ts';
import type { ServedNode } from '../node/served-node.ts';
import { answer, type Asked } from './answer.ts';
import type { AnswerOf } from './contract/endpoint.ts';
import {
  getDocument,
  getDocuments,
  LIMIT_DEFAULT,
  postCommits,
  postPrune,
  type OperationJson,
} from './contract/data.ts';
import { viewRequest } from './view-request.ts';

/** A page ends before its documents take more than this: one request must not take the memory of the node. */
const RANGE_BYTES_MAX = 16 * 1024 * 1024;

/** Reads and writes of documents. Documents are JSON here; to the engine they are bytes. */
export function dataPlane(app: FastifyInstance, served: () => ServedNode): void {
  answer(app, postCommits, async ({ body: checked, reply }) => {
    const node = served();
    if (node.snapshot().context.input.role === 'replica')
      throw new ReplichartError('WRITE_REFUSED', 'this node is a replica; only the primary makes commits');
    const body = checked();
    // Every commit is checked before the first is made: a bad one leaves nothing of the request behind.
    const prepared = 'ops' in body ? [prepare(body.ops)] : body.commits.map(({ ops }) => prepare(ops));
    const positions = await Promise.all(prepared.map((commit) => node.commit(commit)));
    const last = positions.at(-1);
    if (last === undefined) throw new ReplichartError('REQUEST_INVALID', 'there is no commit in the body');
    void reply.code(201);
    return 'ops' in body
      ? positionToJson(last)
      : {
          commits: positions.length,
          commit_ids: positions.map(({ commitId }) => commitId),
          position: positionToJson(last),
        };
  });

  answer(app, postPrune, async ({ query: { up_to: upTo } }) => {
    const { cut, segments, bytes } = await served().prune(upTo === undefined ? {} : { upTo });
    return { cut: cut && cutToJson(cut), segments_removed: segments, bytes_removed: bytes };
  });

  answer(app, getDocument, async ({ params: { collection, id }, query, reply }) => {
    const found = await served().gate.read(async (view) => {
      const document = await view.get(collection, id);
      return {
        position: positionToJson(view.position),
        view: { commit_id: view.commitId },
        collection,
        id,
        found: document !== null,
        ...(document === null ? {} : versionJson(document.commitId, document.document)),
        ...(query.proof === true ? { proof: await view.explain(collection, id) } : {}),
      };
    }, viewRequest(query));
    void reply.code(found.found ? 200 : 404);
    return found;
  });

  answer(app, getDocuments, async ({ params: { collection }, query }) =>
    served().gate.read(
      (view) => range(view, collection, afterOf(query), query.limit ?? LIMIT_DEFAULT, query.proof === true),
      viewRequest(query),
    ),
  );
}

/** Ids are bytes; one that is no UTF-8 text goes through JSON as base64. */
function afterOf({ after, after_base64: base64 }: Asked<typeof getDocuments>['query']): Buffer | null {
  if (after !== undefined) return Buffer.from(after);
  return base64 === undefined ? null : Buffer.from(base64, 'base64');
}

async function range(
  view: ReadView,
  collection: string,
  after: Buffer | null,
  limit: number,
  withProof: boolean,
) {
  const documents: AnswerOf<typeof getDocuments>['documents'] = [];
  const digest = new RangeDigest();
  let last: Buffer | null = null;
  let isMore = false;
  let bytes = 0;
  // One more than asked for tells whether there is more.
  for await (const found of view.scanStored(collection, {
    limit: limit + 1,
    ...(after === null ? {} : { after }),
  })) {
    const { id, commitId, document } = found;
    bytes += document?.length ?? 0;
    isMore = documents.length === limit || (documents.length > 0 && bytes > RANGE_BYTES_MAX);
    if (isMore) break;
    last = id;
    if (withProof) digest.add(found);
    documents.push({ ...keyJson('id', id), ...versionJson(commitId, document as Buffer) });
  }
  return {
    position: positionToJson(view.position),
    view: { commit_id: view.commitId },
    collection,
    documents,
    ...(isMore && last !== null ? keyJson('next_after', last) : { next_after: null }),
    ...(withProof ? { proof: view.explainRange(collection, after, digest, isMore) } : {}),
  };
}

function versionJson(commitId: number, document: Buffer) {
  return { version_commit_id: commitId, ...documentJson(document) };
}

function prepare(ops: readonly OperationJson[]): PreparedCommit {
  return prepareCommit(
    ops.map((one): Operation =>
      one.op === 'put'
        ? { op: 'put', collection: one.collection, id: one.id, document: documentText(one.document) }
        : { op: 'delete', collection: one.collection, id: one.id },
    ),
  );
}

function documentText(document: unknown): string {
  if (isTooDeep(document))
    throw new ReplichartError('COMMIT_INVALID', `a document is nested deeper than ${DOCUMENT_DEPTH_MAX}`);
  return JSON.stringify(document, finite);
}

/** A number that JSON text may hold and no number of ours can would be stored as `null`: it is refused instead. */
function finite(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new ReplichartError('COMMIT_INVALID', 'a document holds a number beyond what JSON is read to here');
  return value;
}
