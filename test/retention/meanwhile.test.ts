/** What is asked of a node while it is pruned, or was left off before. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directoryOf } from '../../src/cli/directory.ts';
import { verifyWal } from '../../src/io/wal/verify.ts';
import { flipped } from '../support/wal-forge.ts';
import type { Position, Primary } from '../../src/index.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import type { VersionIndexStore } from '../../src/io/version-index.ts';
import { put, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { commitTo, expectViews } from '../support/histories.ts';

const DOCUMENTS = 5_000;
const idOf = (n: number) => `id ${String(n).padStart(6, '0')}`;

/** More documents than a page of the index holds, all before the cut of a snapshot; and a document that changes behind it. */
async function primaryWithMany(dataDir: string): Promise<Primary> {
  const primary = await startPrimary({ dataDir });
  for (let n = 0; n < DOCUMENTS; n += 100)
    await primary.commit(Array.from({ length: 100 }, (_, i) => put(idOf(n + i), `document ${n + i}`)));
  await primary.createSnapshot();
  await primary.commit([put(idOf(7), 'changed')]);
  return primary;
}

test('P5-I7: a view, a range and single reads that were begun before find what they found, and reads in a row meanwhile', async () => {
  const primary = await primaryWithMany(await temporaryDirectory());
  const at = DOCUMENTS / 100;
  let pruned = false;
  await primary.read(
    async (view) => {
      let n = 0;
      let pruning: Promise<unknown> = Promise.resolve();
      for await (const { id, document } of view.scan('c')) {
        if (n === 10) pruning = primary.prune().then(() => (pruned = true));
        // The first page was read before; what follows is read while entries move, and behind it.
        if (n === 900) await pruning;
        expect([id.toString(), document.toString()]).toEqual([idOf(n), `document ${n}`]);
        if (n % 50 === 0) expect((await view.get('c', idOf(n)))?.document.toString()).toBe(`document ${n}`);
        n += 1;
      }
      expect(n).toBe(DOCUMENTS);
      expect((await view.get('c', idOf(7)))?.document.toString()).toBe('document 7');
    },
    { at },
  );
  expect(pruned).toBe(true);
  expect((await primary.read((view) => view.get('c', idOf(7))))?.document.toString()).toBe('changed');
});

test('commits go on while a primary is pruned, one after the other and many times', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory() });
  for (let round = 1; round <= 6; round += 1) {
    await commitTo(primary, round * 10);
    const snapshot = await primary.createSnapshot();
    const [pruned] = await Promise.all([primary.prune(), commitTo(primary, round * 10 + 5)]);
    expect(pruned.cut?.commitId).toBe(round * 10);
    await primary.removeSnapshot(snapshot.snapshotId);
    await expectViews(primary, round * 10 - 5, round * 10 + 5);
  }
  await expectViews(primary, 1, 65);
});

test('a change feed that was left off before the cut is told so; one behind it goes on', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory() });
  const positions = [];
  for (let n = 1; n <= 12; n += 1) {
    positions.push(await primary.commit([put('a', String(n))]));
    if (n === 8) await primary.createSnapshot();
  }
  const begun = primary.changes({ from: positions[9] });
  expect((await begun.next()).value).toMatchObject({ position: { commitId: 11 } });
  const before = primary.changes({ from: positions[2] });
  await primary.prune();
  expect(await rejection(before.next())).toMatchObject({ code: 'WAL_PRUNED' });
  expect((await begun.next()).value).toMatchObject({ position: { commitId: 12 } });
  await begun.return(undefined);
});

/** An index that gives all entries but those of a document. */
function losing(
  id: string,
  isLost: () => boolean,
): (...of: Parameters<typeof levelVersionIndex>) => VersionIndexStore {
  return (files, directory) => {
    const store = levelVersionIndex(files, directory);
    return {
      ...store,
      open: async () => {
        const index = await store.open();
        const pages = index.pages.bind(index);
        return Object.assign(index, {
          async *pages(from: Buffer, to: Buffer) {
            for await (const page of pages(from, to))
              yield isLost() ? page.filter(({ key }) => !key.includes(id)) : page;
          },
        });
      },
    };
  };
}

test('P5-I11: what the index has lost is not lost with the WAL: nothing is removed, and the reason is told', async () => {
  let isLost = true;
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir }, { indexStore: losing('b', () => isLost) });
  await commitTo(primary, 20);
  await primary.createSnapshot();
  const versions = { versions: expect.any(Number) as unknown, checksum_sum: expect.any(Number) as unknown };
  expect(await rejection(primary.prune())).toMatchObject({
    code: 'INDEX_DAMAGED',
    evidence: { cut_commit_id: 20, expected: versions, found: versions },
  });
  await expectViews(primary, 1, 20);
  isLost = false;
  expect(await primary.prune()).toMatchObject({ cut: { commitId: 20 }, segments: 1 });
  await expectViews(primary, 1, 20);
});

test('who stands at the commit that is to be kept goes on, also where a snapshot was cut right behind it', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory() });
  await commitTo(primary, 10);
  const at = primary.position();
  await primary.createSnapshot();
  await commitTo(primary, 12);
  const feed = primary.changes({ from: at as Position });
  expect((await primary.prune({ upTo: 10 })).cut).toBeNull();
  expect((await feed.next()).value).toMatchObject({ position: { commitId: 11 } });
  await feed.return(undefined);
  expect((await primary.prune({ upTo: 11 })).cut?.commitId).toBe(10);
  for (const upTo of [-1, 1.5, NaN])
    expect(await rejection(primary.prune({ upTo }))).toMatchObject({ code: 'REQUEST_INVALID' });
});

test('a stop ends a prune, whoever asked is told, and nothing of it is left', async () => {
  const dataDir = await temporaryDirectory();
  const primary = await primaryWithMany(dataDir);
  const pruning = rejection(primary.prune());
  await primary.stop();
  expect(await pruning).toMatchObject({ code: 'NOT_WRITABLE' });
  expect(await rejection(primary.prune())).toMatchObject({ code: 'NOT_WRITABLE' });
  expect(await readdir(join(dataDir, 'base')).catch(() => [])).toEqual([]);
});

test('P5-I8: a base file that rots below a node is named by wal verify, which changes nothing', async () => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir });
  await commitTo(primary, 20);
  await primary.createSnapshot();
  await primary.prune();
  await primary.stop();
  const { directory, identity } = await directoryOf(dataDir);
  expect(await verifyWal(directory, identity)).toMatchObject({ verdict: 'clean' });
  const file = join(dataDir, 'base', '20.base');
  const bytes = await readFile(file);
  await writeFile(file, flipped(bytes, 8 * 300));
  expect(await verifyWal(directory, identity)).toMatchObject({
    verdict: 'corrupt',
    stop: { kind: 'beginning', rule: 'P5-I8 baseIsWhole', file: 'base/20.base', byte: 128 },
  });
});
