/** All journals of a directory tell of one chart, one node and one cluster; and what is no regular file is none of them. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { flightFileName } from '../../src/core/flight/file-name.ts';
import { UNBOUND_CLUSTER } from '../../src/core/identity.ts';
import {
  fixturePath,
  flightNames,
  forgedVerdict,
  journalOf,
  newestFlight,
  recordedPrimary,
  recordedReplica,
  recordsOf,
  replayed,
  SECOND_RUN,
} from '../support/flights.ts';
import {
  afterTest,
  CLUSTER,
  NODE,
  OTHER_CLUSTER,
  put,
  startPrimary,
  startReplica,
  temporaryDirectory,
} from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';

const OTHER_NODE = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';

/** A directory of these journals, in this order. */
async function directoryOf(...journals: readonly Buffer[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [index, journal] of journals.entries())
    await writeFile(join(directory, flightFileName(index + 1)), journal);
  return directory;
}

const fixture = (name: string) => readFile(fixturePath(name));

/** A fixture whose header says something else of the node. */
async function headed(name: string, header: object): Promise<readonly object[]> {
  const [first, ...rest] = recordsOf(await fixture(name));
  return [{ ...first, ...header }, ...rest];
}

describe('P5-I1: journals of one directory are of one node', () => {
  const journalOfPrimary = async (ids: { readonly clusterId: string; readonly nodeId: string }) => {
    const dataDir = await temporaryDirectory();
    const options = { dataDir, ...ids, flightRecorder: 'enabled' } as const;
    const primary = await startPrimary(options, { newUuid: () => SECOND_RUN });
    await primary.commit([put('k', 'v')]);
    await primary.stop();
    return newestFlight(dataDir);
  };

  test.each([
    ['node_id', { clusterId: CLUSTER, nodeId: OTHER_NODE }, NODE, OTHER_NODE],
    ['cluster_id', { clusterId: OTHER_CLUSTER, nodeId: NODE }, CLUSTER, OTHER_CLUSTER],
  ])('another %s is a difference, in the file that has it', async (what, ids, expected, found) => {
    const others = await journalOfPrimary(ids);
    const own = await journalOfPrimary({ clusterId: CLUSTER, nodeId: NODE });
    const first = await fixture('primary-write-failed');
    expect(await replayed(await directoryOf(first, own))).toMatchObject({ verdict: 'same', runs: 2 });
    expect(await replayed(await directoryOf(first, others))).toMatchObject({
      verdict: 'different',
      runs: 1,
      difference: { file: flightFileName(2), line: 1, record: 1, what, expected, found },
      final: { chart: 'primary', state: 'stopped.closed' },
    });
  });

  test('so is another chart', async () => {
    const directory = await directoryOf(await fixture('torn-tail'), await fixture('primary-write-failed'));
    expect(await replayed(directory)).toMatchObject({
      verdict: 'different',
      difference: { file: flightFileName(2), what: 'chart', expected: 'node', found: 'primary' },
    });
  });

  test('a chart that this program does not have is told by its name', async () => {
    expect(await forgedVerdict(await headed('gap', { chart: 'toString' }))).toMatchObject({
      verdict: 'different',
      difference: { what: 'chart', expected: 'node or primary', found: 'toString' },
    });
  });

  test.each([
    ['node_id', OTHER_NODE, NODE],
    ['cluster_id', OTHER_CLUSTER, CLUSTER],
  ])('a header with another %s than the one that the chart finds', async (what, expected, found) => {
    expect(await forgedVerdict(await headed('gap', { [what]: expected }))).toMatchObject({
      verdict: 'different',
      difference: { what, expected, found, event: 'xstate.done.actor.claimIdentity' },
    });
  });

  test('what a header does not know is learned from the chart', async () => {
    const unknown = await headed('torn-tail', { node_id: null, cluster_id: null });
    expect(await forgedVerdict(unknown)).toMatchObject({ verdict: 'same' });
    const behind = journalOf(await headed('gap', { cluster_id: OTHER_CLUSTER }));
    expect(await replayed(await directoryOf(journalOf(unknown), behind))).toMatchObject({
      difference: { file: flightFileName(2), what: 'cluster_id', expected: CLUSTER, found: OTHER_CLUSTER },
    });
  });

  test('a cluster is found once: from none to one, and not back', async () => {
    const none = { cluster_id: UNBOUND_CLUSTER };
    expect(await forgedVerdict(await headed('torn-tail', none))).toMatchObject({ verdict: 'same' });
    const back = journalOf(await headed('gap', none));
    expect(await replayed(await directoryOf(await fixture('torn-tail'), back))).toMatchObject({
      difference: { what: 'cluster_id', expected: CLUSTER, found: UNBOUND_CLUSTER },
    });
  });

  test('a replica that was started without a cluster, and finds one later, is the same node', async () => {
    const dataDir = await temporaryDirectory();
    const off = await startReplica({ dataDir, nodeId: NODE, primaryUrl: 'http://127.0.0.1:1' });
    expect(off.snapshot().context.identity).toMatchObject({ clusterId: UNBOUND_CLUSTER });
    await off.stop();
    const wal = await recordedWal(2);
    const walSource = scriptedSource(() => ({ chunks: (from) => chunked(wal, 500, from.lsn) }));
    const on = await recordedReplica(dataDir, { walSource });
    await appliedLsn(on, wal.length);
    await on.stop();
    expect(recordsOf(await newestFlight(dataDir))[0]).toMatchObject({ cluster_id: CLUSTER });
    expect(await replayed(dataDir)).toMatchObject({ verdict: 'same', ended: 1 });
  });
});

describe('only regular files are files of a journal', () => {
  /** A socket stands there as long as the test runs. */
  async function socketAt(path: string): Promise<void> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    afterTest(() => new Promise((resolve) => server.close(resolve)));
  }

  test('P5-I5: a replay does not look at anything else with such a name', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, flightFileName(7)));
    await socketAt(join(directory, flightFileName(8)));
    await expect(replayed(directory)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(replayed(join(directory, flightFileName(8)))).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    await copyFile(fixturePath('gap'), join(directory, flightFileName(3)));
    expect(await replayed(directory)).toMatchObject({ verdict: 'same', files: 1, runs: 1 });
  });

  test('P5-I11: nor does a recorder; one in the place of its next file is a fault that it tells of', async () => {
    const dataDir = await temporaryDirectory();
    const flight = join(dataDir, 'flight');
    await mkdir(join(flight, flightFileName(2)), { recursive: true });
    const errors: unknown[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => void errors.push(JSON.parse(line)) });
    await (await recordedPrimary(dataDir, { logger })).stop();
    expect(errors).toEqual([]);
    expect(await flightNames(dataDir)).toEqual([flightFileName(1), flightFileName(2)]);
    await (await recordedPrimary(dataDir, { logger, newUuid: () => SECOND_RUN })).stop();
    expect(errors).toMatchObject([{ error: { code: 'EEXIST' } }]);
    expect(await readdir(join(flight, flightFileName(2)))).toEqual([]);
    expect(await replayed(dataDir)).toMatchObject({ verdict: 'same', files: 1, runs: 1, ended: 1 });
  });
});
