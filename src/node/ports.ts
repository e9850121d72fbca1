import type { Logger } from 'pino';
import type { FileSystem } from '../io/file-system.ts';
import type { VersionIndexStore } from '../io/version-index.ts';

/** Everything that is not pure, handed in, so that a whole node can run in a simulation. */
export interface NodePorts {
  readonly files: FileSystem;
  /** The index store for a directory. */
  readonly indexStore: (files: FileSystem, directory: string) => VersionIndexStore;
  readonly logger: Logger;
  readonly newUuid: () => string;
}
