/** A disk on which everything takes its turn. What waits when the process dies is never done. */
import { basename, dirname } from 'node:path';
import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import { copiesOf, type VersionIndex, type VersionIndexStore } from '../../src/io/version-index.ts';

type Turn = (label: string) => Promise<void>;

const short = (path: string) => `${basename(dirname(path))}/${basename(path)}`;

export function delayedFiles(files: FileSystem, turn: Turn): FileSystem {
  const after = async <Result>(what: string, path: string, run: () => Promise<Result>): Promise<Result> => {
    await turn(`${what} ${short(path)}`);
    return run();
  };
  return {
    open: (path, mode) =>
      after(`open to ${mode}`, path, async () => delayedHandle(await files.open(path, mode), path, turn)),
    list: (path) => after('list', path, () => files.list(path)),
    stat: (path) => after('stat', path, () => files.stat(path)),
    makeDirectory: (path) => after('make', path, () => files.makeDirectory(path)),
    rename: (from, to) => after('rename', to, () => files.rename(from, to)),
    link: (from, to) => after('link', to, () => files.link(from, to)),
    remove: (path) => after('remove', path, () => files.remove(path)),
    removeTree: (path) => after('remove all', path, () => files.removeTree(path)),
    syncDirectory: (path) => after('sync names', path, () => files.syncDirectory(path)),
  };
}

function delayedHandle(handle: FileHandle, path: string, turn: Turn): FileHandle {
  const after = async <Result>(what: string, run: () => Promise<Result>): Promise<Result> => {
    await turn(`${what} ${short(path)}`);
    return run();
  };
  return {
    read: (buffer, offset) => after(`read at ${offset}`, () => handle.read(buffer, offset)),
    readSync: (buffer, offset) => handle.readSync(buffer, offset),
    append: (parts) => after('append', () => handle.append(parts)),
    truncate: (bytes) => after(`truncate to ${bytes}`, () => handle.truncate(bytes)),
    datasync: () => after('sync', () => handle.datasync()),
    close: () => handle.close(),
  };
}

export function delayedIndex(store: VersionIndexStore, turn: Turn): VersionIndexStore {
  return {
    exists: () => store.exists(),
    async open() {
      await turn('index open');
      const index = await store.open();
      const delayed: VersionIndex = {
        async write(entries, options) {
          const batch = copiesOf(entries);
          await turn(`index write of ${batch.length}`);
          await index.write(batch, options);
        },
        async get(key) {
          await turn('index get');
          return index.get(key);
        },
        async first(from, to) {
          await turn('index first');
          return index.first(from, to);
        },
        async *pages(from, to) {
          await turn('index page');
          for await (const page of index.pages(from, to)) {
            yield page;
            await turn('index page');
          }
        },
        async sync() {
          await turn('index sync');
          await index.sync();
        },
        async clear() {
          await turn('index clear');
          await index.clear();
        },
        close: () => index.close(),
      };
      return delayed;
    },
  };
}
