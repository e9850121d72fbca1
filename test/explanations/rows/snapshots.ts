/** F-S1, F-S2, F-S3, F-S4: a bootstrap that dies, or that is given what does not fit. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { memoryVersionIndex } from '../../../src/io/memory-version-index.ts';
import type { WalSource } from '../../../src/io/wal-source.ts';
import { decodeManifest, encodeManifest } from '../../../src/core/storage/manifest.ts';
import {
  gateExplanation,
  GENESIS_PLACE,
  haltBy,
  recoveryExplanation,
  unreadExplanation,
  type GateSaid,
  type HaltSaid,
} from '../../support/expected-explanations.ts';
import { crc32c, decodeWalFiles } from '../../support/independent-decoder.ts';
import { CLUSTER, OTHER_CLUSTER, temporaryDirectory } from '../../support/nodes.ts';
import {
  dataOf,
  expectHaltingStep,
  expectRecorded,
  expectSaid,
  HALTED_EVENTS,
  served,
} from '../../support/observed.ts';
import { alteredSource } from '../../support/relayed-source.ts';
import { appliedCommit, halted, inState, until } from '../../support/replicas.ts';
import { servedPrimary, servedReplica } from '../../support/served-nodes.ts';
import { walBytes } from '../../support/sources.ts';
import { atRest, RESTING, type Proof } from '../proof.ts';
import { breakingDisk, commit } from './primary.ts';

/** A primary with a snapshot at the third of five commits; the cut as its own WAL files give it. */
async function primaryWithSnapshot() {
  const dataDir = await temporaryDirectory();
  const primary = await servedPrimary({ dataDir, clusterId: CLUSTER, replication: 'enabled' });
  for (const n of [1, 2, 3]) await commit(primary, n);
  await primary.createSnapshot();
  for (const n of [4, 5]) await commit(primary, n);
  const { url } = await served(primary, 'primary');
  const names = (await readdir(join(dataDir, 'wal'))).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, bytes: await readFile(join(dataDir, 'wal', name)) })),
  );
  const { positions, segments } = decodeWalFiles(files, CLUSTER);
  const cut = positions.find(({ lsn }) => lsn === segments[1]?.startLsn) ?? GENESIS_PLACE;
  return { url, cut, end: positions.at(-1) ?? GENESIS_PLACE };
}

const options = (dataDir: string) => ({ dataDir, bootstrap: 'snapshot' as const });

/** The recovery of a directory that holds nothing yet but what an interrupted bootstrap left. */
const toBootstrap = (partials: readonly string[]) =>
  recoveryExplanation({
    bootstrap: 'snapshot',
    found: {
      answers: { checkpoint: 'absent', wal: 'empty', partials: partials.length > 0 ? 'present' : 'none' },
      checkpoint: null,
      endLsn: 0,
      partials,
      provenTo: GENESIS_PLACE,
    },
    repair: { discarded_partials: partials, discarded_tail: null },
    rules: '++++',
    conclusion: {
      result: 'bootstrap',
      reason: null,
      steps: ['discard partials', 'discard index'],
      discarded_partials: [...partials],
      discarded_tail: null,
    },
  });

/** A bootstrap that dies at a moment of the test's choice, and begins again. */
async function diesAndBeginsAgain(disk: ReturnType<typeof breakingDisk>): Promise<void> {
  const { url, end, cut } = await primaryWithSnapshot();
  const dataDir = await temporaryDirectory();
  const store = memoryVersionIndex();
  const script = () => ({});
  const real = alteredSource(url, () => ({}));
  disk.arm();
  const dying = await servedReplica(script, options(dataDir), {
    files: disk.files,
    indexStore: () => store,
    walSource: real,
  });
  await halted(dying);
  expect(dying.applied()).toBeNull();
  await dying.stop();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow = alteredSource(url, (source) => ({
    snapshotBlock: async (id, index) => held.then(() => source.snapshotBlock(id, index)),
  }));
  const again = await servedReplica(script, options(dataDir), { indexStore: () => store, walSource: slow });
  await until(again, inState('bootstrapping.fetching'));
  const observed = (await served(again)).url;
  const uninitialised: GateSaid = {
    state: 'bootstrapping.fetching',
    applied: null,
    rules: '-+??++',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  };
  await expectSaid(observed, {
    gate: gateExplanation(uninitialised),
    read: unreadExplanation(uninitialised),
    recovery: toBootstrap(['incoming/3.base']),
    replicaState: 'Bootstrapping',
    allowed: [
      'xstate.done.actor.fetchSnapshot',
      'xstate.error.actor.fetchSnapshot',
      'node.stop',
      'storage.failed',
    ],
  });
  const state = async () => (await dataOf(observed, '/v1/replication'))['snapshot_bootstrap_state'];
  expect([await state(), await walBytes(dataDir)]).toEqual(['InProgress', Buffer.alloc(0)]);
  release();
  await appliedCommit(again, 5);
  await until(again, inState('replicating.ingesting.receiving'));
  await atRest(again);
  expect(await state()).toBe('Complete');
  expect(await dataOf(observed, '/v1/explain/replication')).toEqual(
    gateExplanation({
      state: RESTING,
      applied: end,
      validated: end,
      receivedLsn: end.lsn,
      rules: '++++++',
      conclusion: ['safe', null],
    }),
  );
  expect((await dataOf(observed, '/v1/checkpoints'))['checkpoint']).toMatchObject({
    snapshot_cut_commit_id: cut.commitId,
  });
}

/**
 * The process dies in the middle of a block. What must be said by the start after it: what was left is discarded by name,
 * bootstrap begins again; nothing is known of any position, so the rules on positions are undetermined, not violated.
 */
export const diedInTransfer: Proof = () =>
  diesAndBeginsAgain(
    breakingDisk(
      (operation, path) => operation === 'append' && path.endsWith('3.base'),
      (bytes) => bytes >> 1,
    ),
  );

/**
 * The process dies when the snapshot is whole on disk and nothing has looked at it yet. It is as much nothing as half of
 * one: the same must be said.
 */
export const diedBeforeVerification: Proof = () =>
  diesAndBeginsAgain(
    breakingDisk((operation, path) => operation === 'makeDirectory' && path.endsWith('/base')),
  );

/** A bootstrap that halts on what it is given: uninitialised, and it says on what evidence. */
async function expectRefused(
  url: string,
  alter: (source: WalSource) => Partial<WalSource>,
  from: string,
  cause: () => HaltSaid,
): Promise<void> {
  const dataDir = await temporaryDirectory();
  const node = await servedReplica(() => ({}), options(dataDir), { walSource: alteredSource(url, alter) });
  await halted(node);
  const halt = haltBy(cause());
  const gate: GateSaid = {
    state: 'halted.resting',
    applied: null,
    halt,
    rules: '--??++',
    conclusion: ['unsafe', 'P5-I12 nodeIsActive'],
  };
  await expectSaid((await served(node)).url, {
    gate: gateExplanation(gate),
    read: unreadExplanation(gate),
    recovery: toBootstrap([]),
    replicaState: 'ReplicationHalted',
    allowed: HALTED_EVENTS,
  });
  expectHaltingStep(node, from, halt);
  await expectRecorded(dataDir, halt);
  expect([await walBytes(dataDir), (await readdir(dataDir)).includes('base')]).toEqual([
    Buffer.alloc(0),
    false,
  ]);
}

/**
 * The segment header at the cut is whole and carries its checksum, but names another history than the snapshot's. Nothing
 * is installed. What must be said: P5-I9, what the cut calls for and what stands there, field by field.
 */
export const resumesElsewhere: Proof = async () => {
  const { url, cut } = await primaryWithSnapshot();
  let stored = '';
  const lie = (header: Buffer) => {
    header.fill(9, 56, 88);
    const crc = crc32c(header.subarray(0, 92));
    header.writeUInt32LE(crc, 92);
    stored = crc.toString(16).padStart(8, '0');
  };
  const alter = (source: WalSource): Partial<WalSource> => ({
    openWal: async (from) => {
      const opened = await source.openWal(from);
      if (opened.kind !== 'opened') return opened;
      const { stream } = opened;
      const chunks = async function* () {
        for await (const chunk of stream.chunks) {
          if (chunk.kind === 'wal' && chunk.lsn === cut.lsn) lie(chunk.bytes);
          yield chunk;
        }
      };
      return { kind: 'opened', stream: { ...stream, close: () => stream.close(), chunks: chunks() } };
    },
  });
  const header = { cluster_id: CLUSTER, start_lsn: cut.lsn, segment_index: 1, first_commit_id: 4 };
  await expectRefused(url, alter, 'bootstrapping.provingResume', () => ({
    code: 'SNAPSHOT_DISCONTINUOUS',
    rule: 'P5-I9 walResumesAtTheCut',
    evidence: {
      expected: { ...header, history_hash: cut.historyHash },
      found: { ...header, history_hash: '09'.repeat(32), crc32c: stored, crc32c_computed: stored },
      stream_start_lsn: cut.lsn,
    },
  }));
};

/**
 * A bit of a block is another on its way, or the snapshot is of another cluster. It is rejected before anything reads it.
 * What must be said: which block, its size and both hashes; or both clusters.
 */
export const foreignOrDamaged: Proof = async () => {
  const { url } = await primaryWithSnapshot();
  const block = Buffer.from(await (await fetch(`${url}/replication/v1/snapshots/3/blocks/0`)).arrayBuffer());
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const flip = (bytes: Buffer) => {
    bytes[50] = (bytes[50] as number) ^ 4;
    return bytes;
  };
  const damaged = (source: WalSource): Partial<WalSource> => ({
    snapshotBlock: async (id, index) => {
      const answer = await source.snapshotBlock(id, index);
      if (answer.kind === 'bytes') flip(answer.bytes);
      return answer;
    },
  });
  await expectRefused(url, damaged, 'bootstrapping.provingBlocks', () => ({
    code: 'SNAPSHOT_CORRUPT',
    rule: 'P5-I8 blocksAreIntact',
    evidence: {
      blocks: 0,
      fault: {
        block: 0,
        expected: { bytes: block.length, sha256: sha256(block) },
        found: { bytes: block.length, sha256: sha256(flip(Buffer.from(block))) },
      },
    },
  }));
  const foreign = (source: WalSource): Partial<WalSource> => ({
    snapshotManifest: async (id) => {
      const answer = await source.snapshotManifest(id);
      const found = answer.kind === 'bytes' ? decodeManifest(answer.bytes) : null;
      if (found?.state !== 'intact') return answer;
      return { kind: 'bytes', bytes: encodeManifest({ ...found.manifest, clusterId: OTHER_CLUSTER }) };
    },
  });
  await expectRefused(url, foreign, 'bootstrapping.provingCluster', () => ({
    code: 'CLUSTER_FOREIGN',
    rule: 'P5-I8 snapshotIsOfOurCluster',
    evidence: { expected: { cluster_id: CLUSTER }, found: { cluster_id: OTHER_CLUSTER } },
  }));
};
