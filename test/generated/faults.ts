import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import type { VersionIndexStore } from '../../src/io/version-index.ts';
import { systemError } from '../support/faulty-file-system.ts';

type Call =
  | keyof FileSystem
  | `handle.${Exclude<keyof FileHandle, 'close' | 'readSync'>}`
  | 'index.write'
  | 'index.written';

/** A disk that works until it is told otherwise of one call, at its next time; then it works again. */
export class Disk {
  #next: { readonly call: Call; readonly path: RegExp; readonly happens: () => Promise<void> } | null = null;

  /** The next call of this kind on a path like that fails, and nothing of it happens. */
  failNext(call: Call, path = /./, code: 'EIO' | 'ENOSPC' = 'EIO'): void {
    this.beforeNext(call, path, () => Promise.reject(systemError(code)));
  }

  /** Something happens before the next call of this kind on a path like that. */
  beforeNext(call: Call, path: RegExp, happens: () => Promise<void>): void {
    this.#next = { call, path, happens };
  }

  /** What was asked for and has not happened. */
  get pending(): string | null {
    return this.#next && `${this.#next.call} of ${String(this.#next.path)}`;
  }

  /** Nothing happens any more. */
  heal(): void {
    this.#next = null;
  }

  readonly files: FileSystem = {
    open: async (path, mode) => {
      await this.#comes('open', path);
      return this.#handle(await nodeFileSystem.open(path, mode), path);
    },
    list: async (path) => {
      await this.#comes('list', path);
      return nodeFileSystem.list(path);
    },
    stat: async (path) => {
      await this.#comes('stat', path);
      return nodeFileSystem.stat(path);
    },
    makeDirectory: async (path) => {
      await this.#comes('makeDirectory', path);
      return nodeFileSystem.makeDirectory(path);
    },
    rename: async (from, to) => {
      await this.#comes('rename', to);
      return nodeFileSystem.rename(from, to);
    },
    link: async (from, to) => {
      await this.#comes('link', to);
      return nodeFileSystem.link(from, to);
    },
    remove: async (path) => {
      await this.#comes('remove', path);
      return nodeFileSystem.remove(path);
    },
    removeTree: async (path) => {
      await this.#comes('removeTree', path);
      return nodeFileSystem.removeTree(path);
    },
    syncDirectory: async (path) => {
      await this.#comes('syncDirectory', path);
      return nodeFileSystem.syncDirectory(path);
    },
  };

  /** The same for the writes of an index, which do not go through the file system. */
  index(store: VersionIndexStore): VersionIndexStore {
    return {
      exists: () => store.exists(),
      open: async () => {
        const index = await store.open();
        return {
          write: async (entries, options) => {
            await this.#comes('index.write', 'index');
            await index.write(entries, options);
            await this.#comes('index.written', 'index');
          },
          get: (key) => index.get(key),
          first: (from, to) => index.first(from, to),
          pages: (from, to) => index.pages(from, to),
          sync: () => index.sync(),
          clear: () => index.clear(),
          close: () => index.close(),
        };
      },
    };
  }

  #handle(handle: FileHandle, path: string): FileHandle {
    return {
      read: async (buffer, offset) => {
        await this.#comes('handle.read', path);
        return handle.read(buffer, offset);
      },
      readSync: (buffer, offset) => handle.readSync(buffer, offset),
      append: async (parts) => {
        await this.#comes('handle.append', path);
        return handle.append(parts);
      },
      truncate: async (bytes) => {
        await this.#comes('handle.truncate', path);
        return handle.truncate(bytes);
      },
      datasync: async () => {
        await this.#comes('handle.datasync', path);
        return handle.datasync();
      },
      close: () => handle.close(),
    };
  }

  async #comes(call: Call, path: string): Promise<void> {
    const next = this.#next;
    if (next?.call !== call || !next.path.test(path)) return;
    this.#next = null;
    await next.happens();
  }
}
