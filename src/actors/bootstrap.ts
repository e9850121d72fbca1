import { join } from 'node:path';
import { fromPromise } from 'xstate';
import type {
  FetchFacts,
  InstalledFacts,
  ResumeFacts,
  SnapshotSummary,
  VerifiedFacts,
} from '../core/bootstrap.ts';
import { hex, sha256 } from '../core/bytes.ts';
import { assertThat, errorText } from '../core/errors.ts';
import { SEGMENT_HEADER_BYTES } from '../core/limits.ts';
import { decodeManifest, type Manifest } from '../core/storage/manifest.ts';
import { readSegmentHeader } from '../core/wal/segment-header.ts';
import { BaseFile, readBaseFile, type BaseEntry } from '../io/base-file.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import { ensureDirectory } from '../io/durable-file.ts';
import type { Storage } from '../io/storage.ts';
import type { WalFiles } from '../io/wal/files.ts';
import type { WalSource } from '../io/wal-source.ts';

export interface BootstrapPorts {
  readonly directory: DataDirectory;
  readonly source: WalSource;
  readonly open: () => Promise<{ readonly wal: WalFiles; readonly storage: Storage }>;
}

/** Where a snapshot is put together before it counts for anything. */
function incomingFile(directory: DataDirectory, snapshotId: string): string {
  return join(directory.incomingDirectory, `${snapshotId}.base`);
}

/** Removes what an earlier bootstrap left: nothing of it has a checkpoint, so nothing of it is anything. */
export function defineDiscardActor({ directory, open }: BootstrapPorts) {
  return fromPromise<null, null>(async () => {
    const { files } = directory;
    const { storage } = await open();
    await files.removeTree(directory.incomingDirectory);
    await files.removeTree(directory.baseDirectory);
    await files.syncDirectory(directory.root);
    await storage.discardEntries();
    return null;
  });
}

/** Transfers the newest snapshot block by block; each is compared with the manifest before it is written. */
export function defineFetchActor({ directory, source }: BootstrapPorts) {
  return fromPromise<FetchFacts, { readonly clusterId: string }>(async ({ input: { clusterId } }) => {
    const listed = await source.listSnapshots();
    if (listed.kind !== 'listed') return listed;
    const snapshotId = listed.snapshotIds.reduce<string | null>(
      (newest, id) => (newest === null || Number(id) > Number(newest) ? id : newest),
      null,
    );
    if (snapshotId === null) return { kind: 'none' };
    const answer = await source.snapshotManifest(snapshotId);
    if (answer.kind !== 'bytes') return answer;
    const decoded = decodeManifest(answer.bytes);
    if (decoded.state === 'damaged')
      return { kind: 'manifest damaged', snapshotId, expected: decoded.expected, found: decoded.found };
    const { manifest } = decoded;
    if (manifest.snapshotId !== snapshotId)
      return {
        kind: 'manifest damaged',
        snapshotId,
        expected: `the manifest of snapshot ${snapshotId}`,
        found: `that of snapshot ${manifest.snapshotId}`,
      };
    return fetchBlocks(directory, source, clusterId, manifest);
  });
}

async function fetchBlocks(
  directory: DataDirectory,
  source: WalSource,
  clusterId: string,
  manifest: Manifest,
): Promise<FetchFacts> {
  const { blocks: list, ...snapshot } = manifest;
  const facts = (
    blocks: number,
    blockFault: (FetchFacts & { kind: 'fetched' })['blockFault'],
  ): FetchFacts => ({
    kind: 'fetched',
    clusterId,
    snapshot,
    blocks,
    blockFault,
  });
  const { files } = directory;
  await ensureDirectory(files, directory.incomingDirectory);
  const handle = await files.open(incomingFile(directory, manifest.snapshotId), 'create');
  try {
    const blocks = askedAhead(list, ({ index }) => source.snapshotBlock(manifest.snapshotId, index));
    for await (const [{ index, bytes, sha256: expected }, answer] of blocks) {
      if (answer.kind !== 'bytes') return answer;
      const found = hex(sha256(answer.bytes));
      if (found !== expected || answer.bytes.length !== bytes)
        return facts(index, {
          block: index,
          expected: { bytes, sha256: expected },
          found: { bytes: answer.bytes.length, sha256: found },
        });
      await handle.append([answer.bytes]);
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await files.syncDirectory(directory.incomingDirectory);
  return facts(list.length, null);
}

/** Blocks that are asked for before they are looked at: so many answers are in memory at most. */
const BLOCKS_AHEAD = 4;

/** Asks for a few more than the one that is looked at, so that neither side waits for the other. */
async function* askedAhead<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): AsyncGenerator<readonly [Item, Answer]> {
  const coming: Promise<Answer>[] = [];
  for (const [index, item] of items.entries()) {
    for (const next of items.slice(index + coming.length, index + BLOCKS_AHEAD)) {
      const answer = ask(next);
      // Whoever stops at one answer does not hear of the next ones.
      answer.catch(() => undefined);
      coming.push(answer);
    }
    yield [item, await (coming.shift() as Promise<Answer>)];
  }
}

/** Reads the transferred file back from disk, from its first byte to its last. */
export function defineVerifyActor({ directory }: BootstrapPorts) {
  return fromPromise<VerifiedFacts, SnapshotSummary>(async ({ input: snapshot }) => {
    const path = incomingFile(directory, snapshot.snapshotId);
    const { header, fault, stateDigest, versions, keys } = await readBaseFile(directory.files, path);
    const bytes = (await directory.files.stat(path))?.bytes ?? 0;
    return {
      snapshot,
      header,
      fault: fault && { ...fault },
      stateDigest,
      versions,
      keys,
      bytes,
    };
  });
}

/** Asks the primary how its WAL goes on at the cut, and reads the segment header that stands there. */
export function defineProbeActor({ source }: BootstrapPorts) {
  return fromPromise<ResumeFacts, { readonly clusterId: string; readonly snapshot: SnapshotSummary }>(
    async ({ input: { clusterId, snapshot } }) => {
      const { cut } = snapshot;
      const opened = await source.openWal({
        commitId: cut.commitId,
        lsn: cut.lsn,
        historyHash: cut.historyHash,
      });
      if (opened.kind !== 'opened') return opened;
      const { stream } = opened;
      let bytes: Buffer = Buffer.alloc(0);
      let isAtItsEnd = false;
      try {
        for await (const chunk of stream.chunks) {
          if (chunk.kind === 'wal') bytes = Buffer.concat([bytes, chunk.bytes]);
          isAtItsEnd = chunk.kind === 'notice';
          if (bytes.length >= SEGMENT_HEADER_BYTES || isAtItsEnd) break;
        }
      } catch (error) {
        return { kind: 'unreachable', message: `connection lost: ${errorText(error)}` };
      } finally {
        stream.close();
      }
      if (bytes.length < SEGMENT_HEADER_BYTES && !isAtItsEnd)
        return { kind: 'unreachable', message: 'the stream ended before the segment header at the cut' };
      const header = bytes.length >= SEGMENT_HEADER_BYTES ? readSegmentHeader(bytes) : null;
      return { kind: 'probed', cut, clusterId, streamStartLsn: stream.startLsn, header };
    },
  );
}

/** Puts the verified file in its place and builds its index; the checkpoint comes last and makes it count. */
export function defineInstallActor({ directory, open }: BootstrapPorts) {
  return fromPromise<InstalledFacts, SnapshotSummary>(async ({ input: { snapshotId, cut } }) => {
    const { files } = directory;
    const { wal, storage } = await open();
    const path = directory.baseFile(cut.commitId);
    await ensureDirectory(files, directory.baseDirectory);
    await files.rename(incomingFile(directory, snapshotId), path);
    await files.syncDirectory(directory.baseDirectory);
    await files.syncDirectory(directory.incomingDirectory);
    const { commitId, lsn, historyHash, segmentIndex } = cut;
    const checkpoint = { commitId, lsn, historyHash, segmentIndex, snapshotCut: commitId };
    const installed = await storage.install((write) => indexed(directory, path, write), checkpoint);
    await storage.useBase(await BaseFile.open(files, path));
    wal.beginAt(lsn);
    return { cut, checkpoint: installed };
  });
}

async function indexed(
  directory: DataDirectory,
  path: string,
  write: (block: readonly BaseEntry[]) => Promise<void>,
): Promise<void> {
  const { fault } = await readBaseFile(directory.files, path, write);
  assertThat(fault === null, 'P5-I8: what was verified is read again as it was');
}
