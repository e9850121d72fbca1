import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { memoryVersionIndex } from '../../src/io/memory-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import type { VersionIndexStore } from '../../src/io/version-index.ts';
import { lmdbVersionIndex } from './lmdb-version-index.ts';

/** Every store that is compared, by its name. */
export const STORES = {
  'classic-level': {
    summary: 'LevelDB, as a node has it',
    keeps: true,
    make: (directory: string) => levelVersionIndex(nodeFileSystem, directory),
  },
  lmdb: {
    summary: 'LMDB, batches committed on its thread',
    keeps: true,
    make: (directory: string) => lmdbVersionIndex(directory, 'its thread'),
  },
  'lmdb-sync': {
    summary: 'LMDB, batches committed on the thread that asks',
    keeps: true,
    make: (directory: string) => lmdbVersionIndex(directory, 'the thread that asks'),
  },
  memory: {
    summary: 'a map in memory, sorted when it is read; it keeps nothing',
    keeps: false,
    make: () => memoryVersionIndex(),
  },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly summary: string;
      /** Whether anything of it outlives its process. */
      readonly keeps: boolean;
      readonly make: (directory: string) => VersionIndexStore;
    }
  >
>;

export type StoreName = keyof typeof STORES;
export const STORE_NAMES = Object.keys(STORES) as readonly StoreName[];
