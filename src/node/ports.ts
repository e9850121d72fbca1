import type { Logger } from 'pino';
import type { FileSystem } from '../io/file-system.ts';
import type { WalSource } from '../io/wal-source.ts';
import type { VersionIndexStore } from '../io/version-index.ts';

/** Everything that is not pure, handed in, so that a whole node can run in a simulation. */
export interface NodePorts {
  readonly files: FileSystem;
  /** The index store for a directory. */
  readonly indexStore: (files: FileSystem, directory: string) => VersionIndexStore;
  /** A host's own source of history; left out, HTTP to the primary. */
  readonly walSource?: (() => WalSource) | undefined;
  readonly logger: Logger;
  readonly newUuid: () => string;
}
