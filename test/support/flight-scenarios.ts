/** Failures of real nodes, each recorded by the node's own flight recorder. */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeManifest, encodeManifest } from '../../src/core/storage/manifest.ts';
import { faultyFileSystem, systemError } from './faulty-file-system.ts';
import { recordedPrimary, recordedReplica, SECOND_RUN } from './flights.ts';
import { CLUSTER, OTHER_CLUSTER, put, rejection, startPrimary, temporaryDirectory } from './nodes.ts';
import { alteredSource } from './relayed-source.ts';
import { appliedCommit, appliedLsn, detached, halted, inState, until } from './replicas.ts';
import { chunked, recordedWal, scriptedSource } from './sources.ts';
import { flipped, unitsOf } from './wal-forge.ts';

/** Where a journal ends, and why. */
interface Ending {
  readonly state: string;
  readonly code: string | null;
  readonly rule: string | null;
}

export interface FlightScenario {
  readonly name: string;
  /** What the title of its test says. */
  readonly title: string;
  readonly ending: Ending;
  /** Runs the node, stops it, and gives its data directory: the newest file tells of it. */
  readonly record: () => Promise<string>;
}

const haltedBy = (code: string, rule: string | null): Ending => ({ state: 'stopped.closed', code, rule });
const ended: Ending = { state: 'stopped.closed', code: null, rule: null };

export const FLIGHT_SCENARIOS: readonly FlightScenario[] = [
  {
    name: 'checksum-mismatch',
    title: 'F-V1: a bit of a document that was flipped on its way',
    ending: haltedBy('WAL_CORRUPT', 'P5-I5 checksumMatches'),
    record: async () => {
      const wal = await recordedWal(3);
      return haltedOn(() => chunked(flipped(wal, (wal.length - 9) * 8), 500));
    },
  },
  {
    name: 'gap',
    title: 'F-V2: a frame that is missing in the stream',
    ending: haltedBy('WAL_DISORDERED', 'P5-I4 receivedIsInOrder'),
    record: async () => {
      const wal = await recordedWal(4);
      const [, , second] = unitsOf(wal);
      if (second === undefined) throw new Error('there are frames');
      const without = Buffer.concat([wal.subarray(0, second.lsn), wal.subarray(second.lsn + second.bytes)]);
      return haltedOn(() => chunked(without, without.length));
    },
  },
  {
    name: 'divergence',
    title: 'F-V3: a primary that does not own the position it is asked for',
    ending: haltedBy('HISTORY_DIVERGED', 'P5-I4 historyIsThePrimarys'),
    record: async () => {
      const dataDir = await temporaryDirectory();
      const wal = await recordedWal(2);
      const replica = await recordedReplica(dataDir, {
        walSource: scriptedSource((attachment) =>
          attachment === 1
            ? { chunks: (from) => chunked(wal, 64, from.lsn), ends: true }
            : {
                refusal: {
                  kind: 'refused',
                  code: 'HISTORY_DIVERGED',
                  message: 'the position is not of this history',
                  evidence: { lsn: wal.length },
                },
              },
        ),
      });
      await detached(replica);
      await appliedCommit(replica, 2);
      replica.attach();
      await halted(replica);
      await replica.stop();
      return dataDir;
    },
  },
  {
    name: 'fsync-failed',
    title: 'F-D1: an fsync of received WAL that fails',
    ending: haltedBy('STORAGE_FAILED', null),
    record: async () => {
      const wal = await recordedWal(3);
      const dataDir = await temporaryDirectory();
      const files = faultyFileSystem((operation, path) =>
        operation === 'datasync' && path.endsWith('.wal') ? { error: systemError('EIO') } : null,
      );
      const replica = await recordedReplica(dataDir, {
        files,
        walSource: scriptedSource(() => ({ chunks: () => chunked(wal, 100) })),
      });
      await halted(replica);
      await replica.stop();
      return dataDir;
    },
  },
  {
    name: 'primary-write-failed',
    title: 'F-D1: a commit of a primary that cannot be written',
    ending: haltedBy('STORAGE_FAILED', null),
    record: async () => {
      const dataDir = await temporaryDirectory();
      let isFull = false;
      const files = faultyFileSystem((operation, path) =>
        isFull && operation === 'append' && path.endsWith('.wal') ? { error: systemError('ENOSPC') } : null,
      );
      const primary = await recordedPrimary(dataDir, { files });
      await primary.commit([put('a', '1')]);
      isFull = true;
      await rejection(primary.commit([put('b', '2')]));
      await primary.stop();
      return dataDir;
    },
  },
  {
    name: 'foreign-snapshot',
    title: 'F-S4: a bootstrap from a snapshot of another cluster',
    ending: haltedBy('CLUSTER_FOREIGN', 'P5-I8 snapshotIsOfOurCluster'),
    record: async () => {
      const { url } = await primaryWithSnapshot();
      const dataDir = await temporaryDirectory();
      const replica = await recordedReplica(
        dataDir,
        {
          walSource: alteredSource(url, (source) => ({
            snapshotManifest: async (id) => {
              const answer = await source.snapshotManifest(id);
              if (answer.kind !== 'bytes') return answer;
              const decoded = decodeManifest(answer.bytes);
              if (decoded.state !== 'intact') throw new Error('the manifest is intact');
              return {
                kind: 'bytes',
                bytes: encodeManifest({ ...decoded.manifest, clusterId: OTHER_CLUSTER }),
              };
            },
          })),
        },
        { bootstrap: 'snapshot', clusterId: CLUSTER },
      );
      await halted(replica);
      await replica.stop();
      return dataDir;
    },
  },
  {
    name: 'bootstrap',
    title: 'P5-I8, P5-I9: a bootstrap that succeeds, and the WAL behind the cut',
    ending: ended,
    record: async () => {
      const { primary, url } = await primaryWithSnapshot();
      const dataDir = await temporaryDirectory();
      const replica = await recordedReplica(
        dataDir,
        { walSource: alteredSource(url, () => ({})) },
        { bootstrap: 'snapshot' },
      );
      await appliedLsn(replica, primary.position()?.lsn ?? 0);
      await replica.stop();
      return dataDir;
    },
  },
  {
    name: 'torn-tail',
    title: 'P5-I11: a recovery that discards a torn tail, and begins the stream there again',
    ending: ended,
    record: async () => {
      const wal = await recordedWal(4);
      const dataDir = await temporaryDirectory();
      const source = { walSource: scriptedSource(() => ({ chunks: (from) => chunked(wal, 100, from.lsn) })) };
      const first = await recordedReplica(dataDir, source);
      await appliedCommit(first, 4);
      await first.stop();
      await appendFile(join(dataDir, 'wal', '00000000000000000000.wal'), wal.subarray(96, 150));
      const second = await recordedReplica(dataDir, { ...source, newUuid: () => SECOND_RUN });
      await until(second, inState('replicating.ingesting.receiving'));
      await second.stop();
      return dataDir;
    },
  },
  {
    name: 'detach-attach',
    title: 'F-N1: a stream that is lost, and one that is attached behind it',
    ending: ended,
    record: async () => {
      const wal = await recordedWal(6);
      const half = unitsOf(wal)[4]?.lsn ?? 0;
      const dataDir = await temporaryDirectory();
      const replica = await recordedReplica(dataDir, {
        walSource: scriptedSource((attachment) =>
          attachment === 1
            ? { chunks: () => chunked(wal.subarray(0, half), 70), ends: true }
            : { chunks: (from) => chunked(wal, 70, from.lsn) },
        ),
      });
      await detached(replica);
      await appliedLsn(replica, half);
      replica.attach();
      await appliedCommit(replica, 6);
      await replica.stop();
      return dataDir;
    },
  },
];

async function haltedOn(chunks: () => ReturnType<typeof chunked>): Promise<string> {
  const dataDir = await temporaryDirectory();
  const replica = await recordedReplica(dataDir, { walSource: scriptedSource(() => ({ chunks })) });
  await halted(replica);
  await replica.stop();
  return dataDir;
}

async function primaryWithSnapshot() {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    clusterId: CLUSTER,
    listen: '127.0.0.1:0',
    replication: 'enabled',
  });
  for (const id of ['a', 'b', 'c']) await primary.commit([put(id, '1')]);
  await primary.createSnapshot();
  await primary.commit([put('d', '1')]);
  return { primary, url: primary.url as string };
}
