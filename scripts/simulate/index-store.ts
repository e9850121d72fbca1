/** An index store on a simulated disk: what a process asks of it, on content that is never changed in place. */
import { copiesOf, type IndexEntry, type VersionIndexStore } from '../../src/io/version-index.ts';

export interface IndexContent {
  /** By the key, as latin1. */
  readonly entries: ReadonlyMap<string, Buffer>;
}

export interface IndexChange {
  readonly kind: 'create' | 'write' | 'clear' | 'sync';
  readonly entries: readonly IndexEntry[];
  readonly isDurable: boolean;
}

export interface IndexDisk {
  readonly read: () => Promise<IndexContent | null>;
  readonly change: (name: string, change: IndexChange) => Promise<void>;
}

const PAGE_ENTRIES = 1000;

export function applyTo(found: IndexContent | null, { kind, entries }: IndexChange): IndexContent {
  if (kind === 'clear') return { entries: new Map() };
  const behind = new Map(found?.entries);
  for (const { key, value } of entries) behind.set(key.toString('latin1'), Buffer.from(value));
  return { entries: behind };
}

export function indexOn(disk: IndexDisk): VersionIndexStore {
  const between = async (from: Buffer, to: Buffer): Promise<IndexEntry[]> => {
    const content = await disk.read();
    const found: IndexEntry[] = [];
    for (const [name, value] of content?.entries ?? []) {
      const key = Buffer.from(name, 'latin1');
      if (Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0) found.push({ key, value });
    }
    return found.sort((a, b) => Buffer.compare(a.key, b.key));
  };
  return {
    exists: async () => (await disk.read()) !== null,
    async open() {
      if ((await disk.read()) === null)
        await disk.change('index create', { kind: 'create', entries: [], isDurable: true });
      return {
        write: (entries, { durable }) =>
          disk.change('index write', { kind: 'write', entries: copiesOf(entries), isDurable: durable }),
        get: async (key) => (await disk.read())?.entries.get(key.toString('latin1')),
        first: async (from, to) => (await between(from, to))[0],
        async *pages(from, to) {
          const list = await between(from, to);
          for (let at = 0; at < list.length; at += PAGE_ENTRIES) yield list.slice(at, at + PAGE_ENTRIES);
        },
        sync: () => disk.change('index sync', { kind: 'sync', entries: [], isDurable: true }),
        clear: () => disk.change('index clear', { kind: 'clear', entries: [], isDurable: false }),
        close: async () => {
          await disk.read();
        },
      };
    },
  };
}
