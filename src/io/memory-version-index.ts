import type { IndexEntry, VersionIndex, VersionIndexStore } from './version-index.ts';

const PAGE_ENTRIES = 1000;

/**
 * The index in memory, for simulation: it outlives its "process" as long as the object is kept, so that a test can
 * crash a node and start it again on the same disk.
 */
export function memoryVersionIndex(): VersionIndexStore {
  const entries = new Map<string, IndexEntry>();
  let sorted: IndexEntry[] | null = null;
  let created = false;

  const inOrder = () => (sorted ??= [...entries.values()].sort((a, b) => Buffer.compare(a.key, b.key)));
  const lowerBound = (list: readonly IndexEntry[], key: Buffer) => {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare((list[middle] as IndexEntry).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const index: VersionIndex = {
    async write(batch) {
      for (const entry of batch)
        entries.set(entry.key.toString('latin1'), {
          key: Buffer.from(entry.key),
          value: Buffer.from(entry.value),
        });
      sorted = null;
    },
    async get(key) {
      return entries.get(key.toString('latin1'))?.value;
    },
    async first(from, to) {
      const list = inOrder();
      const entry = list[lowerBound(list, from)];
      return entry !== undefined && Buffer.compare(entry.key, to) < 0 ? entry : undefined;
    },
    async *pages(from, to) {
      // A page is cut from one state of the map, as an iterator of a real store would see it.
      const list = inOrder();
      const end = lowerBound(list, to);
      for (let at = lowerBound(list, from); at < end; at += PAGE_ENTRIES)
        yield list.slice(at, Math.min(at + PAGE_ENTRIES, end));
    },
    async sync() {
      // What was written stays, whatever happens.
    },
    async clear() {
      entries.clear();
      sorted = null;
    },
    async close() {
      // What was written stays: the object is the disk.
    },
  };
  return {
    async exists() {
      return created;
    },
    async open() {
      created = true;
      return index;
    },
  };
}
