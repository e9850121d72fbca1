import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';

/** Files in memory, as much of a file system as one file is written and read with; anything else is a bug of the test. */
export function memoryFiles(files: Map<string, Buffer> = new Map<string, Buffer>()): FileSystem {
  const notHere = () => Promise.reject(new Error('this file system holds single files only'));
  const read = (path: string, buffer: Uint8Array, offset: number) =>
    (files.get(path) ?? Buffer.alloc(0)).copy(buffer, 0, offset);
  const handleOf = (path: string): FileHandle => ({
    read: (buffer, offset) => Promise.resolve(read(path, buffer, offset)),
    readSync: (buffer, offset) => read(path, buffer, offset),
    append: async (parts) => {
      files.set(path, Buffer.concat([files.get(path) ?? Buffer.alloc(0), ...parts]));
    },
    truncate: notHere,
    datasync: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
  return {
    open: (path) => Promise.resolve(handleOf(path)),
    stat: async (path) => {
      const bytes = files.get(path);
      return bytes === undefined ? null : { kind: 'file', bytes: bytes.length };
    },
    list: notHere,
    makeDirectory: notHere,
    rename: notHere,
    link: notHere,
    remove: notHere,
    removeTree: notHere,
    syncDirectory: notHere,
  };
}
