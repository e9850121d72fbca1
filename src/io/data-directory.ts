import { dirname, join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { decodeIdentity, encodeIdentity, type Identity, type IdentityFound } from '../core/identity.ts';
import { createFile, makeDirectoryDurably, readWholeFile, replaceFile } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';

const FLIGHT_DIRECTORY = 'flight';

/** Where things stand in the data directory of a node (docs/FORMAT.md). */
export class DataDirectory {
  readonly root: string;
  readonly files: FileSystem;

  constructor(files: FileSystem, root: string) {
    this.files = files;
    this.root = root;
  }

  get identityFile(): string {
    return join(this.root, 'identity');
  }
  get walDirectory(): string {
    return join(this.root, 'wal');
  }
  get indexDirectory(): string {
    return join(this.root, 'index');
  }
  get baseDirectory(): string {
    return join(this.root, 'base');
  }
  get incomingDirectory(): string {
    return join(this.root, 'incoming');
  }
  get snapshotsDirectory(): string {
    return join(this.root, 'snapshots');
  }
  get haltFile(): string {
    return join(this.root, 'halt');
  }
  get evidenceDirectory(): string {
    return join(this.root, 'evidence');
  }
  get flightDirectory(): string {
    return join(this.root, FLIGHT_DIRECTORY);
  }

  /** The base file of a cut. */
  baseFile(cutCommitId: number): string {
    return join(this.baseDirectory, `${cutCommitId}.base`);
  }

  /** What stands where the identity should; without one, which other things stand in the directory. */
  async readIdentity(): Promise<IdentityFound> {
    const bytes = await readWholeFile(this.files, this.identityFile);
    if (bytes !== null) return decodeIdentity(bytes);
    // Journals of the flight recorder are nobody's data: nothing is ever read from them to run a node.
    const dataFiles = (await this.files.list(this.root)).filter(
      (name) => !/^identity\..*tmp$|^identity\.tmp$/.test(name) && name !== FLIGHT_DIRECTORY,
    );
    return { state: 'absent', dataFiles };
  }

  /** Makes an empty directory this node's own. @throws ReplichartError where another process was faster. */
  async claim(identity: Identity): Promise<void> {
    await makeDirectoryDurably(this.files, this.root);
    await this.files.syncDirectory(dirname(this.root));
    try {
      await createFile(this.files, this.identityFile, identity.nodeId, encodeIdentity(identity));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new ReplichartError('DATA_DIRECTORY_IN_USE', 'another process claimed the data directory', {
        cause: error,
      });
    }
  }

  /** Binds a node that knew of no cluster; the only time that an identity is written anew. */
  async bind(identity: Identity): Promise<void> {
    const found = await this.readIdentity();
    if (found.state !== 'present' || found.identity.nodeId !== identity.nodeId)
      throw new ReplichartError('DATA_DIRECTORY_IN_USE', 'another process claimed the data directory');
    await replaceFile(this.files, this.identityFile, encodeIdentity(identity));
  }
}
