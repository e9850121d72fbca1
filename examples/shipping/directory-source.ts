/**
 * WAL that is shipped by copying files: `shipWal` beside the primary puts them into a directory (a mounted disk, what rsync or
 * an object store brings), `directorySource` gives them to a replica. What is copied needs no trust: the replica proves every byte.
 */
import { copyFile, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedWal, Position, Primary, WalChunk, WalSource } from 'replichart';

const FORMAT_VERSION = 1;
const PIECE_BYTES = 256 * 1024;
const NAME = /^(\d{20})\.wal$/;

/** What stands beside the copied segments: how much of them was durable when they were copied. */
interface Shipped {
  readonly clusterId: string;
  readonly durable: Position;
}

/** Copies the WAL of a primary, up to what is durable now. Segments only grow, so that what was copied before stays right. */
export async function shipWal(primary: Primary, dataDir: string, to: string): Promise<void> {
  const durable = primary.position();
  if (durable === null) return;
  await mkdir(to, { recursive: true });
  for (const { name, startLsn } of await segmentsIn(join(dataDir, 'wal')))
    if (startLsn < durable.lsn) await copyFile(join(dataDir, 'wal', name), join(to, name));
  const shipped: Shipped = { clusterId: primary.identity.clusterId, durable };
  await writeFile(join(to, 'shipped.json.part'), JSON.stringify(shipped));
  await rename(join(to, 'shipped.json.part'), join(to, 'shipped.json'));
}

/** A source of history for `createReplica(options, { walSource: () => directorySource(directory) })`. */
export function directorySource(directory: string): WalSource {
  const nothing = (message: string) => ({ kind: 'unreachable', message }) as const;
  const shipped = async (): Promise<Shipped | null> => {
    try {
      return JSON.parse(await readFile(join(directory, 'shipped.json'), 'utf8')) as Shipped;
    } catch {
      return null;
    }
  };
  return {
    async identify() {
      const found = await shipped();
      if (found === null) return nothing('nothing was shipped yet');
      const oldestLsn = (await segmentsIn(directory))[0]?.startLsn ?? 0;
      return { kind: 'met', primary: { ...found, formatVersion: FORMAT_VERSION, oldestLsn } };
    },
    async openWal(from): Promise<OpenedWal> {
      const found = await shipped();
      if (found === null) return nothing('nothing was shipped yet');
      const { clusterId, durable } = found;
      if (from.lsn > durable.lsn) return nothing('what was shipped ends before what this replica has');
      return {
        kind: 'opened',
        stream: {
          clusterId,
          startLsn: from.lsn,
          durable,
          chunks: piecesOf(directory, from.lsn, durable.lsn),
          close: () => undefined,
        },
      };
    },
    listSnapshots: async () => ({ kind: 'listed', snapshotIds: [] }),
    snapshotManifest: async () => nothing('no snapshots are shipped'),
    snapshotBlock: async () => nothing('no snapshots are shipped'),
    close: async () => undefined,
  };
}

/** Ends where what was shipped ends: the replica is detached then, and attaches when the host has more. */
async function* piecesOf(directory: string, fromLsn: number, endLsn: number): AsyncGenerator<WalChunk> {
  let lsn = fromLsn;
  for (const { name, startLsn } of await segmentsIn(directory)) {
    const file = await open(join(directory, name), 'r');
    try {
      const segmentEnd = Math.min(endLsn, startLsn + (await file.stat()).size);
      while (lsn >= startLsn && lsn < segmentEnd) {
        const bytes = Buffer.alloc(Math.min(PIECE_BYTES, segmentEnd - lsn));
        await file.read(bytes, 0, bytes.length, lsn - startLsn);
        yield { kind: 'wal', lsn, bytes };
        lsn += bytes.length;
      }
    } finally {
      await file.close();
    }
  }
}

async function segmentsIn(directory: string) {
  const names = (await readdir(directory)).sort();
  return names.flatMap((name) => {
    const startLsn = NAME.exec(name)?.[1];
    return startLsn === undefined ? [] : [{ name, startLsn: Number(startLsn) }];
  });
}
