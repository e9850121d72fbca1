/** What a crash leaves of changes that were not synced. */
import type { Change, Content, DirectoryNode, FileNode, Node } from './disk.ts';
import { applyTo, type IndexContent } from './index-store.ts';

/** Which of the changes that were not synced are there after a crash, by their place among them. */
export interface SurvivorRule {
  readonly name: string;
  readonly survives: (change: Change, place: number, changes: readonly Change[]) => boolean;
  /** How much of the last append is there, of so many bytes; left out: all of it. */
  readonly torn?: (bytes: number) => number;
  /** Appended bytes that did not survive leave zeros where they were: the size of the file was durable before them. */
  readonly leavesZeros?: true;
}

const lastAppend = (changes: readonly Change[]) => changes.findLastIndex(({ kind }) => kind === 'append');

/** Sizes at which the last append may end: at every block, beside every block, and at its edges. */
function tearsOf(bytes: number): number[] {
  const at = new Set([0, 1, bytes - 1]);
  for (let block = 512; block < bytes; block += 512) for (const by of [-1, 0, 1]) at.add(block + by);
  at.add(bytes >> 1);
  at.add((bytes >> 1) | 1);
  return [...at].filter((size) => size >= 0 && size < bytes).sort((a, b) => a - b);
}

export const EVERYTHING: SurvivorRule = { name: 'everything survives', survives: () => true };
export const SYNCED: SurvivorRule = { name: 'only what was synced survives', survives: () => false };
export const NAMES: SurvivorRule = {
  name: 'names and sizes survive, bytes do not',
  survives: ({ kind }) => kind === 'name',
  leavesZeros: true,
};
export const NEWEST: SurvivorRule = {
  name: 'only the newest change survives',
  survives: (_change, place, changes) => place === changes.length - 1,
};
export const OLDER: SurvivorRule = {
  name: 'all but the newest change survive',
  survives: (_change, place, changes) => place < changes.length - 1,
};
export const BYTES: SurvivorRule = {
  name: 'bytes survive, names do not',
  survives: ({ kind }) => kind !== 'name',
};

/** Every rule that leaves another disk behind: the general ones, and the last append torn in each of its ways. */
export function rulesFor(changes: readonly Change[]): readonly SurvivorRule[] {
  const last = changes[lastAppend(changes)];
  const tears = last?.kind === 'append' ? tearsOf(last.bytes.length) : [];
  const general = changes.length === 0 ? [] : [SYNCED, NAMES, NEWEST, OLDER, BYTES];
  return [
    EVERYTHING,
    ...general,
    ...tears.map((size) => ({
      name: `the last write is torn after ${size} bytes`,
      survives: () => true,
      torn: () => size,
    })),
  ];
}

/** Files and indexes as the next process finds them, as objects of their own. */
export function survivorsOf(durable: Content, changes: readonly Change[], rule: SurvivorRule): Content {
  const names = new Map<DirectoryNode, Map<string, Node>>();
  const bytes = new Map<FileNode, Buffer>();
  const indexes = new Map<string, IndexContent>(durable.indexes);
  const broken = new Set<string>();
  const lost = new Set<Change>();
  const torn = lastAppend(changes);
  for (const [place, change] of changes.entries()) {
    const isLeftBehind = change.kind === 'name' && change.with !== null && lost.has(change.with);
    const survives = !isLeftBehind && rule.survives(change, place, changes);
    if (!survives) lost.add(change);
    if (change.kind === 'name') {
      const entries = names.get(change.directory) ?? new Map(change.directory.durable);
      names.set(change.directory, entries);
      if (survives && change.node === null) entries.delete(change.name);
      else if (survives && change.node !== null) entries.set(change.name, change.node);
    } else if (change.kind === 'index') {
      // Batches of one log: behind one that is lost there is nothing.
      if (!survives) broken.add(change.path);
      if (!broken.has(change.path))
        indexes.set(change.path, applyTo(indexes.get(change.path) ?? null, change.change));
    } else {
      const size = place === torn && rule.torn !== undefined ? rule.torn(sizeOf(change)) : Infinity;
      const before = bytes.get(change.file) ?? change.file.durable;
      bytes.set(change.file, changed(before, change, survives, rule, size));
    }
  }
  return { root: copied(durable.root, names, bytes), indexes };
}

const sizeOf = (change: Change) => (change.kind === 'append' ? change.bytes.length : 0);

function changed(
  before: Buffer,
  change: Extract<Change, { readonly file: FileNode }>,
  survives: boolean,
  { leavesZeros }: SurvivorRule,
  size: number,
): Buffer {
  if (change.kind === 'truncate') return survives ? before.subarray(0, change.bytes) : before;
  if (!survives && leavesZeros !== true) return before;
  const written = survives ? change.bytes.subarray(0, size) : Buffer.alloc(change.bytes.length);
  // A write behind one that is lost leaves a hole.
  const behind = Buffer.alloc(Math.max(before.length, change.offset + written.length));
  before.copy(behind);
  written.copy(behind, change.offset);
  return behind;
}

/** The tree of what survived; a file has one copy, however many names it has. */
function copied(
  root: DirectoryNode,
  names: ReadonlyMap<DirectoryNode, ReadonlyMap<string, Node>>,
  bytes: ReadonlyMap<FileNode, Buffer>,
): DirectoryNode {
  const files = new Map<FileNode, FileNode>();
  const copyOfFile = (file: FileNode): FileNode => {
    const known = files.get(file);
    if (known !== undefined) return known;
    const content = Buffer.from(bytes.get(file) ?? file.durable);
    const copy: FileNode = { kind: 'file', content, durable: content };
    files.set(file, copy);
    return copy;
  };
  const copyOf = (directory: DirectoryNode): DirectoryNode => {
    const entries = [...(names.get(directory) ?? directory.durable)].map(([name, node]): [string, Node] => [
      name,
      node.kind === 'file' ? copyOfFile(node) : copyOf(node),
    ]);
    return { kind: 'directory', entries: new Map(entries), durable: new Map(entries) };
  };
  return copyOf(root);
}
