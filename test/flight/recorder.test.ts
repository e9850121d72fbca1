import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { HostPorts } from '../../src/api/node-host.ts';
import { FLIGHT_BYTES_MIN } from '../../src/core/limits.ts';
import type { FileSystem } from '../../src/io/file-system.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { recordChart } from '../support/chart-coverage.ts';
import { faultyFileSystem, systemError, type FileOperation } from '../support/faulty-file-system.ts';
import { fingerprint } from '../support/files.ts';
import {
  fedUnitByUnit,
  flightNames,
  newestFlight,
  recordedPrimary,
  recordedReplica,
  recordsOf,
  replayed,
  RUN,
  SECOND_RUN,
} from '../support/flights.ts';
import {
  CLUSTER,
  NODE,
  OTHER_CLUSTER,
  put,
  rejection,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedCommit, appliedLsn, detached, halted } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

const fed = (wal: Buffer, bytes = 100) => ({
  walSource: scriptedSource(() => ({ chunks: (from) => chunked(wal, bytes, from.lsn) })),
});

test('a replica that follows a real primary, loses it, and is stopped: the replay says the same', async () => {
  const primaryDir = await temporaryDirectory();
  const ids = { dataDir: primaryDir, clusterId: CLUSTER, replication: 'enabled' } as const;
  const primary = await startPrimary({ ...ids, listen: '127.0.0.1:0' });
  const dataDir = await temporaryDirectory();
  const replica = await recordedReplica(dataDir, {}, { primaryUrl: primary.url as string });
  for (let n = 1; n <= 30; n += 1) await primary.commit([put(`k${n}`, `v${n}`)]);
  await appliedCommit(replica, 30);
  await primary.stop();
  await detached(replica);
  replica.attach();
  await detached(replica);
  await replica.stop();
  const found = await replayed(dataDir);
  expect(found).toMatchObject({ verdict: 'same', files: 1, runs: 1, ended: 1, gaps: 0, lost: 0 });
  expect(found.final).toMatchObject({ chart: 'node', run: RUN, state: 'stopped.closed', halt: null });
  const steps = recordsOf(await newestFlight(dataDir)).filter(({ type }) => type === 'step');
  expect(steps).toHaveLength(found.steps);
  // Numbers as in /v1/events: every transition is there, once.
  const numbers = steps.flatMap(({ moves }) =>
    (moves as { sequence: number }[]).map((move) => move.sequence),
  );
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('P5-I16: disabled, nothing is written; enabled, everything else is written as without it', async () => {
  const wal = await recordedWal(5);
  const damaged = flipped(wal, (wal.length - 9) * 8);
  const run = async (flightRecorder: 'enabled' | 'disabled') => {
    const dataDir = await temporaryDirectory();
    const replica = await recordedReplica(dataDir, fed(damaged, 4096), { flightRecorder });
    await halted(replica);
    await replica.stop();
    return fingerprint(dataDir);
  };
  const [off, on] = [await run('disabled'), await run('enabled')];
  expect(Object.keys(off)).toEqual(expect.arrayContaining(['halt', 'identity']));
  expect(Object.keys(on).filter((name) => !(name in off))).toEqual(['flight/00000000000000000001.flight']);
  expect(Object.fromEntries(Object.entries(on).filter(([name]) => !name.startsWith('flight/')))).toEqual(off);
});

describe('the bound', () => {
  test('what the files take never exceeds it, and every file can be replayed alone', async () => {
    const wal = await recordedWal(400);
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'flight'));
    await writeFile(join(dataDir, 'flight', 'notes.txt'), 'kept');
    // What an earlier run left under a larger bound.
    await writeFile(
      join(dataDir, 'flight', '00000000000000000004.flight'),
      Buffer.alloc(2 * FLIGHT_BYTES_MIN),
    );
    const taken: number[] = [];
    const files = afterEachChange(join(dataDir, 'flight'), async (names) => {
      const sizes = await Promise.all(names.map(async (name) => (await stat(name)).size));
      taken.push(sizes.reduce((sum, size) => sum + size, 0));
    });
    const options = { flightRecorderBytes: FLIGHT_BYTES_MIN };
    const replica = await recordedReplica(dataDir, { ...fedUnitByUnit(wal), files }, options);
    await appliedCommit(replica, 400);
    await replica.stop();
    expect(Math.max(...taken)).toBeLessThanOrEqual(FLIGHT_BYTES_MIN);
    expect(Math.max(...taken)).toBeGreaterThan(FLIGHT_BYTES_MIN * 0.75);
    const names = (await flightNames(dataDir)).filter((name) => name !== 'notes.txt');
    expect(names.length).toBeGreaterThan(5);
    expect(Number(names[0]?.slice(0, 20))).toBeGreaterThan(5);
    expect(await replayed(dataDir)).toMatchObject({
      verdict: 'same',
      files: names.length,
      runs: 1,
      ended: 1,
      lost: 0,
    });
    for (const name of names) {
      const found = await replayed(join(dataDir, 'flight', name));
      expect([name, found.verdict, found.difference]).toEqual([name, 'same', null]);
    }
    // Another run goes on behind, and makes room for itself.
    const second = await recordedReplica(dataDir, { ...fed(wal), newUuid: () => SECOND_RUN }, options);
    await appliedCommit(second, 400);
    await second.stop();
    expect(await replayed(dataDir)).toMatchObject({ verdict: 'same', runs: 2, ended: 2 });
    expect(await readFile(join(dataDir, 'flight', 'notes.txt'), 'utf8')).toBe('kept');
  });

  test('a file that is missing, or is another’s, is seen', async () => {
    const wal = await recordedWal(90);
    const dataDir = await temporaryDirectory();
    const replica = await recordedReplica(dataDir, fedUnitByUnit(wal), {
      flightRecorderBytes: FLIGHT_BYTES_MIN,
    });
    await appliedCommit(replica, 90);
    await replica.stop();
    const names = await flightNames(dataDir);
    expect(names.length).toBeGreaterThan(3);
    const read = (index: number) => readFile(join(dataDir, 'flight', names[index] as string));
    const journalOf = async (indexes: readonly number[], numbers = indexes) => {
      const directory = await temporaryDirectory();
      for (const [place, index] of indexes.entries())
        await writeFile(join(directory, names[numbers[place] as number] as string), await read(index));
      return replayed(directory);
    };
    expect(await journalOf([0, 1, 2])).toMatchObject({ verdict: 'same', files: 3 });
    expect(await journalOf([1, 2])).toMatchObject({ verdict: 'same', files: 2, runs: 1 });
    expect(await journalOf([0, 2])).toMatchObject({ verdict: 'damaged', damage: { file: names[2] } });
    expect(await journalOf([0, 2, 1], [0, 1, 2])).toMatchObject({
      verdict: 'damaged',
      damage: { file: names[1] },
    });
    expect(await journalOf([0, 0], [0, 1])).toMatchObject({ verdict: 'damaged', damage: { file: names[1] } });
  });
});

describe('F-D1: a fault of the recorder stops the recorder, loudly, and not the node', () => {
  test.each<[FileOperation, number]>([
    ['makeDirectory', 1],
    ['syncDirectory', 1],
    ['open', 1],
    ['append', 1],
    ['append', 4],
    ['datasync', 1],
    ['remove', 1],
  ])('%s fails at the %i. time', async (failing, at) => {
    const wal = await recordedWal(failing === 'remove' ? 400 : 6);
    const dataDir = await temporaryDirectory();
    let seen = 0;
    const files = faultyFileSystem((operation, path) => {
      const isOurs = operation === failing && path.includes(`${dataDir}/flight`);
      if (isOurs) seen += 1;
      return isOurs && seen === at ? { error: systemError('EIO') } : null;
    });
    const lines: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    const replica = await recordedReplica(
      dataDir,
      { ...fedUnitByUnit(wal), files, logger },
      { flightRecorderBytes: FLIGHT_BYTES_MIN },
    );
    await appliedLsn(replica, wal.length);
    expect(replica.snapshot().context.halt).toBeNull();
    await replica.stop();
    expect(seen).toBeGreaterThanOrEqual(at);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      error: { code: 'EIO' },
      msg: 'the flight recorder has stopped: nothing is recorded any more; the node goes on',
    });
    if (failing !== 'makeDirectory' && failing !== 'syncDirectory' && failing !== 'open')
      expect(['same', 'torn']).toContain((await replayed(dataDir)).verdict);
  });
});

describe('whose directory it is not, is not written to', () => {
  const startOf = (dataDir: string, options: object) =>
    startReplica({
      dataDir,
      primaryUrl: 'http://127.0.0.1:1',
      replication: 'enabled',
      flightRecorder: 'enabled',
      ...options,
    });

  test('P5-I1: a start that is refused leaves the directory as it was', async () => {
    const primaryDir = await temporaryDirectory();
    await (await recordedPrimary(primaryDir)).stop();
    const before = await fingerprint(primaryDir, /^$/);
    expect(await rejection(startOf(primaryDir, {}))).toMatchObject({ code: 'ROLE_CHANGED' });
    expect(await rejection(startOf(primaryDir, { clusterId: OTHER_CLUSTER }))).toBeInstanceOf(Error);
    expect(await fingerprint(primaryDir, /^$/)).toEqual(before);
  });

  test('P5-I13: nor one that another process runs in', async () => {
    const dataDir = await temporaryDirectory();
    const running = await recordedPrimary(dataDir);
    const again = await rejection(startPrimary({ dataDir, nodeId: NODE, flightRecorder: 'enabled' }));
    expect(again).toBeInstanceOf(Error);
    expect(await flightNames(dataDir)).toHaveLength(1);
    await running.stop();
    expect(await replayed(dataDir)).toMatchObject({ verdict: 'same', runs: 1, ended: 1 });
  });

  test('P5-I10: a start that finds a recorded halt rests, and leaves the journal of the halt the newest', async () => {
    const wal = await recordedWal(3);
    const dataDir = await temporaryDirectory();
    const ports = fed(flipped(wal, (wal.length - 9) * 8));
    const first = await recordedReplica(dataDir, ports);
    await halted(first);
    await first.stop();
    const second = await recordedReplica(dataDir, ports);
    await halted(second);
    await second.stop();
    expect(await flightNames(dataDir)).toHaveLength(1);
    expect((await replayed(dataDir)).final?.halt).toMatchObject({ rule: 'P5-I5 checksumMatches' });
  });

  test('P5-I11: journals alone do not make a directory somebody’s', async () => {
    const dataDir = await temporaryDirectory();
    await mkdir(join(dataDir, 'flight'));
    await writeFile(join(dataDir, 'flight', '00000000000000000007.flight'), 'of an earlier node');
    await (await recordedPrimary(dataDir)).stop();
    expect(await flightNames(dataDir)).toEqual([
      '00000000000000000007.flight',
      '00000000000000000008.flight',
    ]);
  });
});

test('P5-I10: a halt is on disk before the node is stopped', async () => {
  const wal = await recordedWal(3);
  const dataDir = await temporaryDirectory();
  const synced: string[] = [];
  const files = faultyFileSystem((operation, path) => {
    if (operation === 'datasync' && path.endsWith('.flight')) synced.push(path);
    return null;
  });
  const replica = await recordedReplica(dataDir, { ...fed(flipped(wal, (wal.length - 9) * 8)), files });
  await halted(replica);
  await vi.waitFor(async () => {
    const found = await replayed(dataDir);
    expect(found.final).toMatchObject({ state: 'halted.resting', halt: { rule: 'P5-I5 checksumMatches' } });
    expect(synced.length).toBeGreaterThan(0);
  });
});

test('what fails inside the recorder is told once, and reaches neither chart nor host', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  onTestFinished(() => warn.mockRestore());
  const wal = await recordedWal(3);
  const dataDir = await temporaryDirectory();
  const errors: unknown[] = [];
  // A host that makes an event tell of itself: what it holds cannot be written as JSON.
  const inspect: HostPorts['inspect'] = (inspection) => {
    recordChart(inspection);
    if (inspection.type === '@xstate.microstep' && inspection.event.type === 'xstate.done.actor.apply')
      (inspection.event as unknown as Record<string, unknown>)['self'] = inspection.event;
  };
  const logger = pino({ level: 'error' }, { write: (line: string) => void errors.push(JSON.parse(line)) });
  const replica = await recordedReplica(dataDir, { ...fed(wal), inspect, logger });
  await appliedLsn(replica, wal.length);
  await replica.stop();
  expect(errors).toMatchObject([{ error: { name: 'TypeError' } }]);
  expect(warn).not.toHaveBeenCalled();
});

/** The real file system, and a look at a directory after each of its changes. */
function afterEachChange(directory: string, look: (paths: readonly string[]) => Promise<void>): FileSystem {
  const looked = async <Value>(path: string, change: Promise<Value>): Promise<Value> => {
    const value = await change;
    if (!path.startsWith(directory)) return value;
    const names = (await readdir(directory)).filter((name) => name.endsWith('.flight'));
    await look(names.map((name) => join(directory, name)));
    return value;
  };
  return {
    ...nodeFileSystem,
    remove: (path) => looked(path, nodeFileSystem.remove(path)),
    open: async (path, mode) => {
      const handle = await looked(path, nodeFileSystem.open(path, mode));
      return {
        read: (buffer, offset) => handle.read(buffer, offset),
        readSync: (buffer, offset) => handle.readSync(buffer, offset),
        append: (parts) => looked(path, handle.append(parts)),
        truncate: (bytes) => handle.truncate(bytes),
        datasync: () => handle.datasync(),
        close: () => handle.close(),
      };
    },
  };
}
