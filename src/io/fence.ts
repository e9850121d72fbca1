import { ReplichartError } from '../core/errors.ts';
import type { FileHandle, FileSystem } from './file-system.ts';

/**
 * One fence an engine. Once it is closed no write begins, whoever asks: a statechart that has failed may leave effects
 * running, and none of them may touch the disk any more.
 */
export class Fence {
  #cause: unknown = null;
  #closed = false;
  #underWay = 0;
  #drained: (() => void)[] = [];

  get closed(): boolean {
    return this.#closed;
  }

  /** Closes the fence for good. The first cause is kept. */
  close(cause: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cause = cause;
  }

  /** Runs one write, unless the fence is closed. */
  async write<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#closed)
      throw new ReplichartError('NOT_WRITABLE', 'the node has stopped writing', { cause: this.#cause });
    this.#underWay += 1;
    try {
      return await operation();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const resolve of this.#drained.splice(0)) resolve();
    }
  }

  /** Resolves when no write is under way. */
  drained(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }
}

/** A file system whose every change goes through a fence. */
export function fenced(files: FileSystem, fence: Fence): FileSystem {
  return {
    open: async (path, mode) =>
      mode === 'read'
        ? files.open(path, mode)
        : fencedHandle(await fence.write(() => files.open(path, mode)), fence),
    list: (path) => files.list(path),
    stat: (path) => files.stat(path),
    makeDirectory: (path) => fence.write(() => files.makeDirectory(path)),
    rename: (from, to) => fence.write(() => files.rename(from, to)),
    link: (from, to) => fence.write(() => files.link(from, to)),
    remove: (path) => fence.write(() => files.remove(path)),
    removeTree: (path) => fence.write(() => files.removeTree(path)),
    syncDirectory: (path) => fence.write(() => files.syncDirectory(path)),
  };
}

function fencedHandle(handle: FileHandle, fence: Fence): FileHandle {
  return {
    read: (buffer, offset) => handle.read(buffer, offset),
    readSync: (buffer, offset) => handle.readSync(buffer, offset),
    append: (parts) => fence.write(() => handle.append(parts)),
    truncate: (bytes) => fence.write(() => handle.truncate(bytes)),
    datasync: () => fence.write(() => handle.datasync()),
    close: () => handle.close(),
  };
}
