import { appendFile, copyFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { positionToJson } from '../../src/core/position.ts';
import type { Position } from '../../src/index.ts';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { CLUSTER, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, appliedLsn } from '../support/replicas.ts';
import { flipped, forged, unitsOf } from '../support/wal-forge.ts';

interface Verdict {
  readonly verdict: string;
  readonly segments: number;
  readonly commits: number;
  readonly stop: Record<string, unknown> | null;
}

const verify = (dataDir: string) => cliJson<Verdict>(['wal', 'verify', '--data', dataDir]);

/** A stopped primary: three segments, each of three commits but the last, which has two. */
async function stopped() {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER });
  for (let n = 1; n <= 8; n += 1) {
    await primary.commit([put(`k${n}`, `v${n}`)]);
    // A snapshot ends a segment.
    if (n % 3 === 0) await primary.createSnapshot();
  }
  const end = positionToJson(primary.position() as Position);
  await primary.stop();
  const segments = (await readdir(join(dataDir, 'wal'))).sort().map((name) => join(dataDir, 'wal', name));
  return { dataDir, end, segments: segments as [string, string, string] };
}

describe('a clean end', () => {
  test('P5-I5: every unit is proved, and nothing is changed', async () => {
    const { dataDir, end, segments } = await stopped();
    expect(segments.length).toBe(3);
    const before = await fingerprint(dataDir, /^$/);
    const { exit, body, err } = await verify(dataDir);
    expect([exit, err]).toEqual([0, '']);
    expect(JSON.stringify(body)).toBe(
      JSON.stringify({
        verdict: 'clean',
        segments: 3,
        frames: 8,
        commits: 8,
        bytes: end.lsn,
        proven_to: end,
        stop: null,
      }),
    );
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
    expect((await cli(['wal', 'verify', '--data', dataDir])).out).toMatch(/^verdict +clean\nsegments +3\n/);
  });

  test('P5-I14: while the primary runs and writes', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n += 1) await primary.commit([put(`k${n % 50}`, 'v'.repeat(20_000))]);
    })();
    try {
      for (let round = 0; round < 20; round += 1) {
        const { commitId } = primary.position() as Position;
        const { exit, body } = await verify(dataDir);
        expect([exit, body]).toMatchObject([0, { verdict: 'clean' }]);
        expect(body.commits).toBeGreaterThanOrEqual(commitId);
      }
    } finally {
      writing = false;
      await writer;
    }
  });

  test('P5-I9: the WAL of a replica that began with a snapshot', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    for (const id of ['a', 'b']) await primary.commit([put(id, '1')]);
    await primary.createSnapshot();
    await primary.commit([put('c', '1')]);
    const dataDir = await temporaryDirectory();
    const replica = await startReplica({
      dataDir,
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap: 'snapshot',
    });
    await appliedCommit(replica, 3);
    const end = primary.position() as Position;
    await appliedLsn(replica, end.lsn);
    expect(await verify(dataDir)).toMatchObject({
      exit: 0,
      body: { verdict: 'clean', segments: 1, frames: 1, commits: 1, proven_to: positionToJson(end) },
    });
    // Without the base file, nobody can say what the WAL goes on from.
    await rm(join(dataDir, 'base'), { recursive: true });
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: { verdict: 'corrupt', proven_to: null, stop: { kind: 'beginning', expected: { start_lsn: 0 } } },
    });
  });

  test('no WAL yet', async () => {
    const dataDir = await temporaryDirectory();
    await startReplica({ dataDir, primaryUrl: 'http://127.0.0.1:1' });
    expect(await verify(dataDir)).toMatchObject({
      exit: 0,
      body: { verdict: 'clean', segments: 0, proven_to: null },
      err: expect.stringMatching(
        /^there is no WAL: none was received or made yet, or it is missing/,
      ) as string,
    });
  });
});

describe('a torn tail', () => {
  test('P5-I11: the last frame cut at any byte', async () => {
    const { dataDir, end, segments } = await stopped();
    const last = await readFile(segments[2]);
    const frame = unitsOf(last).at(-1) as { lsn: number; bytes: number };
    for (let bytes = 1; bytes < frame.bytes; bytes += 19) {
      await writeFile(segments[2], last.subarray(0, frame.lsn + bytes));
      const { exit, body } = await verify(dataDir);
      expect([bytes, exit, body]).toMatchObject([
        bytes,
        6,
        {
          verdict: 'torn',
          commits: 7,
          stop: {
            kind: 'incomplete',
            rule: 'P5-I11 unitIsWhole',
            byte: frame.lsn,
            lsn: end.lsn - frame.bytes,
            found: { bytes_available: bytes },
            valid_unit_lsn: null,
          },
        },
      ]);
    }
    await truncate(segments[2], frame.lsn);
    expect((await verify(dataDir)).exit).toBe(0);
  });

  test('P5-I11: a segment whose header was never whole, or never begun', async () => {
    const { dataDir, segments } = await stopped();
    for (const bytes of [95, 1, 0]) {
      await truncate(segments[2], bytes);
      expect([bytes, await verify(dataDir)]).toMatchObject([
        bytes,
        { exit: 6, body: { commits: 6, stop: { byte: 0, found: { bytes_available: bytes } } } },
      ]);
    }
  });

  test('P5-I11: garbage behind the last frame, and a last frame that was half written over', async () => {
    const { dataDir, end, segments } = await stopped();
    const last = await readFile(segments[2]);
    await appendFile(segments[2], Buffer.alloc(500, 0xab));
    expect(await verify(dataDir)).toMatchObject({
      exit: 6,
      body: { commits: 8, proven_to: end, stop: { kind: 'invalid', rule: 'P5-I5 unitIsFramed' } },
    });
    await writeFile(segments[2], flipped(last, (last.length - 1) * 8));
    expect(await verify(dataDir)).toMatchObject({
      exit: 6,
      body: { commits: 7, stop: { kind: 'invalid', rule: 'P5-I5 checksumMatches' } },
    });
    const { exit, out } = await cli(['wal', 'verify', '--data', dataDir]);
    expect([exit, out]).toEqual([
      6,
      expect.stringMatching(/^verdict +torn\n[^]*\nrule +P5-I5 checksumMatches\n/),
    ]);
  });
});

describe('corruption', () => {
  test('P5-I11: a flipped bit before the last unit, wherever it is', async () => {
    const { dataDir, segments } = await stopped();
    for (const path of segments) {
      const good = await readFile(path);
      const lastUnit = path === segments[2] ? (unitsOf(good).at(-1) as { lsn: number }).lsn : good.length;
      for (let byte = 0; byte < lastUnit; byte += 23) {
        await writeFile(path, flipped(good, byte * 8 + (byte % 8)));
        const { exit, body } = await verify(dataDir);
        expect([path, byte, exit, body.verdict]).toEqual([path, byte, 5, 'corrupt']);
        expect(body.stop?.['file']).toBe(path.slice(-24));
        expect(body.stop?.['byte']).toBeLessThanOrEqual(byte);
        expect(body.stop?.['valid_unit_lsn']).not.toBeNull();
      }
      await writeFile(path, good);
    }
    expect((await verify(dataDir)).exit).toBe(0);
  });

  test('P5-I4: a last frame that carries its checksum but not its history was not torn', async () => {
    const { dataDir, segments } = await stopped();
    const path = segments[2];
    const good = await readFile(path);
    const { lsn } = unitsOf(good).at(-1) as { lsn: number };
    await writeFile(
      path,
      forged(good, lsn, (unit) => unit.fill(7, 32, 64)),
    );
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: {
        verdict: 'corrupt',
        commits: 7,
        stop: {
          kind: 'invalid',
          rule: 'P5-I4 historyIsContinuous',
          byte: lsn,
          expected: { previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
          found: { previous_hash: '07'.repeat(32) },
        },
      },
    });
  });

  test('P5-I4: a segment of another cluster', async () => {
    const { dataDir, segments } = await stopped();
    const path = segments[1];
    await writeFile(
      path,
      forged(await readFile(path), 0, (unit) => unit.fill(9, 16, 32)),
    );
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: { commits: 3, stop: { rule: 'P5-I4 clusterIsOurs', byte: 0 } },
    });
  });

  test('P5-I4: a segment in the middle is missing', async () => {
    const { dataDir, segments } = await stopped();
    const first = (await readFile(segments[0])).length;
    await rm(segments[1]);
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: {
        verdict: 'corrupt',
        segments: 2,
        commits: 3,
        bytes: first,
        stop: {
          kind: 'discontinuity',
          rule: 'P5-I4 segmentsJoin',
          file: segments[2].slice(-24),
          byte: 0,
          lsn: first,
          expected: { start_lsn: first },
          found: { start_lsn: Number(segments[2].slice(-24, -4)) },
        },
      },
    });
  });

  test('P5-I4: a segment in the middle is too short, too long, or empty', async () => {
    const { dataDir, segments } = await stopped();
    const good = await readFile(segments[1]);
    for (const [bytes, kind] of [
      [good.subarray(0, good.length - 1), 'incomplete'],
      [good.subarray(0, good.length - 72), 'discontinuity'],
      [Buffer.alloc(0), 'discontinuity'],
      [Buffer.concat([good, Buffer.alloc(10)]), 'discontinuity'],
    ] as const) {
      await writeFile(segments[1], bytes);
      const { exit, body } = await verify(dataDir);
      expect([bytes.length, exit, body.verdict, body.stop?.['kind']]).toEqual([
        bytes.length,
        5,
        'corrupt',
        kind,
      ]);
    }
  });

  test('P5-I9: the first segment of a primary is missing', async () => {
    const { dataDir, segments } = await stopped();
    await rm(segments[0]);
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: {
        proven_to: null,
        stop: { kind: 'beginning', byte: 0, found: { start_lsn: expect.any(Number) as number } },
      },
    });
  });

  test('a name that is no segment', async () => {
    const { dataDir, segments } = await stopped();
    await copyFile(segments[0], join(dataDir, 'wal', 'copy.wal'));
    expect(await verify(dataDir)).toMatchObject({
      exit: 5,
      body: { error: { code: 'WAL_CORRUPT', evidence: { file: 'copy.wal' } } },
    });
    await rename(join(dataDir, 'wal', 'copy.wal'), join(dataDir, 'wal', 'copy'));
    expect((await verify(dataDir)).exit).toBe(0);
  });
});

test('usage and help', async () => {
  expect((await cli(['wal', 'verify'])).exit).toBe(2);
  expect((await cli(['wal', 'verify', '--data', join(await temporaryDirectory(), 'absent')])).exit).toBe(2);
  const { exit, out } = await cli(['wal', 'verify', '--help']);
  expect(exit).toBe(0);
  expect(out).toMatch(/Example:\n {2}replichart wal verify --data /);
});
