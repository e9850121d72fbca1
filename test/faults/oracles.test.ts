/** The oracles of this room have each been seen to fail: on a disk that lies, with an engine that hears nothing. */
import { describe, expect, test } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { decodeIndexValue, commitIdOfKey } from '../../src/core/storage/index-entry.ts';
import { operationCrc } from '../../src/core/wal/operation.ts';
import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import { answersOf } from './answers.ts';
import { follows, writing, type Attempt } from './attempts.ts';
import { FailingDisk, type Failure } from './failing-disk.ts';
import { failOnce } from './io-errors.ts';
import { INDEX } from './rot.ts';
import { standingPrimary } from './scenarios-replica.ts';
import { commitOf, HOME, primaryOn } from './simulated-nodes.ts';

const NOTHING_FAILS: Failure = { at: 0, code: 'EIO', lasts: 'once', done: 'nothing' };

function withHandles(files: FileSystem, handle: (given: FileHandle) => FileHandle): FileSystem {
  return { ...files, open: async (path, mode) => handle(await files.open(path, mode)) };
}

/** The run on other files than the disk's own; recovery is on the disk itself. */
function on<Told>(attempt: Attempt<Told>, files: (given: FileSystem) => FileSystem): Attempt<Told> {
  return {
    ...attempt,
    run: (failing, told) => {
      Object.assign(failing.disk, { files: files(failing.disk.files) });
      return attempt.run(failing, told);
    },
  };
}

const neverSyncing = (given: FileSystem) =>
  withHandles(given, (handle) => ({ ...handle, datasync: () => Promise.resolve() }));
const neverSyncingNames = (given: FileSystem): FileSystem => ({
  ...given,
  syncDirectory: () => Promise.resolve(),
});
const deaf = (work: Promise<void>) => work.catch(() => undefined);
const deafToErrors = (given: FileSystem): FileSystem =>
  withHandles(given, (handle) => ({
    ...handle,
    append: (parts) => deaf(handle.append(parts)),
    datasync: () => deaf(handle.datasync()),
  }));

describe('what is acknowledged and not synced is missed', () => {
  test.each([
    ['bytes', neverSyncing],
    ['names', neverSyncingNames],
  ])('%s of a primary', async (_what, files) => {
    const prepared = await writing.scenario.before();
    await expect(failOnce(on(writing, files), prepared, NOTHING_FAILS)).rejects.toThrow(
      'only what was synced survives',
    );
  });

  test.each([
    ['bytes', neverSyncing],
    ['names', neverSyncingNames],
  ])('%s of a replica', async (_what, files) => {
    const attempt = follows(await standingPrimary(3, 0), 'wal');
    const prepared = await attempt.scenario.before();
    await expect(failOnce(on(attempt, files), prepared, NOTHING_FAILS)).rejects.toThrow(
      'only what was synced survives',
    );
  });
});

describe('an error that nobody hears is heard by the oracle', () => {
  const numbersOf = async <Told>({ scenario, run }: Attempt<Told>, name: string) => {
    const whole = new FailingDisk(await scenario.before(), NOTHING_FAILS);
    await run(whole, scenario.tell());
    return whole.disk.operations
      .filter((one) => one.name === name && one.path.startsWith(`${HOME}/wal/`))
      .map(({ number }) => number);
  };

  test.each(['append', 'datasync'])('of %s, by a primary', async (name) => {
    const at = (await numbersOf(writing, name)).at(-1) as number;
    const failure: Failure = { at, code: 'EIO', lasts: 'once', done: 'nothing' };
    const prepared = await writing.scenario.before();
    await expect(failOnce(on(writing, deafToErrors), prepared, failure)).rejects.toThrow(
      'is acknowledged after a failure',
    );
  });

  test('of datasync, by a replica', async () => {
    const attempt = follows(await standingPrimary(3, 0), 'wal');
    // Not the last one: the replica may have caught up before it.
    const at = (await numbersOf(attempt, 'datasync')).at(1) as number;
    const failure: Failure = { at, code: 'ENOSPC', lasts: 'once', done: 'nothing' };
    const prepared = await attempt.scenario.before();
    await expect(failOnce(on(attempt, deafToErrors), prepared, failure)).rejects.toThrow(
      'nothing failed where nothing is said',
    );
  });
});

describe('a wrong answer is seen', () => {
  async function stopped() {
    const disk = new SimulatedDisk();
    const primary = await primaryOn(disk);
    for (let commitId = 1; commitId <= 4; commitId += 1) {
      await primary.commit(commitOf(commitId));
      if (commitId === 2) await primary.createSnapshot();
    }
    await primary.stop();
    return disk.after(EVERYTHING);
  }
  const firstEntry = (disk: SimulatedDisk) => {
    const [key, value] = [...disk.indexEntries(INDEX)].find(([name]) => name.charCodeAt(0) === 1) as [
      string,
      Buffer,
    ];
    return { key, value };
  };

  test('where a record was forged with a checksum that is right', async () => {
    const disk = await stopped();
    const { key, value } = firstEntry(disk);
    const place = decodeIndexValue(Buffer.from(key, 'latin1'), value);
    if (place === null) throw new Error('the entry is intact');
    disk.damage(`${HOME}/wal/00000000000000000000.wal`, (bytes) => {
      const record = bytes.subarray(place.offset, place.offset + place.bytes);
      record[record.length - 1] = (record.at(-1) as number) ^ 1;
      const crc = operationCrc(
        commitIdOfKey(Buffer.from(key, 'latin1')),
        record[0] as number,
        record.subarray(12),
      );
      record.writeUInt32LE(crc, 8);
      return bytes;
    });
    const primary = await primaryOn(disk);
    await expect(answersOf(primary, 4)).rejects.toThrow('a wrong answer');
    await primary.stop();
  });

  test('known limit: an entry that an index store loses is missed by reads, which only it could know of', async () => {
    const disk = await stopped();
    disk.damageIndex(INDEX, firstEntry(disk).key, () => null);
    const primary = await primaryOn(disk);
    await expect(answersOf(primary, 4)).rejects.toThrow('a wrong answer');
    await primary.stop();
  });

  test('P5-I11: a checkpoint that is gone refuses the start', async () => {
    const disk = await stopped();
    const key = [...disk.indexEntries(INDEX).keys()].find((name) => name.charCodeAt(0) === 0) as string;
    disk.damageIndex(INDEX, key, () => null);
    await expect(primaryOn(disk)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
  });
});
