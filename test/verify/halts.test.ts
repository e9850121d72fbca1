import { describe, expect, test } from 'vitest';
import { faultyFileSystem, systemError } from '../support/faulty-file-system.ts';
import { documentAnswer, primaryFiles, recoveryOf, replicationOf } from '../support/explained.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn, detached, halted } from '../support/replicas.ts';
import { servedReplica } from '../support/served-nodes.ts';
import { chunked, type ScriptedSource } from '../support/sources.ts';
import { unitsOf } from '../support/wal-forge.ts';
import { filesOfPrimary, ownFiles, VERIFIED, verdictOf } from '../support/verifying.ts';

/** WAL in two pieces; from the second on the disk fails. */
async function* inTwo(wal: Buffer, at: number, from: { readonly lsn: number }, disk: { fails: boolean }) {
  yield* chunked(wal.subarray(0, at), 400, from.lsn);
  disk.fails = true;
  yield* chunked(wal, 400, at);
}

describe('P5-I15, P5-I10: what a node says when it does not go on is verified as well', () => {
  test('P5-I10: halted on a failed fsync', async () => {
    const { wal } = await primaryFiles();
    const dataDir = await temporaryDirectory();
    const half = unitsOf(wal)[3]?.lsn as number;
    const disk = { fails: false };
    const files = faultyFileSystem((operation, path) =>
      disk.fails && operation === 'datasync' && path.endsWith('.wal') ? { error: systemError('EIO') } : null,
    );
    const node = await servedReplica(
      () => ({ chunks: (from) => inTwo(wal, half, from, disk) }),
      { dataDir },
      { files },
    );
    const { context } = await halted(node);
    expect(context.halt).toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await verdictOf(replicationOf(node), await ownFiles(dataDir))).toEqual(VERIFIED);
  });

  test('P5-I10: halted where not even the halt could be recorded: undetermined, and why', async () => {
    const { wal } = await primaryFiles();
    const dataDir = await temporaryDirectory();
    const half = unitsOf(wal)[3]?.lsn as number;
    const disk = { fails: false };
    const files = faultyFileSystem(() => (disk.fails ? { error: systemError('ENOSPC') } : null));
    const node = await servedReplica(
      () => ({ chunks: (from) => inTwo(wal, half, from, disk) }),
      { dataDir },
      { files },
    );
    await halted(node);
    expect(await verdictOf(replicationOf(node), await ownFiles(dataDir))).toEqual({
      verdict: 'undetermined',
      differences: [],
      undetermined: ['inputs.halt: there is no record of it; it may be one that could not be written'],
    });
  });

  test('P5-I4: halted on another history, detached, and attached again', async () => {
    const { wal, dataDir: primaryDir } = await primaryFiles();
    const dataDir = await temporaryDirectory();
    const diverged: ScriptedSource = {
      refusal: { kind: 'refused', code: 'HISTORY_DIVERGED', message: 'another history', evidence: {} },
    };
    const node = await servedReplica(
      (attachment) =>
        attachment > 1 ? diverged : { chunks: (from) => chunked(wal, 400, from.lsn), ends: true },
      { dataDir },
    );
    await detached(node);
    await appliedLsn(node, wal.length);
    const source = [await ownFiles(dataDir), await filesOfPrimary(primaryDir)];
    for (const one of [replicationOf(node), recoveryOf(node), await documentAnswer(node, 'a')])
      for (const files of source) expect(await verdictOf(one, files)).toEqual(VERIFIED);
    node.attach();
    await halted(node);
    for (const files of source) expect(await verdictOf(replicationOf(node), files)).toEqual(VERIFIED);
  });
});
