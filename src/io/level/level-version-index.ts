import { ClassicLevel } from 'classic-level';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../../core/bytes.ts';
import { ReplichartError } from '../../core/errors.ts';
import { ensureDirectory } from '../durable-file.ts';
import type { FileSystem } from '../file-system.ts';
import type {
  IndexEntry,
  StagedEntries,
  TakeEntry,
  VersionIndex,
  VersionIndexStore,
  WriteOptions,
} from '../version-index.ts';
import { damageOf } from './damage.ts';
import { cutLogs, type LogsCut } from './logs.ts';
import { readManifest } from './manifest.ts';

/** What is written goes into a sorted list of this size first: a small one stays in the caches of the processor. */
const WRITE_BUFFER_BYTES = 2 * 1024 * 1024;
/** Each table is synced: a few large ones, made while versions are applied, cost less than many small ones. */
const TABLE_BYTES_MAX = 32 * 1024 * 1024;
const PAGE_ENTRIES = 1000;
const PAGE_BYTES = 256 * 1024;

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
      // Asked for its lock a second time by one process, LevelDB refuses and lets go of the lock that it has.
      if (openHere.has(directory)) throw inUse(join(directory, 'LOCK'), 'this process');
      openHere.add(directory);
      try {
        return await openLevel(files, directory);
      } catch (error) {
        openHere.delete(directory);
        throw error;
      }
    },
  };
}

/** The stores that this process has open, by their directories. */
const openHere = new Set<string>();

async function openLevel(files: FileSystem, directory: string): Promise<VersionIndex> {
  await ensureDirectory(files, directory);
  // Of the files of a store that is open elsewhere nothing can be said.
  await proveUnlocked(directory);
  const manifest = await readManifest(files, directory);
  const damage = await damageOf(files, directory, manifest);
  if (damage !== null)
    throw new ReplichartError('INDEX_DAMAGED', 'a file of the index store is damaged', {
      evidence: { ...damage },
    });
  // Asked again: one that was opened meanwhile has other logs than those that were looked at, and has let go of these.
  const cut =
    manifest === null ? null : await cutLogs(files, directory, manifest, () => proveUnlocked(directory));
  const level = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER_BYTES,
    maxFileSize: TABLE_BYTES_MAX,
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
  return new LevelVersionIndex(level, cut, () => openHere.delete(directory));
}

/**
 * LevelDB takes its lock before anything else, and here it is told that the store must not be there, and must not be made: it is
 * never opened, and nothing of it is read or written.
 *
 * @throws ReplichartError `DATA_DIRECTORY_IN_USE` where another process has the store open.
 */
async function proveUnlocked(directory: string): Promise<void> {
  const probe = new ClassicLevel(directory, { errorIfExists: true, createIfMissing: false });
  try {
    await probe.open();
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === 'LEVEL_LOCKED')
      throw openingFailed(error, join(directory, 'LOCK'));
  } finally {
    await probe.close();
  }
}

const BEHIND_ALL_KEYS = Buffer.from([0xff]);
const CREATED_KEY = Buffer.concat([Buffer.from([0x00]), Buffer.from('created')]);

function openingFailed(error: unknown, lock: string): ReplichartError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  // What the store says of the system's errors is a text only.
  if (/No space left|Disk quota|Input\/output error/.test(cause?.message ?? ''))
    return new ReplichartError('STORAGE_FAILED', 'the index store cannot be opened', { cause: error });
  return cause?.code === 'LEVEL_LOCKED'
    ? inUse(lock, 'another process', error)
    : new ReplichartError('INDEX_DAMAGED', 'the index store cannot be opened', { cause: error });
}

function inUse(lock: string, by: string, cause?: unknown): ReplichartError {
  return new ReplichartError('DATA_DIRECTORY_IN_USE', `${by} has the data directory open`, {
    cause,
    evidence: { lock },
  });
}

class LevelVersionIndex implements VersionIndex {
  readonly #level: ClassicLevel<Buffer, Buffer>;
  readonly #onClosed: () => void;
  readonly leftOut: JsonObject | null;

  constructor(level: ClassicLevel<Buffer, Buffer>, cut: LogsCut | null, onClosed: () => void) {
    this.leftOut = cut && { ...cut };
    this.#level = level;
    this.#onClosed = onClosed;
  }

  write(entries: Iterable<IndexEntry>, options: WriteOptions): Promise<void> {
    return this.stage(() => undefined).write(entries, options);
  }

  stage(give: (take: TakeEntry) => void): StagedEntries {
    // A chained batch copies each entry as it comes, in a tenth of the time that an array of operations takes.
    const batch = this.#level.batch();
    give((key, value) => batch.put(key, value));
    return {
      async write(rest, { durable }) {
        try {
          for (const { key, value } of rest) batch.put(key, value);
          await batch.write({ sync: durable });
        } finally {
          await batch.close();
        }
      },
    };
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
      // Not waited for: a read under load would wait for its turn once more. The store waits for it when it is closed.
      iterator.close().catch(() => undefined);
    }
  }

  async *pages(from: Buffer, to: Buffer): AsyncIterable<readonly IndexEntry[]> {
    const iterator = this.#level.iterator({ gte: from, lt: to, highWaterMarkBytes: PAGE_BYTES });
    const next = () => iterator.nextv(PAGE_ENTRIES);
    try {
      let coming = next();
      for (let pages = 0; ; pages += 1) {
        const page = await coming;
        if (page.length === 0) return;
        // Whoever wants a second page wants many, most likely: from there on the store reads one ahead.
        const isAhead = pages > 0;
        if (isAhead) coming = next();
        // Whoever stops early waits for no page, and its failure is nobody's any more.
        coming.catch(() => undefined);
        yield page.map(([key, value]) => ({ key, value }));
        if (!isAhead) coming = next();
      }
    } finally {
      await iterator.close();
    }
  }

  async sync(): Promise<void> {
    // A synced write is in one log, and what was written before may stand in an older one. To compact a range, LevelDB first writes
    // all that stands in logs to a table, which it syncs. There is nothing in this range to compact.
    await this.#level.compactRange(BEHIND_ALL_KEYS, BEHIND_ALL_KEYS);
  }

  async clear(): Promise<void> {
    await this.#level.clear();
  }

  async close(): Promise<void> {
    await this.#level.close();
    this.#onClosed();
  }
}
