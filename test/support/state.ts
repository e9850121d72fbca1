import { join } from 'node:path';
import { BaseFile } from '../../src/io/base-file.ts';
import { levelVersionIndex } from '../../src/io/level-version-index.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { stateDigest, type StateDigest } from '../../src/io/state-digest.ts';
import { Storage } from '../../src/io/storage.ts';
import type { IndexEntry, VersionIndexStore } from '../../src/io/version-index.ts';
import { WalFiles } from '../../src/io/wal-files.ts';

/** The state digests of a stopped node at every commit id up to `commits`. */
export async function digestsOf(
  dataDir: string,
  commits: number,
  store: VersionIndexStore = levelVersionIndex(nodeFileSystem, join(dataDir, 'index')),
): Promise<StateDigest[]> {
  const index = await store.open();
  const wal = await WalFiles.openToRead(nodeFileSystem, join(dataDir, 'wal'));
  const storage = new Storage(index, wal);
  const [base] = await nodeFileSystem.list(join(dataDir, 'base'));
  if (base !== undefined)
    await storage.useBase(await BaseFile.open(nodeFileSystem, join(dataDir, 'base', base)));
  const digests: StateDigest[] = [];
  for (let commitId = 0; commitId <= commits; commitId += 1)
    digests.push(await stateDigest(storage, commitId));
  await storage.close();
  await wal.close();
  await index.close();
  return digests;
}

/** An index that remembers its batches, so that a test can bring it back as it was after any of them. */
export function recordingIndex(): {
  readonly store: VersionIndexStore;
  readonly batches: (readonly IndexEntry[])[];
  readonly after: (count: number) => Promise<VersionIndexStore>;
} {
  const inner = memoryVersionIndex();
  const batches: (readonly IndexEntry[])[] = [];
  return {
    batches,
    store: {
      exists: () => inner.exists(),
      async open() {
        const index = await inner.open();
        return {
          ...index,
          write: async (entries, options) => {
            batches.push(entries);
            await index.write(entries, options);
          },
        };
      },
    },
    async after(count) {
      const store = memoryVersionIndex();
      const index = await store.open();
      for (const batch of batches.slice(0, count)) await index.write(batch, { durable: true });
      return store;
    },
  };
}
