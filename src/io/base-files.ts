import { join } from 'node:path';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import { BASE_HEADER_BYTES, decodeBaseHeader, type SnapshotCut } from '../core/storage/base-format.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import { segmentFileName } from '../core/wal/segment-header.ts';
import { BaseFile } from './base-file.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Storage } from './storage.ts';
import type { SegmentFile, WalFiles } from './wal/files.ts';

/** What stands in the place of the history that a node does not hold as WAL. */
export interface BasesFound {
  readonly base: DiskSurvey['base'];
  /** Where the WAL of the node begins: with history, or at the cut of its base file; `null` where that is not known. */
  readonly originLsn: number | null;
  /** Names of files that nothing means any more: other base files, and WAL that the base file covers. */
  readonly leftovers: readonly string[];
}

/**
 * Finds the base file that the checkpoint names, and one that was to take its place when the node was interrupted, and has
 * the storage read from them.
 */
export async function openBases(
  directory: DataDirectory,
  storage: Storage,
  wal: WalFiles,
): Promise<BasesFound> {
  const found = await storage.readCheckpoint();
  const checkpoint = found.state === 'intact' ? found.checkpoint : null;
  // What else stands there is somebody's, and stays.
  const names = (await directory.files.list(directory.baseDirectory)).filter(isBaseName);
  const cut = checkpoint?.snapshotCut ?? 0;
  const current = cut === 0 ? null : await openBase(directory, cut);
  const next = nextCut(names, checkpoint);
  const coming = next === null ? null : await openBase(directory, next);
  if (current?.open) await storage.useBase(current.open.file);
  if (coming?.open) await storage.useNextBase(coming.open.file);
  const originLsn = current === null ? 0 : (current.open?.cut.lsn ?? null);
  const kept = [cut, next].map((commitId) => `${commitId}.base`);
  return {
    base: [current, coming].find((one) => one?.open === null)?.found ??
      current?.found ?? { state: 'not needed', cutCommitId: null },
    originLsn,
    leftovers: [
      ...names.filter((name) => !kept.includes(name)).map((name) => `base/${name}`),
      ...coveredSegments(wal, originLsn),
    ],
  };
}

/** Whether a name in the directory of base files is one that a node gives. */
export function isBaseName(name: string): boolean {
  return /^\d+\.base(\.tmp)?$/.test(name);
}

/** A base file that is whole and lies behind the one of the checkpoint: some entries may speak of it. */
export function nextCut(names: readonly string[], checkpoint: Checkpoint | null): number | null {
  if (checkpoint === null) return null;
  const cuts = names.flatMap((name) => {
    const commitId = Number(/^(\d+)\.base$/.exec(name)?.[1]);
    return commitId > checkpoint.snapshotCut ? [commitId] : [];
  });
  return cuts.length === 0 ? null : Math.min(...cuts);
}

interface BaseOpened {
  readonly found: DiskSurvey['base'];
  readonly open: { readonly file: BaseFile; readonly cut: SnapshotCut } | null;
}

/** Opens a base file where its header says that it is the one. */
async function openBase(directory: DataDirectory, cutCommitId: number): Promise<BaseOpened> {
  const path = directory.baseFile(cutCommitId);
  if ((await directory.files.stat(path)) === null)
    return { found: { state: 'missing', cutCommitId }, open: null };
  const file = await BaseFile.open(directory.files, path);
  const cut = cutIn(file);
  if (cut?.commitId === cutCommitId) return { found: { state: 'intact', cutCommitId }, open: { file, cut } };
  await file.close();
  return { found: { state: 'damaged', cutCommitId }, open: null };
}

/** The cut that a base file is of; `null` where its header is not as it was written. */
export function cutIn(base: BaseFile): SnapshotCut | null {
  const bytes = base.readRecord(0, BASE_HEADER_BYTES);
  return (bytes && decodeBaseHeader(bytes))?.cut ?? null;
}

function coveredSegments({ segments }: WalFiles, originLsn: number | null): string[] {
  return segments
    .filter(({ startLsn }) => startLsn < (originLsn ?? 0))
    .map(({ startLsn }) => `wal/${segmentFileName(startLsn)}`);
}

/** Removes, durably, what only an interrupted start or prune can have left. */
export async function discardLeftovers(
  directory: DataDirectory,
  wal: WalFiles,
  names: readonly string[],
): Promise<void> {
  const isCovered = ({ startLsn }: SegmentFile) => names.includes(`wal/${segmentFileName(startLsn)}`);
  const first = wal.segments.find((segment) => !isCovered(segment));
  if (first !== undefined) await wal.dropBefore(first.startLsn);
  const others = names.filter((name) => !name.startsWith('wal/'));
  for (const name of others) await directory.files.remove(join(directory.root, name));
  const parents = new Set(
    others.map((name) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '.')),
  );
  for (const parent of parents) await directory.files.syncDirectory(join(directory.root, parent));
}
