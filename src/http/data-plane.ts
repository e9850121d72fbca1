import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { keyJson } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { positionToJson } from '../core/position.ts';
import { prepareCommit, type Operation, type PreparedCommit } from '../core/wal/operation.ts';
import type { ReadDocument, ReadView } from '../node/read-view.ts';
import type { ServedNode } from '../node/served-node.ts';
import { parse, queryNumber, viewRequest } from './request.ts';

const COMMITS_MAX = 10_000;
const LIMIT_MAX = 10_000;
const LIMIT_DEFAULT = 100;
/** A page ends before its documents take more than this: one request must not take the memory of the node. */
const RANGE_BYTES_MAX = 16 * 1024 * 1024;

const operation = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('put'),
    collection: z.string(),
    id: z.string(),
    document: z.unknown().refine((value) => value !== undefined, 'a put needs a document'),
  }),
  z.strictObject({ op: z.literal('delete'), collection: z.string(), id: z.string() }),
]);
const operations = z.array(operation).min(1, 'a commit needs at least one operation');
const commitBody = z.union([
  z.strictObject({ ops: operations }),
  z.strictObject({
    commits: z
      .array(z.strictObject({ ops: operations }))
      .min(1)
      .max(COMMITS_MAX),
  }),
]);

/** Reads and writes of documents. Documents are JSON here; to the engine they are bytes. */
export function dataPlane(app: FastifyInstance, served: () => ServedNode): void {
  app.post('/data/v1/commits', async (request, reply) => {
    const node = served();
    if (node.snapshot().context.input.role === 'replica')
      throw new ReplichartError('WRITE_REFUSED', 'this node is a replica; only the primary makes commits');
    const body = parse(commitBody, request.body, 'body');
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

  app.get('/data/v1/:collection/:id', async (request, reply) => {
    const { collection, id } = request.params as { collection: string; id: string };
    const answer = await served().gate.read(async (view) => {
      const document = await view.get(collection, id);
      return {
        position: positionToJson(view.position),
        view: { commit_id: view.commitId },
        collection,
        id,
        found: document !== null,
        ...(document === null ? {} : versionJson(document)),
      };
    }, viewRequest(request));
    void reply.code(answer.found ? 200 : 404);
    return answer;
  });

  app.get('/data/v1/:collection', async (request) => {
    const { collection } = request.params as { collection: string };
    const query = parse(rangeQuery, request.query, 'query');
    return served().gate.read(
      (view) => range(view, collection, afterOf(query), query.limit ?? LIMIT_DEFAULT),
      viewRequest(request),
    );
  });
}

const rangeQuery = z.object({
  after: z.string().optional(),
  after_base64: z.base64('must be base64').optional(),
  limit: queryNumber.pipe(z.number().min(1).max(LIMIT_MAX)).optional(),
});

/** Ids are bytes; one that is no UTF-8 text goes through JSON as base64. */
function afterOf({ after, after_base64: base64 }: z.infer<typeof rangeQuery>): Buffer | null {
  if (after !== undefined) return Buffer.from(after);
  return base64 === undefined ? null : Buffer.from(base64, 'base64');
}

async function range(view: ReadView, collection: string, after: Buffer | null, limit: number) {
  const documents: object[] = [];
  let last: Buffer | null = null;
  let isMore = false;
  let bytes = 0;
  // One more than asked for tells whether there is more.
  for await (const found of view.scan(collection, {
    limit: limit + 1,
    ...(after === null ? {} : { after }),
  })) {
    bytes += found.document.length;
    isMore = documents.length === limit || (documents.length > 0 && bytes > RANGE_BYTES_MAX);
    if (isMore) break;
    last = found.id;
    documents.push({ ...keyJson('id', found.id), ...versionJson(found) });
  }
  return {
    position: positionToJson(view.position),
    view: { commit_id: view.commitId },
    collection,
    documents,
    ...(isMore && last !== null ? keyJson('next_after', last) : { next_after: null }),
  };
}

/** A document that is no JSON text was written through the library; it is shown as base64. */
function versionJson({ commitId, document }: ReadDocument) {
  try {
    return { version_commit_id: commitId, document: JSON.parse(document.toString('utf8')) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { version_commit_id: commitId, document_base64: document.toString('base64') };
  }
}

function prepare(ops: readonly z.infer<typeof operation>[]): PreparedCommit {
  return prepareCommit(
    ops.map((one): Operation =>
      one.op === 'put'
        ? { op: 'put', collection: one.collection, id: one.id, document: JSON.stringify(one.document) }
        : { op: 'delete', collection: one.collection, id: one.id },
    ),
  );
}
