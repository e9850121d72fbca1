import { join } from 'node:path';
import { decodeCheckpoint } from '../../src/core/storage/checkpoint.ts';
import { CHECKPOINT_KEY } from '../../src/core/storage/index-entry.ts';
import { BaseFile } from '../../src/io/base-file.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { stateDigest, type StateDigest } from '../../src/io/state-digest.ts';
import { Storage } from '../../src/io/storage.ts';
import { copiesOf, type IndexEntry, type VersionIndexStore } from '../../src/io/version-index.ts';
import { WalFiles } from '../../src/io/wal/files.ts';

/** The state digests of a stopped node at every commit id up to `commits`. */
export function digestsOf(
  dataDir: string,
  commits: number,
  store?: VersionIndexStore,
): Promise<StateDigest[]> {
  return digests(dataDir, 0, commits, store);
}

/** The state digest of a stopped node at one commit id. */
export async function digestAt(dataDir: string, commitId: number): Promise<StateDigest | undefined> {
  return (await digests(dataDir, commitId, commitId))[0];
}

async function digests(
  dataDir: string,
  from: number,
  to: number,
  store: VersionIndexStore = levelVersionIndex(nodeFileSystem, join(dataDir, 'index')),
): Promise<StateDigest[]> {
  const index = await store.open();
  const wal = await WalFiles.openToRead(nodeFileSystem, join(dataDir, 'wal'));
  const storage = new Storage(index, wal);
  const [base] = await nodeFileSystem.list(join(dataDir, 'base'));
  if (base !== undefined)
    await storage.useBase(await BaseFile.open(nodeFileSystem, join(dataDir, 'base', base)));
  const found: StateDigest[] = [];
  for (let commitId = from; commitId <= to; commitId += 1)
    found.push(await stateDigest(storage.resolver, commitId));
  await storage.close();
  await wal.close();
  await index.close();
  return found;
}

/** An index that remembers its batches, so that a test can bring it back as it was after any of them. */
export function recordingIndex(): {
  readonly store: VersionIndexStore;
  readonly batches: (readonly IndexEntry[])[];
  /** Whether each batch was asked to be durable. */
  readonly durable: boolean[];
  readonly after: (count: number) => Promise<VersionIndexStore>;
  /** The index as it was when its checkpoint last stood at or before an LSN. */
  readonly upTo: (lsn: number) => Promise<VersionIndexStore>;
} {
  const inner = memoryVersionIndex();
  const batches: (readonly IndexEntry[])[] = [];
  const durable: boolean[] = [];
  return {
    batches,
    durable,
    store: {
      exists: () => inner.exists(),
      async open() {
        const index = await inner.open();
        return {
          ...index,
          write: async (entries, options) => {
            const batch = copiesOf(entries);
            batches.push(batch);
            durable.push(options.durable);
            await index.write(batch, options);
          },
        };
      },
    },
    upTo(lsn) {
      const beyond = batches.findIndex((batch) => checkpointLsn(batch) > lsn);
      return this.after(beyond < 0 ? batches.length : beyond);
    },
    async after(count) {
      const store = memoryVersionIndex();
      const index = await store.open();
      for (const batch of batches.slice(0, count)) await index.write(batch, { durable: true });
      return store;
    },
  };
}

function checkpointLsn(batch: readonly IndexEntry[]): number {
  const entry = batch.find(({ key }) => key.equals(CHECKPOINT_KEY));
  return entry === undefined ? -1 : (decodeCheckpoint(entry.value)?.lsn ?? -1);
}

/** An index in memory whose writes go through the test: `number` counts them from 1, `through` is the real one. */
export function interceptedIndex(
  write: (through: () => Promise<void>, number: number) => Promise<void>,
  inner: VersionIndexStore = memoryVersionIndex(),
): VersionIndexStore {
  let writes = 0;
  return {
    exists: () => inner.exists(),
    open: async () => {
      const index = await inner.open();
      return {
        ...index,
        write: (...args) => {
          writes += 1;
          return write(() => index.write(...args), writes);
        },
      };
    },
  };
}
