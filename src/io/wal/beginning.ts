import { join } from 'node:path';
import { UNBOUND_CLUSTER, type Identity } from '../../core/identity.ts';
import { SEGMENT_HEADER_BYTES } from '../../core/limits.ts';
import type { SnapshotCut } from '../../core/storage/base-format.ts';
import { chainAtCut, chainAtSegment, genesisChain, type ChainState } from '../../core/wal/chain.ts';
import { ProvenBatch } from '../../core/wal/proof.ts';
import { readSegmentHeader } from '../../core/wal/segment-header.ts';
import { BaseFile } from '../base-file.ts';
import { cutIn } from '../base-files.ts';
import type { DataDirectory } from '../data-directory.ts';
import type { FileSystem } from '../file-system.ts';
import type { SegmentFile, WalFiles } from './files.ts';

/** Where segment files stand, and what is known of their history beside them. */
export interface WalPlace {
  readonly files: FileSystem;
  readonly walDirectory: string;
  /** `null`: the cluster is the one that the first segment names. */
  readonly clusterId: string | null;
  /** The cuts that a WAL of this node may begin with. */
  readonly cuts: readonly SnapshotCut[];
}

/** The WAL of a node, running or not. */
export async function placeOfNode(directory: DataDirectory, { clusterId }: Identity): Promise<WalPlace> {
  const { files, walDirectory } = directory;
  return { files, walDirectory, clusterId, cuts: await cutsOf(directory) };
}

/** The cuts that the base files of a node are of, as far as their headers are intact. */
async function cutsOf({ files, baseDirectory }: DataDirectory): Promise<SnapshotCut[]> {
  const cuts: SnapshotCut[] = [];
  for (const name of await files.list(baseDirectory)) {
    if (!name.endsWith('.base')) continue;
    const path = join(baseDirectory, name);
    // A running node may have put another one in its place since it was listed.
    if ((await files.stat(path)) === null) continue;
    const base = await BaseFile.open(files, path);
    try {
      const cut = cutIn(base);
      if (cut !== null) cuts.push(cut);
    } finally {
      await base.close();
    }
  }
  return cuts;
}

/** A WAL begins with the history of its cluster, or where a base file of the same node ends. */
export function chainAtStart(
  clusterId: string,
  startLsn: number,
  cuts: readonly SnapshotCut[],
): ChainState | null {
  if (startLsn === 0) return genesisChain(clusterId);
  const cut = cuts.find(({ lsn }) => lsn === startLsn);
  return cut === undefined ? null : chainAtCut(clusterId, cut);
}

/**
 * Which of the segments is the first that counts. Where it is not known what was before the first one, those that the newest
 * base file covers were left by an interrupted prune.
 */
export function firstSegment({ segments, startLsn }: WalFiles, cuts: readonly SnapshotCut[]): number {
  if (startLsn === 0 || cuts.some(({ lsn }) => lsn === startLsn)) return 0;
  const isCut = (segment: SegmentFile) => cuts.some(({ lsn }) => lsn === segment.startLsn);
  return Math.max(0, segments.findLastIndex(isCut));
}

/** A segment to begin with, and by whose word its history is what it is. */
export interface Beginning {
  readonly chain: ChainState;
  readonly hashFrom: 'genesis' | 'base file' | 'segment header';
  /** Whether files stand before it that are not looked at. */
  readonly isSought: boolean;
}

/** The first thing that is looked for; all before its segment is left out. Where nothing is, nothing is left out. */
export interface Sought {
  readonly lsn: number | null;
  readonly commitId: number | null;
}

/**
 * The last segment before whose start nothing is sought, by its start LSN and by the first commit id of its header; a
 * header that is not intact does not count. `null` where there are no segments. Reads one header a segment, from the
 * end on.
 */
export async function findBeginning(
  wal: WalFiles,
  { clusterId, cuts }: WalPlace,
  { lsn, commitId }: Sought,
): Promise<Beginning | null> {
  const isSeeking = lsn !== null || commitId !== null;
  const first = firstSegment(wal, cuts);
  for (let index = wal.segments.length - 1; index >= first; index -= 1) {
    const startLsn = wal.segments[index]?.startLsn as number;
    if (index > first && (!isSeeking || startLsn > (lsn ?? Infinity))) continue;
    const header = await chainByHeader(wal, startLsn);
    const holds = header.isIntact && header.chain.commitId < (commitId ?? Infinity);
    if (index > first && !holds) continue;
    const cluster = clusterId ?? header.chain.clusterId;
    const known = chainAtStart(cluster, startLsn, cuts);
    return {
      chain: known ?? { ...header.chain, clusterId: cluster },
      hashFrom: known === null ? 'segment header' : startLsn === 0 ? 'genesis' : 'base file',
      isSought: index > first,
    };
  }
  return null;
}

/** A header is taken at its word about the history before it; `isIntact`: all else that is proved of it holds. */
async function chainByHeader(
  wal: WalFiles,
  startLsn: number,
): Promise<{ readonly chain: ChainState; readonly isIntact: boolean }> {
  const bytes = await wal.read(startLsn, SEGMENT_HEADER_BYTES);
  const told =
    bytes.length < SEGMENT_HEADER_BYTES
      ? genesisChain(UNBOUND_CLUSTER)
      : chainAtSegment(readSegmentHeader(bytes));
  const chain = { ...told, lsn: startLsn, segmentStartLsn: startLsn };
  return { chain, isIntact: ProvenBatch.prove(chain, bytes).batch.to.lsn > startLsn };
}
