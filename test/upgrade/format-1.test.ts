import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Position } from '../../src/index.ts';
import { cli } from '../support/cli.ts';
import { CLUSTER, del, NODE, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, detached, halted, scriptedReplica } from '../support/replicas.ts';
import { chunked, recordedWal } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

/**
 * Directories that a program of format 1 has left. They are never made anew: whatever is released later opens these. (They were made
 * by `UPDATE_FORMAT=1 npx vitest run test/upgrade`, which is how those of a next format are made, beside them.)
 */
const FIXTURES = fileURLToPath(new URL('../fixtures/format-1', import.meta.url));
const COMMITS = 9;
const CUT = 5;
/** The SHA-256 of all versions, as the program that made them gave it. */
const DIGEST = '76e6db551b50ded6af0d274c3d92c8b2920f0dd5bdb83c7b493a4253ed1674e8';

async function copied(name: 'primary' | 'replica' | 'from-snapshot' | 'halted'): Promise<string> {
  const directory = join(await temporaryDirectory(), name);
  await cp(join(FIXTURES, name), directory, { recursive: true });
  return directory;
}

const unreachable = { primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' } as const;

async function makeFixtures(): Promise<void> {
  await rm(FIXTURES, { recursive: true, force: true });
  await mkdir(FIXTURES, { recursive: true });
  const primary = await startPrimary({
    dataDir: join(FIXTURES, 'primary'),
    listen: '127.0.0.1:0',
    replication: 'enabled',
    clusterId: CLUSTER,
    nodeId: NODE,
  });
  for (let n = 1; n <= COMMITS; n += 1) {
    await primary.commit([
      put(`id-${n % 4}`, `{"n":${n}}`),
      ...(n % 3 === 0 ? [del(`id-${(n + 1) % 4}`)] : []),
    ]);
    if (n === CUT) await primary.createSnapshot();
  }
  for (const [name, bootstrap] of [
    ['replica', 'wal'],
    ['from-snapshot', 'snapshot'],
  ] as const) {
    const replica = await startReplica({
      dataDir: join(FIXTURES, name),
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap,
    });
    await appliedCommit(replica, COMMITS);
    await replica.stop();
  }
  await primary.stop();
  const wal = await recordedWal(3);
  const { replica } = await scriptedReplica(
    () => ({ chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 500) }),
    join(FIXTURES, 'halted'),
  );
  await halted(replica);
  await replica.stop();
}

if (process.env['UPDATE_FORMAT'] !== undefined) await makeFixtures();

/** Every document of a node, at every view that it holds. */
async function everything(
  node: Awaited<ReturnType<typeof startPrimary>> | Awaited<ReturnType<typeof startReplica>>,
  from: number,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let at = from; at <= COMMITS; at += 1)
    await node.read(
      async (view) => {
        for await (const { id, commitId, document } of view.scan('c'))
          lines.push(`${at}: ${id.toString()} of ${commitId} ${document.toString()}`);
      },
      { at },
    );
  return lines;
}

/** What the commits above have made, worked out by hand. */
function expected(from: number): readonly string[] {
  const state = new Map<string, string>();
  const lines: string[] = [];
  for (let n = 1; n <= COMMITS; n += 1) {
    state.set(`id-${n % 4}`, `of ${n} {"n":${n}}`);
    if (n % 3 === 0) state.delete(`id-${(n + 1) % 4}`);
    if (n >= from)
      lines.push(
        ...[...state]
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .map(([id, text]) => `${n}: ${id} ${text}`),
      );
  }
  return lines;
}

describe('P5-I1, P5-I11: files of format 1', () => {
  test('of a primary: all history is there, in the same bytes, and goes on', async () => {
    const dataDir = await copied('primary');
    const primary = await startPrimary({ dataDir });
    expect(primary.identity).toMatchObject({ clusterId: CLUSTER, nodeId: NODE });
    expect(await everything(primary, 1)).toEqual(expected(1));
    expect((await primary.read((view) => view.stateDigest())).sha256).toBe(DIGEST);
    expect((await primary.commit([put('new', '1')])).commitId).toBe(COMMITS + 1);
    await primary.stop();
    for (const what of ['wal', 'snapshot'])
      expect((await cli([what, 'verify', '--data', dataDir])).exit).toBe(0);
  });

  test.each([
    ['replica', 0],
    ['from-snapshot', CUT],
  ] as const)('of a %s: it serves what it holds, and follows a primary of today', async (name, from) => {
    const primary = await startPrimary({
      dataDir: await copied('primary'),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    const dataDir = await copied(name);
    const alone = await startReplica({ dataDir, ...unreachable });
    await detached(alone);
    expect(await everything(alone, Math.max(1, from))).toEqual(expected(Math.max(1, from)));
    await alone.stop();
    const replica = await startReplica({ dataDir, ...unreachable, primaryUrl: primary.url as string });
    const position: Position = await primary.commit([put('new', '1')]);
    await appliedCommit(replica, COMMITS + 1);
    const digests = await Promise.all(
      [primary, replica].map((node) => node.read((view) => view.stateDigest(), { position })),
    );
    expect(digests[0]).toEqual(digests[1]);
  });

  test('P5-I10: of a replica that has halted: it stays so, with its evidence, until it is cleared', async () => {
    const dataDir = await copied('halted');
    const replica = await startReplica({ dataDir, ...unreachable });
    expect(replica.status()).toMatchObject({ name: 'ReplicationHalted', halt: { code: 'WAL_CORRUPT' } });
    await replica.stop();
    expect((await readdir(join(dataDir, 'evidence'))).length).toBe(1);
    expect((await cli(['halt', 'clear', '--data', dataDir])).exit).toBe(0);
    const again = await startReplica({ dataDir, ...unreachable });
    await detached(again);
    expect(await again.read(async (view) => view.commitId)).toBe(2);
  });
});
