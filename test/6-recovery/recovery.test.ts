import { cp, mkdir, readdir, readFile, rm, truncate, writeFile, appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { explainRecovery } from '../../src/node/explain-recovery.ts';
import type { HostPorts, Replica } from '../../src/index.ts';
import { fingerprint } from '../support/files.ts';
import { crashAt, faultyFileSystem } from '../support/faulty-file-system.ts';
import { rejection, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn, halted, inState, until } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource, walBytes } from '../support/sources.ts';
import { digestsOf, recordingIndex } from '../support/state.ts';
import { ownFiles, verified } from '../support/verifying.ts';
import { flipped, unitsOf } from '../support/wal-forge.ts';

const WAL = 'wal/00000000000000000000.wal';

async function replicaOf(wal: Buffer, dataDir: string, ports: HostPorts = {}) {
  return startReplica(
    { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    { walSource: scriptedSource(() => ({ chunks: (from) => chunked(wal, 130, from.lsn) })), ...ports },
  );
}

/** A replica that has caught up and stopped, with its index as it was after every batch. */
async function caughtUp(commits = 8) {
  const wal = await recordedWal(commits);
  const dataDir = await temporaryDirectory();
  const recorded = recordingIndex();
  const replica = await replicaOf(wal, dataDir, { indexStore: () => recorded.store });
  await appliedLsn(replica, wal.length);
  await replica.stop();
  return { wal, dataDir, recorded, commits };
}

async function copyOf(dataDir: string): Promise<string> {
  const copy = join(await temporaryDirectory(), 'copy');
  await cp(dataDir, copy, { recursive: true });
  return copy;
}

describe('recovery of a replica', () => {
  test('F-R2, F-A1: WAL behind the checkpoint is proved and applied again before anything else', async () => {
    const { wal, dataDir, recorded, commits } = await caughtUp();
    const digests = await digestsOf(dataDir, commits, recorded.store);
    const store = await recorded.upTo(wal.length - 1);
    const replica = await replicaOf(wal, dataDir, { indexStore: () => store });
    await until(replica, inState('replicating'));
    expect(replica.position()).toMatchObject({ lsn: wal.length });
    expect(explainRecovery(replica.snapshot()).conclusion).toEqual({
      result: 'replicate',
      reason: null,
      steps: ['replay'],
      discarded_partials: [],
      discarded_tail: null,
    });
    await replica.stop();
    expect(await digestsOf(dataDir, commits, store)).toEqual(digests);
  });

  test('F-R1: a torn tail is discarded, said, and fetched again', async () => {
    const { wal, dataDir, recorded } = await caughtUp();
    const last = unitsOf(wal).at(-1) as { lsn: number };
    await truncate(join(dataDir, WAL), wal.length - 10);
    const store = await recorded.upTo(last.lsn);
    const replica = await replicaOf(wal, dataDir, { indexStore: () => store });
    await appliedLsn(replica, wal.length);
    expect(await walBytes(dataDir)).toEqual(wal);
    expect(explainRecovery(replica.snapshot())).toMatchObject({
      inputs: {
        answers: { end: 'torn' },
        tail_stop: { kind: 'torn', lsn: last.lsn, file: '00000000000000000000.wal' },
      },
      conclusion: {
        result: 'replicate',
        discarded_tail: {
          from_lsn: last.lsn,
          bytes: wal.length - 10 - last.lsn,
          rule: 'P5-I11 unitIsWhole',
          kept_in: null,
        },
      },
    });
  });

  test('F-V1: bytes behind the checkpoint that break a rule are discarded from the first one on, kept, and fetched again', async () => {
    const { wal, dataDir, recorded } = await caughtUp();
    const [, , , , fifth] = unitsOf(wal).filter(({ kind }) => kind === 'commits') as { lsn: number }[];
    const at = (fifth as { lsn: number }).lsn;
    const bad = flipped(wal, (at + 75) * 8);
    await writeFile(join(dataDir, WAL), bad);
    const store = await recorded.upTo(at);
    const replica = await replicaOf(wal, dataDir, { indexStore: () => store });
    await appliedLsn(replica, wal.length);
    expect(await walBytes(dataDir)).toEqual(wal);
    expect(explainRecovery(replica.snapshot()).conclusion).toMatchObject({
      discarded_tail: {
        from_lsn: at,
        bytes: wal.length - at,
        rule: 'P5-I5 checksumMatches',
        kept_in: `evidence/discarded-at-${at}`,
      },
    });
    expect(await readFile(join(dataDir, 'evidence', `discarded-at-${at}`))).toEqual(bad.subarray(at));
  });

  test('P5-I11: below the checkpoint every flipped bit is corruption: halted, durably, and nothing is cut', async () => {
    const { wal, dataDir, recorded } = await caughtUp(3);
    for (let byte = 0; byte < wal.length; byte += 23) {
      const copy = await copyOf(dataDir);
      const bad = flipped(wal, byte * 8 + (byte % 8));
      await writeFile(join(copy, WAL), bad);
      const replica = await replicaOf(wal, copy, { indexStore: () => recorded.store });
      const { context } = await halted(replica);
      expect(context.halt, `byte ${byte}`).toMatchObject({
        code: 'WAL_CORRUPT',
        rule: 'P5-I4 prefixIsProven',
      });
      expect(await walBytes(copy)).toEqual(bad);
      await replica.stop();
    }
  });

  test('P5-I4: WAL that ends before the checkpoint, or has a hole, is corruption', async () => {
    const { wal, dataDir, recorded } = await caughtUp();
    const short = await copyOf(dataDir);
    await truncate(join(short, WAL), wal.length - 1);
    expect(
      (await halted(await replicaOf(wal, short, { indexStore: () => recorded.store }))).context.halt,
    ).toMatchObject({
      rule: 'P5-I4 prefixIsProven',
    });
    const gone = await copyOf(dataDir);
    await rm(join(gone, WAL));
    expect(
      (await halted(await replicaOf(wal, gone, { indexStore: () => recorded.store }))).context.halt,
    ).toMatchObject({
      rule: 'P5-I4 prefixIsProven',
    });
  });

  test('F-RC2: an index that was lost while WAL is there refuses to start, and nothing is touched', async () => {
    const { wal, dataDir, recorded } = await caughtUp();
    const before = await fingerprint(dataDir);
    const empty = await recorded.after(0);
    expect(await rejection(replicaOf(wal, dataDir, { indexStore: () => empty }))).toMatchObject({
      code: 'CHECKPOINT_DAMAGED',
    });
    expect(await fingerprint(dataDir)).toEqual(before);
  });

  test('P5-I11, P5-I15: the same files give the same outcome and the same bytes of explanation', async () => {
    const { wal, dataDir, recorded } = await caughtUp();
    await appendFile(join(dataDir, WAL), Buffer.from('torn'));
    await writeFile(join(dataDir, 'identity.tmp'), 'left behind');
    const explanations = [];
    for (let run = 0; run < 3; run += 1) {
      const copy = await copyOf(dataDir);
      const store = await recorded.upTo(wal.length - 1);
      const replica = await replicaOf(wal, copy, { indexStore: () => store });
      await until(replica, inState('replicating'));
      explanations.push(JSON.stringify(explainRecovery(replica.snapshot())));
      expect(await readdir(copy)).not.toContain('identity.tmp');
      await replica.stop();
    }
    expect(new Set(explanations).size).toBe(1);
    expect(explanations[0]).toContain('"discarded_partials":["identity.tmp"]');
  });

  test('F-RC1: killed before every change of a recovery, the outcome is that of one that was not', async () => {
    const { wal, dataDir, recorded, commits } = await caughtUp();
    const bad = Buffer.concat([wal.subarray(0, wal.length - 60), Buffer.from('garbage at the end')]);
    await writeFile(join(dataDir, WAL), bad);
    await mkdir(join(dataDir, 'incoming'));
    await writeFile(join(dataDir, 'incoming', '4.base'), 'partial');
    const digests = await digestsOf(dataDir, commits - 1, await recorded.after(recorded.batches.length));
    const run = async (copy: string, crash: number, store: Awaited<ReturnType<typeof recorded.after>>) => {
      const files = faultyFileSystem(crashAt(crash, (bytes) => bytes >> 1));
      const replica = await replicaOf(wal, copy, { files, indexStore: () => store }).catch(() => null);
      await (replica &&
        until(
          replica,
          (snapshot) => inState('halted')(snapshot) || snapshot.context.applied?.lsn === wal.length,
        ));
      await replica?.stop();
      return files.operations();
    };
    const operations = await run(await copyOf(dataDir), Infinity, await recorded.upTo(wal.length - 100));
    for (let crash = 1; crash <= operations; crash += 1) {
      const copy = await copyOf(dataDir);
      const store = await recorded.upTo(wal.length - 100);
      await run(copy, crash, store);
      const replica = await replicaOf(wal, copy, { indexStore: () => store });
      await appliedLsn(replica, wal.length);
      await replica.stop();
      expect((await walBytes(copy)).equals(wal), `crash before change ${crash}`).toBe(true);
      expect((await digestsOf(copy, commits, store)).slice(0, commits)).toEqual(digests);
      const again = await replicaOf(wal, copy, { indexStore: () => store });
      await until(again, inState('replicating'));
      expect(explainRecovery(again.snapshot()).conclusion).toMatchObject({ steps: [], discarded_tail: null });
      await again.stop();
    }
  }, 120_000);
});

describe('P5-I10: a halt is durable and only an operator clears it', () => {
  test('it outlives restarts, halt clear ends it and keeps the record, and the bad bytes are fetched again', async () => {
    const wal = await recordedWal(6);
    const bad = flipped(wal, (wal.length - 20) * 8);
    const dataDir = await temporaryDirectory();
    const first = await replicaOf(bad, dataDir);
    const halt = (await halted(first)).context.halt;
    await first.stop();
    for (let run = 0; run < 2; run += 1) {
      const replica = await replicaOf(wal, dataDir);
      const { context } = await halted(replica);
      expect(context.halt).toEqual(halt);
      expect(explainRecovery(replica.snapshot()).conclusion).toMatchObject({ result: 'stays halted' });
      await replica.stop();
    }
    expect(await runCli(['halt', 'clear', '--data', dataDir, '--json'])).toBe(0);
    expect((await readdir(join(dataDir, 'evidence'))).sort()).toEqual(['WAL_CORRUPT-1', 'halt-1']);
    const cleared = await replicaOf(wal, dataDir);
    await appliedLsn(cleared, wal.length);
    expect(await walBytes(dataDir)).toEqual(wal);
  });

  test('halt clear refuses while the node runs', async () => {
    const dataDir = await temporaryDirectory();
    const wal = await recordedWal(2);
    const replica = await replicaOf(flipped(wal, (wal.length - 20) * 8), dataDir);
    await halted(replica);
    expect(await runCli(['halt', 'clear', '--data', dataDir, '--json'])).toBe(1);
    expect(await readdir(dataDir)).toContain('halt');
  });

  test('F-RC2: a damaged halt record is a halt all the same', async () => {
    const wal = await recordedWal(2);
    const dataDir = await temporaryDirectory();
    const first = await replicaOf(wal, dataDir);
    await appliedLsn(first, wal.length);
    await first.stop();
    await writeFile(join(dataDir, 'halt'), 'not a record');
    expect((await halted(await replicaOf(wal, dataDir))).context.halt).toMatchObject({
      code: 'HALT_RECORD_DAMAGED',
    });
  });
});

/** An explanation that says itself that WAL is gone is not contradicted by its absence. */
async function expectNotBlamed(replica: Replica, dataDir: string) {
  const { differences } = await verified(explainRecovery(replica.snapshot()), await ownFiles(dataDir));
  expect(differences).toEqual([]);
}

test('P5-I4: a missing segment in the middle is a hole: recovery ends, and says so', async () => {
  const wal = await recordedWal(6, { segmentBytesMax: 4_194_400, bytes: 2_200_000 });
  const dataDir = await temporaryDirectory();
  const recorded = recordingIndex();
  const first = await replicaOf(wal, dataDir, { indexStore: () => recorded.store });
  await appliedLsn(first, wal.length);
  await first.stop();
  const names = (await readdir(join(dataDir, 'wal'))).sort();
  expect(names.length).toBeGreaterThan(2);
  await rm(join(dataDir, 'wal', names[1] as string));
  for (const store of [recorded.store, await recorded.upTo(96)]) {
    const copy = await copyOf(dataDir);
    const replica = await replicaOf(wal, copy, { indexStore: () => store });
    const { context } = await halted(replica);
    await expectNotBlamed(replica, copy);
    expect(context.halt).toMatchObject({
      rule: 'P5-I4 prefixIsProven',
      evidence: { discontinuity: { expected_lsn: Number(names[1]?.slice(0, 20)) } },
    });
    await replica.stop();
  }
});

test('P5-I11: a WAL whose beginning is gone halts, although the segment of the checkpoint is whole', async () => {
  const wal = await recordedWal(6, { segmentBytesMax: 4_194_400, bytes: 2_200_000 });
  const dataDir = await temporaryDirectory();
  const first = await replicaOf(wal, dataDir);
  await appliedLsn(first, wal.length);
  await first.stop();
  const [gone, next] = (await readdir(join(dataDir, 'wal'))).sort();
  await rm(join(dataDir, 'wal', gone as string));
  const replica = await replicaOf(wal, dataDir);
  expect((await halted(replica)).context.halt).toMatchObject({
    code: 'WAL_CORRUPT',
    rule: 'P5-I4 prefixIsProven',
    evidence: {
      prefix: 'broken',
      expected_start_lsn: 0,
      found_start_lsn: Number(next?.slice(0, 20)),
      missing: 'WAL at the beginning',
    },
  });
  expect((await replica.explain()).conclusion).toEqual({ result: 'unsafe', reason: 'P5-I12 nodeIsActive' });
  await expectNotBlamed(replica, dataDir);
});
