import { expect, test } from 'vitest';
import type { Primary } from '../../src/index.ts';
import { interceptedIndex } from '../support/state.ts';
import { del, put, startPrimary, temporaryDirectory } from '../support/nodes.ts';

/** More than are remembered. */
const MANY = 17_000;

async function seen(primary: Primary, id: string, at?: number): Promise<string | null> {
  const found = await primary.read((view) => view.get('c', id), at === undefined ? {} : { at });
  return found === null ? null : found.document.toString();
}

test('P5-I7: a document that was read lately is seen by every view as its bound says, whatever came since', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory() });
  const expected: (string | null)[] = [null];
  for (let version = 1; version <= 6; version += 1) {
    await primary.commit([version === 4 ? del('a') : put('a', `version ${version}`)]);
    expected.push(version === 4 ? null : `version ${version}`);
    // Read twice: the second time it is remembered. Older views come between, and before.
    for (const at of [undefined, version - 1, undefined, 1, version])
      expect(await seen(primary, 'a', at), `at ${at} after ${version}`).toBe(expected[at ?? version]);
  }
});

test('P5-I7: the same while commits come without a pause', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory() });
  let isDone = false;
  const committing = (async () => {
    for (let commit = 1; commit <= 300; commit += 1) await primary.commit([put('a', `${commit}`)]);
    isDone = true;
  })();
  let reads = 0;
  while (!isDone) {
    const { commitId, document } = await primary.read(async (view) => ({
      commitId: view.commitId,
      document: (await view.get('c', 'a'))?.document.toString() ?? '0',
    }));
    expect(document).toBe(`${commitId}`);
    reads += 1;
  }
  await committing;
  expect(reads).toBeGreaterThan(0);
});

test('P5-I7: documents that are more than are remembered, and those of several collections', async () => {
  const primary = await startPrimary({ dataDir: await temporaryDirectory() });
  const names = Array.from({ length: MANY }, (_, index) => `d${index}`);
  for (let first = 0; first < MANY; first += 1_000)
    await primary.commit(names.slice(first, first + 1_000).map((id) => put(id, `of ${id}`)));
  // The same letters, parted in another place: two documents.
  await primary.commit([
    { op: 'put', collection: 'ab', id: 'c', document: 'one' },
    { op: 'put', collection: 'a', id: 'bc', document: 'other' },
  ]);
  await primary.read(async (view) => {
    for (const id of [...names, ...names.slice(0, 100)])
      expect((await view.get('c', id))?.document.toString()).toBe(`of ${id}`);
    for (let time = 0; time < 2; time += 1) {
      expect((await view.get('ab', 'c'))?.document.toString()).toBe('one');
      expect((await view.get('a', 'bc'))?.document.toString()).toBe('other');
    }
  });
});

test('P5-I7: what is read while a newer version is applied is not taken for the newest, whoever asks for the checkpoint', async () => {
  let isHeld = false;
  let release: () => void = () => undefined;
  const primary = await startPrimary(
    { dataDir: await temporaryDirectory(), listen: '127.0.0.1:0' },
    {
      indexStore: () =>
        interceptedIndex(async (through) => {
          if (isHeld) await new Promise<void>((resolve) => (release = resolve));
          await through();
        }),
    },
  );
  await primary.commit([put('a', 'version 1')]);
  isHeld = true;
  const committing = primary.commit([put('a', 'version 2')]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await fetch(`${primary.url}/v1/checkpoints`)).status).toBe(200);
  expect(await seen(primary, 'a', 1)).toBe('version 1');
  isHeld = false;
  release();
  await committing;
  expect(await seen(primary, 'a')).toBe('version 2');
  expect(await seen(primary, 'a', 1)).toBe('version 1');
});
