import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';

export type FileOperation =
  | 'open'
  | 'append'
  | 'truncate'
  | 'datasync'
  | 'makeDirectory'
  | 'rename'
  | 'link'
  | 'remove'
  | 'removeTree'
  | 'syncDirectory';

/** What happens instead of, or in, the operation with this number. `tear`: how much of an append still gets through. */
export type Fault = (
  operation: FileOperation,
  path: string,
  number: number,
) => null | { readonly error: Error; readonly tear?: (bytes: number) => number };

/** The real file system with every change counted, and failed where the test says so. Reads never fail. */
export function faultyFileSystem(fault: Fault): FileSystem & { readonly operations: () => number } {
  let operations = 0;
  const change = async <Result>(
    operation: FileOperation,
    path: string,
    run: () => Promise<Result>,
    partial?: (tear: (bytes: number) => number) => Promise<unknown>,
  ) => {
    operations += 1;
    const failure = fault(operation, path, operations);
    if (failure === null) return run();
    if (failure.tear !== undefined) await partial?.(failure.tear);
    throw failure.error;
  };
  const handleOf = (handle: FileHandle, path: string): FileHandle => ({
    read: (buffer, offset) => handle.read(buffer, offset),
    readSync: (buffer, offset) => handle.readSync(buffer, offset),
    append: (parts) =>
      change(
        'append',
        path,
        () => handle.append(parts),
        (tear) => {
          const all = Buffer.concat(parts);
          return handle.append([all.subarray(0, tear(all.length))]);
        },
      ),
    truncate: (bytes) => change('truncate', path, () => handle.truncate(bytes)),
    datasync: () => change('datasync', path, () => handle.datasync()),
    close: () => handle.close(),
  });
  return {
    operations: () => operations,
    open: async (path, mode) =>
      mode === 'read'
        ? nodeFileSystem.open(path, mode)
        : handleOf(await change('open', path, () => nodeFileSystem.open(path, mode)), path),
    list: (path) => nodeFileSystem.list(path),
    stat: (path) => nodeFileSystem.stat(path),
    makeDirectory: (path) => change('makeDirectory', path, () => nodeFileSystem.makeDirectory(path)),
    rename: (from, to) => change('rename', to, () => nodeFileSystem.rename(from, to)),
    link: (from, to) => change('link', to, () => nodeFileSystem.link(from, to)),
    remove: (path) => change('remove', path, () => nodeFileSystem.remove(path)),
    removeTree: (path) => change('removeTree', path, () => nodeFileSystem.removeTree(path)),
    syncDirectory: (path) => change('syncDirectory', path, () => nodeFileSystem.syncDirectory(path)),
  };
}

/** A crash before the k-th change: it and everything after it never happens. */
export function crashAt(k: number, tear?: (bytes: number) => number): Fault {
  return (_operation, _path, number) =>
    number < k
      ? null
      : {
          error: new Error(`crashed before change ${k}`),
          ...(number === k && tear !== undefined ? { tear } : {}),
        };
}

export function systemError(code: 'EIO' | 'ENOSPC'): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
