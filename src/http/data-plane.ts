import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { ReplichartError } from '../core/errors.ts';
import { positionToJson } from '../core/position.ts';
import { prepareCommit, type Operation, type PreparedCommit } from '../core/wal/operation.ts';
import type { ReadDocument, ReadView } from '../node/read-view.ts';
import type { ViewRequest } from '../node/node-snapshot.ts';
import type { ServedNode } from '../node/served-node.ts';

const COMMITS_MAX = 10_000;
const LIMIT_MAX = 10_000;
const LIMIT_DEFAULT = 100;

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
      (view) => range(view, collection, query.after, query.limit ?? LIMIT_DEFAULT),
      viewRequest(request),
    );
  });
}

const viewQuery = z.object({
  at: z.coerce.number().int().min(0).optional(),
  position: z
    .string()
    .regex(/^\d{1,16}:\d{1,16}:[0-9a-f]{64}$/, 'must be COMMIT_ID:LSN:HISTORY_HASH')
    .optional(),
});
const rangeQuery = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).optional(),
});

/** The view that `at` or `position` asks for. */
export function viewRequest(request: FastifyRequest): ViewRequest {
  const { at, position } = parse(viewQuery, request.query, 'query');
  if (at !== undefined && position !== undefined)
    throw new ReplichartError('REQUEST_INVALID', 'query: at and position exclude each other');
  if (position !== undefined) {
    const [commitId, lsn, historyHash] = position.split(':') as [string, string, string];
    return { position: { commitId: Number(commitId), lsn: Number(lsn), historyHash } };
  }
  return at === undefined ? {} : { at };
}

async function range(view: ReadView, collection: string, after: string | undefined, limit: number) {
  const documents: unknown[] = [];
  let last: string | null = null;
  // One more than asked for tells whether there is more.
  for await (const found of view.scan(collection, {
    limit: limit + 1,
    ...(after === undefined ? {} : { after }),
  })) {
    if (documents.length === limit) {
      return rangeJson(view, collection, documents, last);
    }
    last = found.id.toString('utf8');
    documents.push({ id: last, ...versionJson(found) });
  }
  return rangeJson(view, collection, documents, null);
}

function rangeJson(
  view: ReadView,
  collection: string,
  documents: readonly unknown[],
  nextAfter: string | null,
) {
  return {
    position: positionToJson(view.position),
    view: { commit_id: view.commitId },
    collection,
    documents,
    next_after: nextAfter,
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

/** Checks a part of a request; the message names field and rule. */
export function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(innermost).map(({ path, message }) => ({
    field: [part, ...path].join('.'),
    rule: message,
  }));
  throw new ReplichartError(
    'REQUEST_INVALID',
    issues.map(({ field, rule }) => `${field}: ${rule}`).join('; '),
    {
      evidence: { issues },
    },
  );
}

/** Of a union that fits nowhere, the complaints of the branch that came nearest. */
function innermost(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const deepest = (branch: z.core.$ZodIssue[]) => Math.max(...branch.map(({ path }) => path.length));
  const nearest = [...issue.errors].sort((a, b) => deepest(b) - deepest(a) || a.length - b.length)[0] ?? [];
  return nearest.flatMap(innermost).map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
}
