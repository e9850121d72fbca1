import { startReplica, temporaryDirectory } from './nodes.ts';
import { halted } from './replicas.ts';
import { chunked, recordedWal, scriptedSource } from './sources.ts';
import { flipped } from './wal-forge.ts';

/** The data directory of a replica that halted on a flipped bit, and stopped. */
export async function haltedDirectory(): Promise<string> {
  const wal = await recordedWal(3);
  const dataDir = await temporaryDirectory();
  const replica = await startReplica(
    { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    { walSource: scriptedSource(() => ({ chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 500) })) },
  );
  await halted(replica);
  await replica.stop();
  return dataDir;
}
