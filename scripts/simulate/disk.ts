/**
 * A disk in memory that forgets as real ones do. What was written is seen at once, and lasts only once it was synced: bytes by
 * `datasync` of their file, names by `syncDirectory` of their directory. After a crash a rule says what else survived.
 */
import { basename, dirname, join } from 'node:path';
import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import type { VersionIndexStore } from '../../src/io/version-index.ts';
import { applyTo, indexOn, type IndexContent, type IndexChange } from './index-store.ts';
import { survivorsOf, type SurvivorRule } from './survivors.ts';

/** A file apart from its names. */
export interface FileNode {
  readonly kind: 'file';
  content: Buffer;
  durable: Buffer;
}
/** A directory, wherever it hangs: what is in it goes with it. */
export interface DirectoryNode {
  readonly kind: 'directory';
  readonly entries: Map<string, Node>;
  readonly durable: Map<string, Node>;
}
export type Node = FileNode | DirectoryNode;

export interface NameChange {
  readonly kind: 'name';
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | null;
  /** The new name of what was renamed: the old one does not go without it. */
  readonly with: NameChange | null;
}

/** One change that was made and not synced yet. */
export type Change =
  | NameChange
  | { readonly kind: 'append'; readonly file: FileNode; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: FileNode; readonly bytes: number }
  | { readonly kind: 'index'; readonly path: string; readonly change: IndexChange };

/** Files and indexes as they are once nothing is left to be lost. */
export interface Content {
  readonly root: DirectoryNode;
  readonly indexes: ReadonlyMap<string, IndexContent>;
}

export const emptyDirectory = (): DirectoryNode => ({
  kind: 'directory',
  entries: new Map(),
  durable: new Map(),
});

/** What a disk was asked to do, in order; the crash points of a run. */
export interface Operation {
  readonly number: number;
  readonly name: string;
  readonly path: string;
  /** How many bytes it writes, where it writes any. */
  readonly bytes: number;
}

/** What happens in place of an operation. `undefined`: nothing does, and it is done. */
export type Injection = 'crash' | { readonly error: Error; readonly writes?: number } | undefined;

export class SimulatedDisk {
  readonly files: FileSystem;
  readonly operations: Operation[] = [];
  /** Resolves when the process that works on this disk is dead: from then on nothing is answered any more. */
  readonly crashed: Promise<void>;
  /** Asked before every change. */
  inject: (operation: Operation) => Injection = () => undefined;
  /** Syncs that do nothing and say that they did: a disk that lies, to see that somebody notices. */
  forgets: (operation: Operation) => boolean = () => false;
  #die: () => void = () => undefined;
  #isDead = false;
  #isForgotten = false;

  readonly #root: DirectoryNode;
  readonly #indexes: Map<string, IndexContent>;
  readonly #durableIndexes: Map<string, IndexContent>;
  #unsynced: Change[] = [];

  constructor({ root, indexes }: Content = { root: emptyDirectory(), indexes: new Map() }, cache?: Cache) {
    this.#root = root;
    this.#indexes = new Map(cache?.indexes ?? indexes);
    this.#durableIndexes = new Map(indexes);
    this.#unsynced = [...(cache?.unsynced ?? [])];
    this.crashed = new Promise((resolve) => (this.#die = resolve));
    this.files = this.#fileSystem();
  }

  /** The index store of a directory on this disk: batches whole or not at all, lost only from the end, one that was synced too. */
  indexStore(directory: string): VersionIndexStore {
    return indexOn({
      read: () => this.#alive(() => this.#indexes.get(directory) ?? null),
      change: (name, change) =>
        this.#change(name, directory, 0, () => {
          const found = this.#indexes.get(directory) ?? null;
          this.#indexes.set(directory, applyTo(found, change));
          this.#unsynced.push({ kind: 'index', path: directory, change });
          if (change.isDurable && !this.#isForgotten && this.#isReached(directory, change))
            this.#syncIndex(directory);
        }),
    });
  }

  /** Ends the process: what it asks from here on is never answered. */
  kill(): void {
    this.#isDead = true;
    this.#die();
  }

  /** The disk that the next process finds. Without a rule: that of a process that ended, all that it wrote being there. */
  after(rule: SurvivorRule): SimulatedDisk {
    const content = { root: this.#root, indexes: this.#durableIndexes };
    return new SimulatedDisk(survivorsOf(content, this.#unsynced, rule));
  }

  /** The same disk for the next process, the machine having run on: what was not synced can be lost still. */
  reopened(): SimulatedDisk {
    const content = { root: this.#root, indexes: this.#durableIndexes };
    return new SimulatedDisk(content, { indexes: this.#indexes, unsynced: this.#unsynced });
  }

  /** The files of a directory as they would be found if only what is synced survived, in the order of their names. */
  durableIn(path: string): readonly { readonly name: string; readonly bytes: Buffer }[] {
    let node: Node | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== ''))
      node = node?.kind === 'directory' ? node.durable.get(name) : undefined;
    return filesOf(node?.kind === 'directory' ? node.durable : new Map(), (file) => file.durable);
  }

  /** The same as a process sees them. */
  filesIn(path: string): readonly { readonly name: string; readonly bytes: Buffer }[] {
    const node = this.#find(path);
    return filesOf(node?.kind === 'directory' ? node.entries : new Map(), (file) => file.content);
  }

  /** What could still be lost. */
  get unsynced(): readonly Change[] {
    return this.#unsynced;
  }

  /** Every file with its bytes, and every index, as a process sees them: for comparing two disks. */
  contents(): ReadonlyMap<string, string> {
    const all = new Map<string, string>();
    const collect = ({ entries }: DirectoryNode, prefix: string) => {
      for (const [name, node] of entries)
        if (node.kind === 'file') all.set(`${prefix}/${name}`, node.content.toString('latin1'));
        else collect(node, `${prefix}/${name}`);
    };
    collect(this.#root, '');
    for (const [path, { entries }] of this.#indexes) {
      const lines = [...entries].map(([key, value]) => `${key}=${value.toString('latin1')}`);
      all.set(path, lines.sort().join('\n'));
    }
    return new Map([...all].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  /** The bytes of a file; `null` where there is none. */
  bytesOf(path: string): Buffer | null {
    const node = this.#find(path);
    return node?.kind === 'file' ? node.content : null;
  }

  /** Changes bytes behind everybody's back, durably: rot. */
  damage(path: string, change: (bytes: Buffer) => Buffer): void {
    const file = this.#file(path);
    file.content = change(Buffer.from(file.content));
    file.durable = file.content;
  }

  /** The entries of an index, by their keys as latin1. */
  indexEntries(directory: string): ReadonlyMap<string, Buffer> {
    return this.#indexes.get(directory)?.entries ?? new Map<string, Buffer>();
  }

  /** The same as `damage` for an entry of an index; `null` takes it away. */
  damageIndex(directory: string, key: string, change: (value: Buffer) => Buffer | null): void {
    const entries = new Map(this.indexEntries(directory));
    const value = change(Buffer.from(entries.get(key) ?? []));
    if (value === null) entries.delete(key);
    else entries.set(key, value);
    this.#indexes.set(directory, { entries });
    this.#durableIndexes.set(directory, { entries });
  }

  #fileSystem(): FileSystem {
    return {
      open: (path, mode) => {
        if (mode !== 'create') return this.#alive(() => this.#handle(path, this.#file(path)));
        return this.#change('create', path, 0, () => {
          if (this.#find(path) !== null) throw systemError('EEXIST', path);
          const file: FileNode = { kind: 'file', content: Buffer.alloc(0), durable: Buffer.alloc(0) };
          this.#name(path, file);
          return this.#handle(path, file);
        });
      },
      list: (path) =>
        this.#alive(() => {
          const node = this.#find(path);
          return node?.kind === 'directory' ? [...node.entries.keys()].sort() : [];
        }),
      stat: (path) =>
        this.#alive(() => {
          const node = this.#find(path);
          if (node === null) return null;
          return { kind: node.kind, bytes: node.kind === 'file' ? node.content.length : 0 };
        }),
      makeDirectory: (path) =>
        this.#change('makeDirectory', path, 0, () => {
          this.#makeDirectory(path);
        }),
      rename: (from, to) =>
        this.#change('rename', to, 0, () => {
          const added = this.#name(to, this.#existing(from));
          this.#name(from, null, added);
        }),
      link: (from, to) =>
        this.#change('link', to, 0, () => {
          if (this.#find(to) !== null) throw systemError('EEXIST', to);
          this.#name(to, this.#file(from));
        }),
      remove: (path) =>
        this.#change('remove', path, 0, () => {
          this.#file(path);
          this.#name(path, null);
        }),
      removeTree: (path) =>
        this.#change('removeTree', path, 0, () => {
          if (this.#find(path) !== null) this.#removeTree(path);
        }),
      syncDirectory: (path) =>
        this.#change('syncDirectory', path, 0, () => {
          if (!this.#isForgotten) this.#syncNames(this.#directory(path));
        }),
    };
  }

  #handle(path: string, file: FileNode): FileHandle {
    // Behind the end there is nothing to read, which is no error of a real file either.
    const read = (buffer: Uint8Array, offset: number) =>
      file.content.copy(buffer, 0, Math.min(offset, file.content.length));
    return {
      read: (buffer, offset) => this.#alive(() => read(buffer, offset)),
      readSync: read,
      append: (parts) => {
        const bytes = Buffer.concat(parts);
        return this.#change('append', path, bytes.length, (writes = bytes.length) => {
          const written = bytes.subarray(0, writes);
          this.#unsynced.push({ kind: 'append', file, offset: file.content.length, bytes: written });
          file.content = Buffer.concat([file.content, written]);
        });
      },
      truncate: (bytes) =>
        this.#change('truncate', path, 0, () => {
          this.#unsynced.push({ kind: 'truncate', file, bytes });
          file.content = Buffer.from(file.content.subarray(0, bytes));
        }),
      datasync: () =>
        this.#change('datasync', path, 0, () => {
          if (this.#isForgotten) return;
          file.durable = file.content;
          this.#unsynced = this.#unsynced.filter((one) => !('file' in one) || one.file !== file);
        }),
      close: () => this.#alive(() => undefined),
    };
  }

  /** Every change is counted, and may be the last one. */
  #change<Result>(
    name: string,
    path: string,
    bytes: number,
    make: (writes?: number) => Result,
  ): Promise<Result> {
    if (this.#isDead) return never();
    const operation = { number: this.operations.length + 1, name, path, bytes };
    this.operations.push(operation);
    this.#isForgotten = this.forgets(operation);
    const injected = this.inject(operation);
    if (injected === 'crash') {
      this.kill();
      return never();
    }
    if (injected !== undefined) {
      if (injected.writes !== undefined) make(injected.writes);
      return Promise.reject(injected.error);
    }
    return this.#alive(() => make());
  }

  async #alive<Result>(run: () => Result): Promise<Result> {
    return this.#isDead ? never<Result>() : run();
  }

  #find(path: string): Node | null {
    let node: Node | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== ''))
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    return node ?? null;
  }

  #existing(path: string): Node {
    const node = this.#find(path);
    if (node === null) throw systemError('ENOENT', path);
    return node;
  }

  #file(path: string): FileNode {
    const node = this.#existing(path);
    if (node.kind !== 'file') throw systemError('EISDIR', path);
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#existing(path);
    if (node.kind !== 'directory') throw systemError('ENOTDIR', path);
    return node;
  }

  #makeDirectory(path: string): void {
    if (this.#find(path) !== null) return;
    this.#makeDirectory(dirname(path));
    this.#name(path, emptyDirectory());
  }

  #removeTree(path: string): void {
    const node = this.#existing(path);
    if (node.kind === 'directory')
      for (const name of [...node.entries.keys()]) this.#removeTree(join(path, name));
    this.#name(path, null);
  }

  #name(path: string, node: Node | null, renamed: NameChange | null = null): NameChange {
    const directory = this.#directory(dirname(path));
    const name = basename(path);
    if (node === null) directory.entries.delete(name);
    else directory.entries.set(name, node);
    const change: NameChange = { kind: 'name', directory, name, node, with: renamed };
    this.#unsynced.push(change);
    return change;
  }

  #syncNames(directory: DirectoryNode): void {
    const synced = new Set<Change>();
    for (const change of this.#unsynced) {
      if (change.kind !== 'name' || change.directory !== directory) continue;
      for (const one of [change.with, change])
        if (one !== null && this.#unsynced.includes(one) && !synced.has(one)) {
          synced.add(one);
          if (one.node === null) one.directory.durable.delete(one.name);
          else one.directory.durable.set(one.name, one.node);
        }
    }
    this.#unsynced = this.#unsynced.filter((one) => !synced.has(one));
  }

  /**
   * A batch that is synced is in one log of the store, and what was written before it may stand in an older one: where that is
   * lost, all behind it is left out. Only when the whole store is synced, nothing before can be lost.
   */
  #isReached(directory: string, change: IndexChange): boolean {
    const unsynced = this.#unsynced.filter((one) => one.kind === 'index' && one.path === directory);
    return change.kind === 'sync' || unsynced.length === 1;
  }

  #syncIndex(directory: string): void {
    const found = this.#indexes.get(directory);
    if (found !== undefined) this.#durableIndexes.set(directory, found);
    this.#unsynced = this.#unsynced.filter((one) => one.kind !== 'index' || one.path !== directory);
  }
}

/** What a process left in the cache of its machine. */
interface Cache {
  readonly indexes: ReadonlyMap<string, IndexContent>;
  readonly unsynced: readonly Change[];
}

function filesOf(entries: ReadonlyMap<string, Node>, bytes: (file: FileNode) => Buffer) {
  return [...entries]
    .flatMap(([name, node]) => (node.kind === 'file' ? [{ name, bytes: bytes(node) }] : []))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

function never<Result>(): Promise<Result> {
  return new Promise<Result>(() => undefined);
}

export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code });
}
