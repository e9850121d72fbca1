import { ClassicLevel } from 'classic-level';
import { dirname, join } from 'node:path';
import { ReplichartError } from '../../core/errors.ts';
import { ensureDirectory } from '../durable-file.ts';
import type { FileSystem } from '../file-system.ts';
import type { IndexEntry, VersionIndex, VersionIndexStore } from '../version-index.ts';
import { damageOf } from './damage.ts';

const PAGE_ENTRIES = 1000;

/**
 * The index on LevelDB. LevelDB locks its directory, which also keeps a second process off the whole data directory,
 * and never syncs its first manifest by itself: a store that was just made gets one synced write and a directory fsync,
 * or it could not be opened after a power cut.
 */
export function levelVersionIndex(files: FileSystem, directory: string): VersionIndexStore {
  return {
    async exists() {
      return (await files.list(directory)).includes('CURRENT');
    },
    async open() {
      await ensureDirectory(files, directory);
      const damage = await damageOf(files, directory);
      if (damage !== null)
        throw new ReplichartError('INDEX_DAMAGED', 'a file of the index store is damaged', {
          evidence: { ...damage },
        });
      const level = new ClassicLevel<Buffer, Buffer>(directory, {
        keyEncoding: 'buffer',
        valueEncoding: 'buffer',
        writeBufferSize: 8 * 1024 * 1024,
        cacheSize: 16 * 1024 * 1024,
        compression: false,
      });
      try {
        await level.open();
        // Told by the key, not by the files: an earlier process may have died before it was durable.
        if ((await level.get(CREATED_KEY)) === undefined) {
          await level.batch([{ type: 'put', key: CREATED_KEY, value: Buffer.from('1') }], { sync: true });
          await files.syncDirectory(directory);
          await files.syncDirectory(dirname(directory));
        }
      } catch (error) {
        if (level.status !== 'open') throw openingFailed(error, join(directory, 'LOCK'));
        await level.close();
        throw error;
      }
      return new LevelVersionIndex(level);
    },
  };
}

const CREATED_KEY = Buffer.concat([Buffer.from([0x00]), Buffer.from('created')]);

function openingFailed(error: unknown, lock: string): ReplichartError {
  const cause = (error as { cause?: { code?: string } }).cause;
  return cause?.code === 'LEVEL_LOCKED'
    ? new ReplichartError('DATA_DIRECTORY_IN_USE', 'another process has the data directory open', {
        cause: error,
        evidence: { lock },
      })
    : new ReplichartError('INDEX_DAMAGED', 'the index store cannot be opened', { cause: error });
}

class LevelVersionIndex implements VersionIndex {
  readonly #level: ClassicLevel<Buffer, Buffer>;

  constructor(level: ClassicLevel<Buffer, Buffer>) {
    this.#level = level;
  }

  async write(entries: readonly IndexEntry[], options: { readonly durable: boolean }): Promise<void> {
    const batch = entries.map(({ key, value }) => ({ type: 'put' as const, key, value }));
    await this.#level.batch(batch, { sync: options.durable });
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.#level.get(key);
  }

  async first(from: Buffer, to: Buffer): Promise<IndexEntry | undefined> {
    const iterator = this.#level.iterator({ gte: from, lt: to, limit: 1 });
    try {
      const found = await iterator.next();
      return found && { key: found[0], value: found[1] };
    } finally {
      await iterator.close();
    }
  }

  async *pages(from: Buffer, to: Buffer): AsyncIterable<readonly IndexEntry[]> {
    const iterator = this.#level.iterator({ gte: from, lt: to });
    try {
      for (;;) {
        const page = await iterator.nextv(PAGE_ENTRIES);
        if (page.length === 0) return;
        yield page.map(([key, value]) => ({ key, value }));
      }
    } finally {
      await iterator.close();
    }
  }

  async clear(): Promise<void> {
    await this.#level.clear();
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}
