import { ReplichartError } from '../core/errors.ts';
import type { BaseHeader, SnapshotCut } from '../core/storage/base-format.ts';
import { chainAtCut, genesisChain } from '../core/wal/chain.ts';
import { BaseFile, readBaseFile, writeBaseFile, type BaseFacts } from './base-file.ts';
import { censusOfWal } from './wal/census.ts';
import { isBaseName } from './base-files.ts';
import type { DataDirectory } from './data-directory.ts';
import { ensureDirectory, TEMPORARY_SUFFIX } from './durable-file.ts';
import type { Storage } from './storage.ts';
import type { WalFiles } from './wal/files.ts';

/** The files of a node whose history is cut short. */
export interface PrunedFiles {
  readonly directory: DataDirectory;
  readonly storage: Storage;
  readonly wal: WalFiles;
  readonly clusterId: string;
  /** Asked at each piece of what takes long. @throws ReplichartError where the node is to stop. */
  readonly proceed: () => void;
}

/**
 * Makes the base file of a cut from the versions that the index leads to, and only if these are all that the WAL before the cut
 * and the base file before it hold. It has no name yet that counts. What could not be made whole is removed.
 *
 * @throws ReplichartError `INDEX_DAMAGED` where the index does not lead to all of them, `WAL_CORRUPT`, `SNAPSHOT_CORRUPT`
 */
export async function makeBase(pruned: PrunedFiles, cut: SnapshotCut): Promise<void> {
  const { directory, storage, clusterId, proceed } = pruned;
  const { files } = directory;
  const temporary = temporaryBase(directory, cut);
  await ensureDirectory(files, directory.baseDirectory);
  if ((await files.stat(temporary)) !== null) await files.remove(temporary);
  try {
    const versions = asking(storage.resolver.versions(cut.commitId), proceed);
    await writeBaseFile(files, temporary, String(cut.commitId), { clusterId, cut }, versions);
    await proveBase(pruned, temporary, cut);
  } catch (error) {
    if ((await files.stat(temporary)) !== null) await files.remove(temporary);
    throw error;
  }
}

async function* asking<One>(all: AsyncIterable<One>, proceed: () => void): AsyncGenerator<One> {
  for await (const one of all) {
    proceed();
    yield one;
  }
}

/** Gives the base file that was made its name, durably. */
export async function placeBase({ directory }: PrunedFiles, cut: SnapshotCut): Promise<void> {
  await directory.files.rename(temporaryBase(directory, cut), directory.baseFile(cut.commitId));
  await directory.files.syncDirectory(directory.baseDirectory);
}

function temporaryBase(directory: DataDirectory, { commitId }: SnapshotCut): string {
  return `${directory.baseFile(commitId)}${TEMPORARY_SUFFIX}`;
}

/** The same proof of a base file that has its name, and was left so by an interrupted prune. */
export function provePlaced(pruned: PrunedFiles, cut: SnapshotCut): Promise<void> {
  return proveBase(pruned, pruned.directory.baseFile(cut.commitId), cut);
}

/**
 * Makes a base file that was proved that of the node: every version up to its cut is read from it then. What a crash
 * interrupts is done again from the beginning. `onFailure` is told where the index could not be written.
 */
export async function takeOver(
  { directory, storage, proceed }: PrunedFiles,
  cut: SnapshotCut,
  onFailure: (error: unknown) => void,
): Promise<void> {
  const writing = async (write: () => Promise<void>) => {
    try {
      await write();
    } catch (error) {
      // A node that stopped meanwhile has no failure.
      if (!(error instanceof ReplichartError)) onFailure(error);
      throw error;
    }
  };
  const { files } = directory;
  const path = directory.baseFile(cut.commitId);
  await storage.useNextBase(await BaseFile.open(files, path));
  const read = await readBaseFile(files, path, async (block) => {
    // A block of small versions holds many: who reads or commits meanwhile waits for a part of them only.
    for (let at = 0; at < block.length; at += ENTRIES_AT_ONCE) {
      proceed();
      await writing(() => storage.moveToNextBase(block.slice(at, at + ENTRIES_AT_ONCE)));
    }
  });
  intact(read, cut.commitId);
  await writing(() => storage.finishMove(cut.commitId));
}

const ENTRIES_AT_ONCE = 2_000;

/** Removes the WAL that the base file covers, and the base files before it. @returns what went. */
export async function dropCovered({ directory, wal }: PrunedFiles, cut: SnapshotCut) {
  const { files, baseDirectory } = directory;
  const others = (await files.list(baseDirectory)).filter(
    (name) => isBaseName(name) && name !== `${cut.commitId}.base`,
  );
  for (const name of others) await files.remove(`${baseDirectory}/${name}`);
  if (others.length > 0) await files.syncDirectory(baseDirectory);
  return wal.dropBefore(cut.lsn);
}

/** Whether a base file is whole, and holds every version that it stands for: counted in the log, without the index. */
async function proveBase(
  { directory, storage, wal, proceed }: PrunedFiles,
  path: string,
  cut: SnapshotCut,
): Promise<void> {
  const facts = await readBaseFile(directory.files, path, async () => proceed());
  const { clusterId } = intact(facts, cut.commitId);
  const found = await storage.readCheckpoint();
  const before = found.state === 'intact' ? found.checkpoint.snapshotCut : 0;
  const old =
    before === 0
      ? null
      : await readBaseFile(directory.files, directory.baseFile(before), async () => proceed());
  const beginning = old === null ? genesisChain(clusterId) : chainAtCut(clusterId, intact(old, before).cut);
  const census = await censusOfWal(wal, beginning, cut, proceed);
  if (old !== null) census.addAll(old);
  const { versions, checksumSum } = facts;
  if (versions !== census.versions || checksumSum !== census.checksumSum)
    throw new ReplichartError('INDEX_DAMAGED', 'the index does not lead to every version in the log', {
      evidence: {
        cut_commit_id: cut.commitId,
        expected: { versions: census.versions, checksum_sum: census.checksumSum },
        found: { versions, checksum_sum: checksumSum },
      },
    });
}

function intact({ fault, header }: BaseFacts, cutCommitId: number): BaseHeader {
  if (fault === null && header !== null) return header;
  throw new ReplichartError('SNAPSHOT_CORRUPT', 'a base file is not as it was written', {
    evidence: { file: `base/${cutCommitId}.base`, fault: fault && { ...fault } },
  });
}
