import { join, resolve } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import type { HaltReason } from '../core/halt.ts';
import type { Identity, Role } from '../core/identity.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import type { FileSystem } from '../io/file-system.ts';
import { readHalt } from '../io/halt-file.ts';
import { placeOfNode } from '../io/wal-beginning.ts';
import type { HistoryPlace, ProvenHistory } from './history.ts';

/** What an explanation is verified against: the node's own files, those of its primary, or bare segment files. */
export type EvidenceSource =
  | {
      readonly kind: 'own files' | 'files of the primary';
      readonly directory: DataDirectory;
      readonly identity: Identity;
    }
  | { readonly kind: 'segment files'; readonly files: FileSystem; readonly walDirectory: string };

export async function placeOf(source: EvidenceSource): Promise<HistoryPlace> {
  if (source.kind === 'segment files')
    return {
      files: source.files,
      walDirectory: resolve(source.walDirectory),
      clusterId: null,
      cuts: [],
      baseDirectory: null,
    };
  const { directory, identity } = source;
  if (source.kind === 'files of the primary' && identity.role !== 'primary')
    throw new ReplichartError('REQUEST_INVALID', `${directory.root} is no data directory of a primary`);
  return { ...(await placeOfNode(directory, identity)), baseDirectory: directory.baseDirectory };
}

/** What the files say that an explanation is held against. */
export interface Evidence {
  readonly source: EvidenceSource;
  readonly history: ProvenHistory;
  /** Only the node's own files say which role it has; `null` otherwise. */
  readonly role: Role | null;
  /** The halt that the node's own files record; `undefined` where they are not at hand. */
  readonly halt: HaltReason | null | undefined;
}

export async function evidenceOf(source: EvidenceSource, history: ProvenHistory): Promise<Evidence> {
  if (source.kind !== 'own files') return { source, history, role: null, halt: undefined };
  const { directory, identity } = source;
  return { source, history, role: identity.role, halt: await readHalt(directory) };
}

/** A file of the node's own directory that an explanation names; `null` where it is not at hand. */
export async function ownFile(
  source: EvidenceSource,
  name: string,
): Promise<{ path: string; directory: DataDirectory } | null> {
  if (source.kind !== 'own files' || !/^evidence\/[\w.-]+$/.test(name)) return null;
  return { path: join(source.directory.root, name), directory: source.directory };
}
