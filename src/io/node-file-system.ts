import { readSync, type Dirent, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import type { FileHandle, FileKind, FileSystem } from './file-system.ts';

const FLAGS = { read: 'r', append: 'a+', create: 'ax+' } as const;

/** The real file system. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    // 'a+' would create a file; an append is meant for one that exists.
    if (mode === 'append') await fs.access(path);
    return new NodeFileHandle(await fs.open(path, FLAGS[mode]));
  },
  async list(path) {
    const entries = await orAbsent(fs.readdir(path, { withFileTypes: true }), [] as Dirent[]);
    return entries.map((entry) => entry.name).sort();
  },
  async stat(path) {
    const found = await orAbsent(fs.stat(path), null);
    return found && { kind: kindOf(found), bytes: found.size };
  },
  async makeDirectory(path) {
    await fs.mkdir(path, { recursive: true });
  },
  rename: (from, to) => fs.rename(from, to),
  link: (from, to) => fs.link(from, to),
  remove: (path) => fs.unlink(path),
  removeTree: (path) => fs.rm(path, { recursive: true, force: true }),
  async syncDirectory(path) {
    const handle = await fs.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function kindOf(found: Stats): FileKind {
  if (found.isDirectory()) return 'directory';
  return found.isFile() ? 'file' : 'other';
}

async function orAbsent<T, A>(operation: Promise<T>, absent: A): Promise<T | A> {
  try {
    return await operation;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent;
    throw error;
  }
}

class NodeFileHandle implements FileHandle {
  readonly #handle: fs.FileHandle;

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  readSync(buffer: Uint8Array, offset: number): number {
    let filled = 0;
    while (filled < buffer.length) {
      const bytesRead = readSync(this.#handle.fd, buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    let rest: readonly Uint8Array[] = parts.filter((part) => part.length > 0);
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest);
      rest = after(rest, bytesWritten);
    }
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** What is left of the parts once the first `written` bytes of them are on their way. */
function after(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = written;
  for (const part of parts) {
    if (skip >= part.length) {
      skip -= part.length;
    } else {
      rest.push(part.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
