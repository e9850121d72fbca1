import { join, resolve } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { decodeHaltRecord, type HaltReason } from '../core/halt.ts';
import type { Identity, Role } from '../core/identity.ts';
import { FRAME_BYTES_MAX } from '../core/limits.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import { readWholeFile } from '../io/durable-file.ts';
import type { FileSystem } from '../io/file-system.ts';
import { placeOfNode } from '../io/wal/beginning.ts';
import { readHistory, type HistoryPlace, type ProvenHistory, type Sought } from './history.ts';

/** What an explanation is verified against: the node's own files, those of its primary, or bare segment files. */
export type EvidenceSource =
  | {
      readonly kind: 'own files' | 'files of the primary';
      readonly directory: DataDirectory;
      readonly identity: Identity;
    }
  | { readonly kind: 'segment files'; readonly files: FileSystem; readonly walDirectory: string };

/** What only the node's own files say. */
export interface OwnFiles {
  readonly role: Role;
  readonly clusterId: string;
  /** The halt that is recorded now. */
  readonly halt: HaltReason | null;
  /** Halts that were recorded and cleared. */
  readonly clearedHalts: readonly HaltReason[];
  /** From which LSNs on a repair has discarded WAL that broke a rule. */
  readonly discardedAt: readonly number[];
  /** A file that the node kept aside; `null` where it is not there, or cannot be one. */
  readonly keptAside: (name: string) => Promise<Buffer | null>;
}

/** What the files say that an explanation is held against. */
export interface Evidence {
  readonly history: ProvenHistory;
  /** `null` where the files are not the node's own. */
  readonly own: OwnFiles | null;
}

export async function readEvidence(source: EvidenceSource, sought: Sought): Promise<Evidence> {
  // History first: a halt that is recorded meanwhile is then seen, and not taken for one that never was.
  const history = await readHistory(await placeOf(source), sought);
  return { history, own: source.kind === 'own files' ? await ownFiles(source) : null };
}

async function placeOf(source: EvidenceSource): Promise<HistoryPlace> {
  if (source.kind === 'segment files') {
    const walDirectory = resolve(source.walDirectory);
    if (!(await source.files.list(walDirectory)).some((name) => name.endsWith('.wal')))
      throw new ReplichartError('REQUEST_INVALID', `${walDirectory} holds no segment file`);
    return { files: source.files, walDirectory, clusterId: null, cuts: [], baseDirectory: null };
  }
  const { directory, identity } = source;
  if (source.kind === 'files of the primary' && identity.role !== 'primary')
    throw new ReplichartError('REQUEST_INVALID', `${directory.root} is no data directory of a primary`);
  return { ...(await placeOfNode(directory, identity)), baseDirectory: directory.baseDirectory };
}

async function ownFiles({
  directory,
  identity,
}: EvidenceSource & { kind: 'own files' | 'files of the primary' }): Promise<OwnFiles> {
  const { files, evidenceDirectory, haltFile, root } = directory;
  const names = await files.list(evidenceDirectory);
  const haltIn = async (path: string) => {
    const bytes = await readBounded(files, path);
    return bytes && decodeHaltRecord(bytes);
  };
  const cleared: HaltReason[] = [];
  for (const name of names.filter((one) => /^halt-\d+$/.test(one))) {
    const halt = await haltIn(join(evidenceDirectory, name));
    if (halt !== null) cleared.push(halt);
  }
  return {
    role: identity.role,
    clusterId: identity.clusterId,
    halt: await haltIn(haltFile),
    clearedHalts: cleared,
    discardedAt: names.flatMap((name) => {
      const lsn = /^discarded-at-(\d{1,16})$/.exec(name)?.[1];
      return lsn === undefined ? [] : [Number(lsn)];
    }),
    keptAside: async (name) =>
      /^evidence\/[\w-]+$/.test(name) ? readBounded(files, join(root, name)) : null,
  };
}

/** Nothing that a node records or keeps aside is larger than a frame, so nothing larger is read. */
async function readBounded(files: FileSystem, path: string): Promise<Buffer | null> {
  const found = await files.stat(path);
  if (found === null) return null;
  if (found.kind !== 'file' || found.bytes > FRAME_BYTES_MAX)
    throw new ReplichartError('REQUEST_INVALID', `${path} is no file that a node writes`, {
      evidence: { path, ...found },
    });
  return readWholeFile(files, path);
}
