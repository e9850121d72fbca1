import type { Logger } from 'pino';
import { ReplichartError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import type { Fence } from '../io/fence.ts';
import { Storage } from '../io/storage.ts';
import type { StagedEntries, VersionIndex, VersionIndexStore } from '../io/version-index.ts';
import { WalFiles } from '../io/wal/files.ts';

/** The files and the index of a node, open. */
export interface OpenStorage {
  readonly wal: WalFiles;
  readonly storage: Storage;
}

/** Opens WAL and index once the directory is known to be the node's own, and closes them in the end. */
export class NodeStorage {
  readonly #directory: DataDirectory;
  readonly #store: VersionIndexStore;
  readonly #fence: Fence;
  readonly #logger: Logger;
  #index: VersionIndex | null = null;
  #open: OpenStorage | null = null;

  constructor(directory: DataDirectory, store: VersionIndexStore, fence: Fence, logger: Logger) {
    this.#logger = logger;
    this.#directory = directory;
    this.#store = store;
    this.#fence = fence;
  }

  get current(): OpenStorage | null {
    return this.#open;
  }

  /**
   * The index store locks the directory. Once it is locked the identity is read again: of two processes that claimed
   * an empty directory at the same moment, only the one whose identity stands goes on.
   */
  async open(identity: Identity): Promise<OpenStorage> {
    if (this.#open !== null) return this.#open;
    const index = await this.#fence.write(() => this.#store.open());
    this.#index = fencedIndex(index, this.#fence);
    const found = await this.#directory.readIdentity();
    if (found.state !== 'present' || found.identity.nodeId !== identity.nodeId)
      throw new ReplichartError('DATA_DIRECTORY_IN_USE', 'another process claimed the data directory');
    if (index.leftOut !== undefined && index.leftOut !== null)
      this.#logger.warn(
        { index: index.leftOut },
        'the end of the index is not whole, as after a power cut: it is left out, and applied again from the WAL',
      );
    const { files, walDirectory } = this.#directory;
    const wal = await WalFiles.open(files, walDirectory);
    const storage = new Storage(this.#index, wal);
    this.#open = { wal, storage };
    return this.#open;
  }

  async close(): Promise<void> {
    const { wal, storage } = this.#open ?? {};
    const index = this.#index;
    this.#open = null;
    this.#index = null;
    // The index goes last and in any case: it holds the lock of the directory.
    try {
      await storage?.close();
      await wal?.close();
    } finally {
      await index?.close();
    }
  }
}

/** An index whose every change goes through the fence, like every change of a file. */
function fencedIndex(index: VersionIndex, fence: Fence): VersionIndex {
  const stage = index.stage?.bind(index);
  return {
    write: (entries, options) => fence.write(() => index.write(entries, options)),
    ...(stage === undefined ? {} : { stage: (give) => fencedEntries(stage(give), fence) }),
    sync: () => fence.write(() => index.sync()),
    clear: () => fence.write(() => index.clear()),
    get: (key) => index.get(key),
    first: (from, to) => index.first(from, to),
    pages: (from, to) => index.pages(from, to),
    close: () => index.close(),
  };
}

/** What is staged is not written yet: the fence is asked when it is. */
function fencedEntries(staged: StagedEntries, fence: Fence): StagedEntries {
  return { write: (rest, options) => fence.write(() => staged.write(rest, options)) };
}
