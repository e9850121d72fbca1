import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DemoFailure } from '../failure.ts';
import { LIMIT_UNIT_BYTES } from '../processes.ts';
import { SEGMENT_BYTES_MAX, titleOf, type Fleet, type ReplicaName } from '../fleet.ts';
import { isHalted, seen, told } from '../seen.ts';
import { walOnDisk } from '../wal-bytes.ts';
import { matrix, type Action } from './action.ts';
import { unlessFollowing } from './reasons.ts';
import { settles } from './settled.ts';

const MIB = 1024 * 1024;
/** A start may write an index file as large as this one is; below it the limit could be met by the start already. */
const INDEX_LOG_BYTES_MAX = MIB;
const LIMIT_BYTES_MIN = 2.5 * MIB;
/** What a replica can still write before it meets the limit. */
const ROOM_BYTES = MIB / 8;
/** Below the size at which a segment is sealed: the limit is met in the middle of one. */
const LIMIT_BYTES_MAX = SEGMENT_BYTES_MAX - MIB / 2;
const FILLER_BYTES = 32 * 1024;
/** A segment and a half: what is committed then has met any limit of this size. */
const FILLERS_MAX = (1.5 * SEGMENT_BYTES_MAX) / FILLER_BYTES;
const FILLERS_PER_REQUEST = 8;

/** A replica runs into a limit on what it may write: the operating system's own, as it is set for any process. */
export function fillQuota(name: ReplicaName, key: string): Action {
  return {
    id: `fill-quota-${name}`,
    key,
    title: `Fill the disk quota of ${titleOf(name)}`,
    description: `${titleOf(name).replace(/^r/, 'R')} is started again under a limit on the size of its files (ulimit -f), which needs no special rights, and the primary commits until a write of the replica fails: the system refuses it with EFBIG, where a full disk would say ENOSPC. ${matrix('F-D1')}`,
    reason: (situation) =>
      process.platform === 'win32'
        ? 'this system has no limit on the size of files that a shell could set'
        : unlessFollowing(situation, name),
    run: async ({ fleet, workload }) => {
      const limit = await restartLimited(fleet, name);
      let fillers = 0;
      while (!isHalted(await seen(fleet, name))) {
        if (fillers >= FILLERS_MAX)
          throw new DemoFailure(`${titleOf(name)} took ${fillers * FILLER_BYTES} bytes and met no limit`);
        await workload.fill(FILLERS_PER_REQUEST, FILLER_BYTES);
        fillers += FILLERS_PER_REQUEST;
        await settledOrApplied(fleet, name);
      }
      return `No file of it may be larger than ${limit} bytes. ${await told(fleet, name)}`;
    },
  };
}

/** Starts a replica under a limit that it meets soon, but not at its start. */
async function restartLimited(fleet: Fleet, name: ReplicaName): Promise<number> {
  const { directory } = fleet.of(name);
  await fleet.processes.end(name);
  if ((await largestIndexLog(directory)) > INDEX_LOG_BYTES_MAX) {
    // A start turns the log of the index into tables, and leaves a small one.
    await fleet.startReplica(name);
    await settles(fleet, name);
    await fleet.processes.end(name);
  }
  const segment = (await walOnDisk(directory)).segments.at(-1)?.bytes ?? 0;
  const wanted = Math.min(Math.max(segment, LIMIT_BYTES_MIN) + ROOM_BYTES, LIMIT_BYTES_MAX);
  const limit = Math.ceil(wanted / LIMIT_UNIT_BYTES) * LIMIT_UNIT_BYTES;
  await fleet.startReplica(name, { fileBytesMax: limit });
  await settles(fleet, name);
  return limit;
}

async function largestIndexLog(directory: string): Promise<number> {
  const index = join(directory, 'index');
  const logs = (await readdir(index)).filter((file) => file.endsWith('.log'));
  const sizes = await Promise.all(logs.map(async (file) => (await stat(join(index, file))).size));
  return Math.max(0, ...sizes);
}

/** Waits until what was committed is applied, or the replica has halted over it. */
async function settledOrApplied(fleet: Fleet, name: ReplicaName): Promise<void> {
  try {
    await fleet.caughtUp(name);
  } catch (error) {
    if (!(error instanceof DemoFailure) || (await seen(fleet, name)).failure === null) throw error;
    await settles(fleet, name);
  }
}
