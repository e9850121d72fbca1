import { join } from 'node:path';
import { expect } from 'vitest';
import { positionOf } from '../../src/core/position.ts';
import type { ReadFacts } from '../../src/core/read-safety.ts';
import { GENESIS_CHECKPOINT, type Checkpoint } from '../../src/core/storage/checkpoint.ts';
import { advance, chainAtCut, genesisChain, observeUnit, type ChainState } from '../../src/core/wal/chain.ts';
import { encodeFrame, type FrameKind } from '../../src/core/wal/frame.ts';
import { prepareCommit, type Operation } from '../../src/core/wal/operation.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { encodeSegmentHeader } from '../../src/core/wal/segment-header.ts';
import { BaseFile, readBaseFile, writeBaseFile } from '../../src/io/base-file.ts';
import { nodeFileSystem as files } from '../../src/io/node-file-system.ts';
import { Storage } from '../../src/io/storage.ts';
import { stateDigest } from '../../src/io/state-digest.ts';
import type { VersionIndex, VersionIndexStore } from '../../src/io/version-index.ts';
import { WalFiles } from '../../src/io/wal/files.ts';
import { surveyDisk } from '../../src/io/wal/survey.ts';
import { ReadView } from '../../src/node/read-view.ts';
import { CLUSTER } from '../support/nodes.ts';

/** The facts of a read that is admitted; what they are has no part in what a view sees. */
const ADMITTED: ReadFacts = {
  role: 'replica',
  clusterId: CLUSTER,
  state: 'replicating',
  halt: null,
  receivedLsn: null,
  validated: null,
  applied: null,
  inFlight: null,
  view: { commitId: null, token: null },
};

interface Place {
  readonly storage: Storage;
  readonly wal: WalFiles;
  readonly index: VersionIndex;
}

/** How the index of a node is kept; `directory` is its own. */
export type IndexOf = (directory: string) => VersionIndexStore;

/**
 * WAL, index, base file and storage of a node, as they are in production, on real files; only who sends and who decides
 * is left out. `written` is where the WAL ends, `applied` what reads may see.
 */
export class VisibilityNode {
  readonly #root: string;
  readonly #indexOf: IndexOf;
  #generation = 0;
  #store!: VersionIndexStore;
  #place!: Place;
  #base: { readonly path: string; readonly lsn: number } | null = null;
  readonly #left: Place[] = [];
  written: ChainState = genesisChain(CLUSTER);
  applied: ChainState = genesisChain(CLUSTER);
  checkpoint: Checkpoint = GENESIS_CHECKPOINT;

  private constructor(root: string, indexOf: IndexOf) {
    this.#root = root;
    this.#indexOf = indexOf;
  }

  static async open(root: string, indexOf: IndexOf): Promise<VisibilityNode> {
    const node = new VisibilityNode(root, indexOf);
    await node.#begin();
    await node.#place.storage.initialise();
    await node.#startSegment();
    return node;
  }

  get storage(): Storage {
    return this.#place.storage;
  }

  view(bound: number): ReadView {
    return new ReadView(this.storage.resolver, bound, positionOf(this.checkpoint), ADMITTED);
  }

  get #home(): string {
    return join(this.#root, `node-${this.#generation}`);
  }

  async #begin(): Promise<void> {
    await files.makeDirectory(this.#home);
    this.#store = this.#indexOf(join(this.#home, 'index'));
    this.#place = await this.#openPlace();
  }

  async #openPlace(): Promise<Place> {
    const index = await this.#store.open();
    const wal = await WalFiles.open(files, join(this.#home, 'wal'));
    return { index, wal, storage: new Storage(index, wal) };
  }

  async #startSegment(): Promise<void> {
    const { commitId, lsn, historyHash, segmentIndex } = this.written;
    const bytes = encodeSegmentHeader({
      clusterId: CLUSTER,
      segmentIndex,
      startLsn: lsn,
      firstCommitId: commitId + 1,
      historyHash,
    });
    await this.#place.wal.startSegment(lsn, bytes);
    this.written = advance(observeUnit(this.written, bytes, 0, 'whole'));
  }

  #frame(kind: FrameKind, commits: readonly (readonly Operation[])[]): Buffer {
    const { lsn, commitId, historyHash } = this.written;
    return encodeFrame({
      lsn,
      kind,
      firstCommitId: commitId + 1,
      previousHash: historyHash,
      commits: commits.map(prepareCommit),
    }).bytes;
  }

  /** Writes a frame to the WAL; nothing of it is applied. */
  async write(kind: FrameKind, commits: readonly (readonly Operation[])[] = []): Promise<void> {
    const bytes = this.#frame(kind, commits);
    await this.#place.wal.append([bytes]);
    this.written = advance(observeUnit(this.written, bytes, 0, 'whole'));
    if (kind === 'seal') await this.#startSegment();
  }

  /** Proves and applies the WAL up to a unit boundary, a stretch of one segment at a time. */
  async apply(endLsn: number): Promise<void> {
    const { wal, storage } = this.#place;
    while (this.applied.lsn < endLsn) {
      const bytes = await wal.read(this.applied.lsn, endLsn - this.applied.lsn);
      const { batch, stop } = ProvenBatch.prove(this.applied, bytes);
      expect(stop).toBeNull();
      this.checkpoint = await storage.apply(batch, this.checkpoint);
      this.applied = batch.to;
    }
  }

  /** A new node that begins with a snapshot of this one: the base file, and the WAL from the cut on. */
  async rebase(): Promise<void> {
    await this.write('cut');
    await this.write('seal');
    const cut = this.#lastCut;
    await this.apply(cut.lsn);
    const { commitId, lsn, historyHash, segmentIndex } = cut;
    const path = join(this.#root, `${this.#generation}.base`);
    const header = { clusterId: CLUSTER, cut: { commitId, lsn, historyHash, segmentIndex } };
    await writeBaseFile(files, path, String(commitId), header, this.storage.resolver.versions(commitId));
    const before = await stateDigest(this.storage.resolver, commitId);
    // Views of the node that was left are read from it as before.
    this.#left.push(this.#place);
    this.#generation += 1;
    this.#base = { path, lsn };
    await this.#begin();
    const { storage, wal } = this.#place;
    this.checkpoint = await storage.install(
      async (write) => {
        expect((await readBaseFile(files, path, write)).fault).toBeNull();
      },
      { commitId, lsn, historyHash, segmentIndex, snapshotCut: commitId },
    );
    await storage.useBase(await BaseFile.open(files, path));
    wal.beginAt(lsn);
    this.written = cut;
    this.applied = cut;
    await this.#startSegment();
    expect(await stateDigest(storage.resolver, commitId)).toEqual(before);
  }

  /** Where the segment begins that was just started: the position before its header. */
  get #lastCut(): ChainState {
    const { clusterId, commitId, historyHash, segmentIndex, segmentStartLsn: lsn } = this.written;
    return chainAtCut(clusterId, { commitId, lsn, historyHash, segmentIndex });
  }

  /**
   * Stops and starts on the same files, the last write torn after so many bytes; what is known afterwards comes from the
   * survey alone, as in a recovery.
   */
  async restart(tornBytes: number): Promise<void> {
    const torn = this.#frame('commits', [[{ op: 'put', collection: 'a', id: 'torn', document: 'never' }]]);
    if (tornBytes > 0) await this.#place.wal.append([torn.subarray(0, tornBytes % torn.length)]);
    await close(this.#place);
    this.#place = await this.#openPlace();
    const { storage, wal } = this.#place;
    if (this.#base !== null) await storage.useBase(await BaseFile.open(files, this.#base.path));
    const around = { base: { state: 'not needed', cutCommitId: null }, partials: [] } as const;
    const survey = await surveyDisk(storage, wal, CLUSTER, around, this.#base?.lsn ?? 0);
    expect(survey.checkpoint).toEqual({ state: 'intact', value: this.checkpoint });
    expect(survey.prefix).toEqual({ state: 'proven', chain: this.applied });
    expect(survey.tail.provenTo).toEqual(this.written);
    await wal.truncate(this.written.lsn);
  }

  async close(): Promise<void> {
    for (const place of [...this.#left, this.#place]) await close(place);
  }
}

async function close({ wal, storage, index }: Place): Promise<void> {
  await wal.close();
  await storage.close();
  await index.close();
}
