import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../src/core/wal/operation.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import type { ReadView } from '../../src/node/read-view.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { asBytes } from './generated-wal.ts';
import { runs } from './runs.ts';
import { VisibilityNode, type IndexOf } from './visibility-node.ts';
import {
  retained,
  shown,
  visible,
  visibleRange,
  type Written,
} from '../../scripts/simulate/visibility-oracle.ts';

/** Names that are prefixes of one another, and whose bytes are those that keys are escaped and ended with. */
const COLLECTIONS = ['a', 'a\0', 'b', '\xff'].map((name) => Buffer.from(name, 'latin1'));
const IDS = ['i', 'i\0', 'i\0\x01', 'i\x01', 'j', '\xff'].map((name) => Buffer.from(name, 'latin1'));

const collection = fc.constantFrom(...COLLECTIONS);
const id = fc.constantFrom(...IDS);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), collection, id, document: fc.string({ maxLength: 3 }) }),
  fc.record({ op: fc.constant('delete' as const), collection, id }),
);
const commits = fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

/** What the oracle knows: all that was written, how far it is applied, and what each view that is kept must go on to see. */
interface Model {
  written: Written[];
  /** Unit boundaries with the last commit before each, behind what is applied. */
  pending: { readonly lsn: number; readonly commitId: number }[];
  commitId: number;
  applied: number;
  /** The last commit of the snapshot that the node began with; 0: it began with nothing. */
  cut: number;
  views: { readonly view: ReadView; readonly sees: readonly string[] }[];
}
type Command = fc.AsyncCommand<Model, VisibilityNode>;

/** A bound from 0 to what is applied; no other is ever asked for (P5-I12). */
const boundOf = ({ applied }: Model, any: number) => any % (applied + 1);
const appliedOf = ({ written, applied }: Model) => written.filter(({ commitId }) => commitId <= applied);

const command = (
  name: string,
  run: (model: Model, node: VisibilityNode) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command => ({ run, check, toString: () => name });

const text = (name: Buffer | null) => (name === null ? 'null' : JSON.stringify(name.toString('latin1')));

async function all<Item extends Written>(items: AsyncIterable<Item>): Promise<string[]> {
  const list: string[] = [];
  for await (const item of items) list.push(shown(item));
  return list;
}

const COMMANDS: fc.Arbitrary<Command>[] = [
  commits.map((made) =>
    command(`commit(${fc.stringify(made)})`, async (model, node) => {
      await node.write('commits', made);
      for (const operations of made) {
        model.commitId += 1;
        for (const one of operations)
          model.written.push({
            commitId: model.commitId,
            collection: asBytes(one.collection),
            id: asBytes(one.id),
            document: one.op === 'put' ? asBytes(one.document) : null,
          });
      }
      model.pending.push({ lsn: node.written.lsn, commitId: model.commitId });
    }),
  ),
  fc.nat(9).map((any) =>
    command(
      `apply(${any})`,
      async (model, node) => {
        const taken = model.pending.splice(0, 1 + (any % model.pending.length));
        const last = taken.at(-1) ?? { lsn: 0, commitId: 0 };
        await node.apply(last.lsn);
        model.applied = last.commitId;
        expect(node.checkpoint).toMatchObject({ ...last, snapshotCut: model.cut });
      },
      ({ pending }) => pending.length > 0,
    ),
  ),
  fc.constant(command('seal', async (_model, node) => node.write('seal'))),
  fc.nat(99).map((any) =>
    command(`get every document(${any})`, async (model, node) => {
      const bound = boundOf(model, any);
      const view = node.view(bound);
      for (const of of COLLECTIONS)
        for (const key of IDS) {
          const found = await view.get(of, key);
          const expected = visible(model.written, bound, of, key);
          expect(found && shown(found)).toBe(expected && shown(expected));
        }
    }),
  ),
  fc.tuple(collection, id, fc.nat(99)).map(([of, key, any]) =>
    command(`get with its versions(${text(of)}, ${text(key)}, ${any})`, async (model, node) => {
      const bound = boundOf(model, any);
      const expected = visible(model.written, bound, of, key);
      const found = await node.view(bound).get(of, key);
      expect(found && shown(found)).toBe(expected && shown(expected));
      expect(await all(node.storage.resolver.chain(bound, of, key))).toEqual(
        retained(model.written, bound)
          .filter((one) => one.collection.equals(of) && one.id.equals(key))
          .map(shown),
      );
    }),
  ),
  fc
    .tuple(
      collection,
      fc.option(fc.oneof(id, fc.uint8Array({ maxLength: 3 }).map(asBytes))),
      fc.option(fc.nat(4)),
      fc.nat(99),
    )
    .map(([of, after, limit, any]) =>
      command(`range(${text(of)}, ${text(after)}, ${String(limit)}, ${any})`, async (model, node) => {
        const bound = boundOf(model, any);
        const asked = { bound, collection: of, after, limit: limit ?? Infinity };
        const options = { ...(after === null ? {} : { after }), ...(limit === null ? {} : { limit }) };
        expect(await all(node.view(bound).scan(of, options))).toEqual(
          visibleRange(model.written, asked).map(shown),
        );
      }),
    ),
  fc.nat(99).map((any) =>
    command(`state(${any})`, async (model, node) => {
      const bound = boundOf(model, any);
      expect(await all(node.storage.resolver.versions(bound))).toEqual(
        retained(model.written, bound).map(shown),
      );
      // Above what is applied there is nothing, whatever the WAL holds already.
      expect(await all(node.storage.resolver.versions(Number.MAX_SAFE_INTEGER))).toEqual(
        retained(appliedOf(model), Infinity).map(shown),
      );
    }),
  ),
  fc.nat(99).map((any) =>
    command(`open view(${any})`, async (model, node) => {
      const bound = boundOf(model, any);
      model.views.push({ view: node.view(bound), sees: everything(model.written, bound) });
    }),
  ),
  fc.constant(
    command('look at the old views', async ({ views }) => {
      for (const { view, sees } of views) {
        const found = [];
        for (const of of COLLECTIONS) found.push(...(await all(view.scan(of))));
        expect(found).toEqual(sees);
      }
    }),
  ),
  fc.constant(
    command(
      'begin again from a snapshot',
      async (model, node) => {
        await node.rebase();
        model.applied = model.commitId;
        model.cut = model.commitId;
        model.pending = [];
      },
      // Before the first commit there is no snapshot.
      ({ commitId }) => commitId > 0,
    ),
  ),
  fc.nat(150).map((torn) =>
    command(`restart(${torn})`, async (model, node) => {
      await node.restart(torn);
      model.views = [];
    }),
  ),
];

/** All documents that a view sees. */
function everything(written: readonly Written[], bound: number): string[] {
  return COLLECTIONS.flatMap((of) =>
    visibleRange(written, { bound, collection: of, after: null, limit: Infinity }).map(shown),
  );
}

async function holdAgainstOracle(indexOf: IndexOf, size: number, numRuns: number): Promise<void> {
  const root = await temporaryDirectory();
  let count = 0;
  const script = fc.commands(COMMANDS, { maxCommands: size, size: 'max' });
  await fc.assert(
    fc.asyncProperty(script, async (commands) => {
      count += 1;
      const node = await VisibilityNode.open(join(root, String(count)), indexOf);
      const model: Model = { written: [], pending: [], commitId: 0, applied: 0, cut: 0, views: [] };
      try {
        await fc.asyncModelRun(() => ({ model, real: node }), commands);
      } finally {
        await node.close();
      }
    }),
    runs(numRuns),
  );
}

describe('P5-I7: reads against a naive oracle, on real WAL and base files', () => {
  test('P5-I7, P5-I8, P5-I9: commits, batches, old views, ranges, snapshots with the WAL behind them, restarts', async () => {
    await holdAgainstOracle(() => memoryVersionIndex(), 40, 80);
  });

  test('P5-I7, F-A1, F-A2: the same on the index that production runs on', async () => {
    await holdAgainstOracle((directory) => levelVersionIndex(nodeFileSystem, directory), 30, 10);
  });
});
