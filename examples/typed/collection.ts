/** Documents with a schema, on top of a node: to the engine they are bytes. */
import type { NodeHandle, Operation, Primary, ReadView, ViewRequest } from 'replichart';
import type * as z from 'zod';

export interface Collection<Document> {
  /** To be committed, alone or with others: a commit is all or nothing. @throws ZodError */
  put(id: string, document: Document): Operation;
  delete(id: string): Operation;
  /** On one view, so that several reads see the same moment. @throws ZodError for what an older schema let in. */
  on(view: ReadView): Documents<Document>;
}

export interface Documents<Document> {
  get(id: string): Promise<Document | null>;
  all(): AsyncGenerator<readonly [string, Document]>;
}

export function collection<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
): Collection<z.output<Schema>> {
  const read = (bytes: Buffer) => schema.parse(JSON.parse(bytes.toString('utf8')));
  return {
    put: (id, document) => ({
      op: 'put',
      collection: name,
      id,
      document: JSON.stringify(schema.parse(document)),
    }),
    delete: (id) => ({ op: 'delete', collection: name, id }),
    on: (view) => ({
      async get(id) {
        const found = await view.get(name, id);
        return found && read(found.document);
      },
      async *all() {
        for await (const { id, document } of view.scan(name)) yield [id.toString('utf8'), read(document)];
      },
    }),
  };
}

/** Both sides of a service: writes go to the primary, reads to any node. */
export function store(primary: Pick<Primary, 'commit'>, node: Pick<NodeHandle<unknown>, 'read'>) {
  return {
    commit: (...operations: readonly Operation[]) => primary.commit(operations),
    read: <Result>(use: (view: ReadView) => Promise<Result>, request?: ViewRequest) =>
      node.read(use, request),
  };
}
