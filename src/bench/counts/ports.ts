import { assertThat } from '../../core/errors.ts';
import type { HostPorts } from '../../index.ts';
import type { FileHandle, FileSystem } from '../../io/file-system.ts';
import { levelVersionIndex } from '../../io/level/level-version-index.ts';
import { nodeFileSystem } from '../../io/node-file-system.ts';
import type {
  IndexEntry,
  StagedEntries,
  TakeEntry,
  VersionIndex,
  VersionIndexStore,
} from '../../io/version-index.ts';
import { isOfChart } from '../../node/transitions.ts';
import type { Tally } from './tally.ts';
import type { Turns } from './turns.ts';

type Order = Pick<Turns, 'take'>;

/** What operations are said to cost, in microseconds: as on a plain disk. It decides in which order they end, and nothing else. */
const COST = { call: 20, sync: 500, kibibyte: 1, entry: 1 } as const;

/** The real file system and a real index store, counted; and every step of the chart. */
export function countingPorts(
  tally: Tally,
  order: Order,
): Pick<HostPorts, 'files' | 'indexStore' | 'inspect'> {
  return {
    files: countingFiles(nodeFileSystem, tally, order),
    indexStore: (files, directory) => countingStore(levelVersionIndex(files, directory), tally, order),
    inspect: (inspection) => {
      if (inspection.type === '@xstate.microstep' && isOfChart(inspection.snapshot)) tally.chartSteps += 1;
    },
  };
}

function countingFiles(files: FileSystem, tally: Tally, order: Order): FileSystem {
  const call = <Result>(work: () => Promise<Result>) => order.take(COST.call, work);
  return {
    open: (path, mode) => call(async () => countingHandle(await files.open(path, mode), tally, order)),
    list: (path) => call(() => files.list(path)),
    stat: (path) => call(() => files.stat(path)),
    makeDirectory: (path) => call(() => files.makeDirectory(path)),
    rename: (from, to) => call(() => files.rename(from, to)),
    link: (from, to) => call(() => files.link(from, to)),
    remove: (path) => call(() => files.remove(path)),
    removeTree: (path) => call(() => files.removeTree(path)),
    syncDirectory: (path) => {
      tally.fileSyncs += 1;
      return order.take(COST.sync, () => files.syncDirectory(path));
    },
  };
}

function countingHandle(handle: FileHandle, tally: Tally, order: Order): FileHandle {
  const countRead = (bytes: number) => {
    tally.fileReads += 1;
    tally.fileReadBytes += bytes;
    return bytes;
  };
  return {
    read: (buffer, offset) =>
      order.take(costOf(buffer.length), async () => countRead(await handle.read(buffer, offset))),
    readSync: (buffer, offset) => countRead(handle.readSync(buffer, offset)),
    append: (parts) => {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      tally.fileWrites += 1;
      tally.fileWrittenBytes += bytes;
      return order.take(costOf(bytes), () => handle.append(parts));
    },
    truncate: (bytes) => order.take(COST.call, () => handle.truncate(bytes)),
    datasync: () => {
      tally.fileSyncs += 1;
      return order.take(COST.sync, () => handle.datasync());
    },
    close: () => order.take(COST.call, () => handle.close()),
  };
}

function costOf(bytes: number): number {
  return COST.call + (bytes / 1024) * COST.kibibyte;
}

function countingStore(store: VersionIndexStore, tally: Tally, order: Order): VersionIndexStore {
  return {
    // Opening uses the files above, each of which takes its own turn: it must not hold one meanwhile.
    exists: () => store.exists(),
    open: async () => countingIndex(await store.open(), tally, order),
  };
}

function countingIndex(index: VersionIndex, tally: Tally, order: Order): VersionIndex {
  const count = (key: Buffer, value: Buffer) => {
    tally.indexEntries += 1;
    tally.indexBytes += key.length + value.length;
  };
  const counted = function* (entries: Iterable<IndexEntry>): Generator<IndexEntry> {
    for (const entry of entries) {
      count(entry.key, entry.value);
      yield entry;
    }
  };
  const stage = (give: (take: TakeEntry) => void): StagedEntries => {
    assertThat(index.stage !== undefined, 'the index store of a node takes entries ahead of their turn');
    const before = tally.indexEntries;
    const staged = index.stage((take) =>
      give((key, value) => {
        count(key, value);
        take(key, value);
      }),
    );
    return {
      write: (rest, options) => {
        tally.indexBatches += 1;
        const cost = COST.sync + (tally.indexEntries - before) * COST.entry;
        return order.take(cost, () => staged.write(counted(rest), options));
      },
    };
  };
  return {
    stage,
    write: (entries, options) => stage(() => undefined).write(entries, options),
    get: (key) => order.take(COST.call, () => index.get(key)),
    first: (from, to) => order.take(COST.call, () => index.first(from, to)),
    // Nothing that is counted reads a range of the index.
    pages: (from, to) => index.pages(from, to),
    sync: () => order.take(COST.sync, () => index.sync()),
    clear: () => order.take(COST.sync, () => index.clear()),
    close: () => order.take(COST.call, () => index.close()),
  };
}
