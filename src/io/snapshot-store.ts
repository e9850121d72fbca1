import { join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import type { BaseHeader } from '../core/storage/base-format.ts';
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  type ManifestFound,
} from '../core/storage/manifest.ts';
import { writeBaseFile } from './base-file.ts';
import type { DataDirectory } from './data-directory.ts';
import { ensureDirectory, readWholeFile, replaceFile } from './durable-file.ts';
import type { StoredVersion } from '../core/storage/version.ts';

const PARTIAL = '.partial';
const DATA_FILE = 'data.base';
const MANIFEST_FILE = 'manifest';

/** The snapshots of a primary: a directory each, which appears whole or not at all. */
export class SnapshotStore {
  readonly #directory: DataDirectory;
  /** Why a name could not be made durable; whether it is on disk is unknown then, and only a restart can tell. */
  #failure: unknown = null;

  constructor(directory: DataDirectory) {
    this.#directory = directory;
  }

  /**
   * Snapshots that a crash left half-made are nothing, and go. The names of the others are made durable: an earlier process
   * may have died before it did.
   */
  async discardPartial(): Promise<void> {
    const { files, snapshotsDirectory } = this.#directory;
    const names = await files.list(snapshotsDirectory);
    for (const name of names)
      if (name.endsWith(PARTIAL)) await files.removeTree(join(snapshotsDirectory, name));
    if (names.length > 0) await files.syncDirectory(snapshotsDirectory);
  }

  /**
   * The manifest of a snapshot that is there durably, or `null`.
   *
   * @throws the error after which it is not known what is durable.
   */
  async find(snapshotId: string): Promise<Manifest | null> {
    if (this.#failure !== null) throw this.#failure as Error;
    return (await this.list()).includes(snapshotId) ? this.manifest(snapshotId) : null;
  }

  /** Ids of the snapshots there are, the oldest cut first. */
  async list(): Promise<string[]> {
    const names = await this.#directory.files.list(this.#directory.snapshotsDirectory);
    return names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  }

  /** Makes the snapshot of a cut from the versions that it sees. */
  async create(header: BaseHeader, versions: AsyncIterable<StoredVersion>): Promise<Manifest> {
    const { files, snapshotsDirectory } = this.#directory;
    const snapshotId = String(header.cut.commitId);
    const partial = join(snapshotsDirectory, `${snapshotId}${PARTIAL}`);
    await ensureDirectory(files, snapshotsDirectory);
    await files.removeTree(partial);
    await files.makeDirectory(partial);
    const manifest = await this.#write(partial, snapshotId, header, versions);
    try {
      await files.rename(partial, join(snapshotsDirectory, snapshotId));
      await files.syncDirectory(snapshotsDirectory);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    return manifest;
  }

  /**
   * Removes a snapshot: at once it is none any more, and then its bytes go.
   *
   * @throws ReplichartError `SNAPSHOT_UNKNOWN`
   */
  async remove(snapshotId: string): Promise<void> {
    if (this.#failure !== null) throw this.#failure as Error;
    if (!(await this.list()).includes(snapshotId)) throw unknownSnapshot(snapshotId);
    const { files, snapshotsDirectory } = this.#directory;
    const partial = join(snapshotsDirectory, `${snapshotId}${PARTIAL}`);
    await files.removeTree(partial);
    try {
      await files.rename(join(snapshotsDirectory, snapshotId), partial);
      await files.syncDirectory(snapshotsDirectory);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    await files.removeTree(partial);
  }

  /** What could not be made whole is removed at once: a full disk must not stay full because of it. */
  async #write(
    partial: string,
    snapshotId: string,
    header: BaseHeader,
    versions: AsyncIterable<StoredVersion>,
  ): Promise<Manifest> {
    const { files } = this.#directory;
    try {
      const manifest = await writeBaseFile(files, join(partial, DATA_FILE), snapshotId, header, versions);
      await replaceFile(files, join(partial, MANIFEST_FILE), encodeManifest(manifest));
      return manifest;
    } catch (error) {
      await files.removeTree(partial);
      throw error;
    }
  }

  /** The manifest as it is stored. @throws ReplichartError `SNAPSHOT_UNKNOWN` */
  async manifestBytes(snapshotId: string): Promise<Buffer> {
    if (!/^\d+$/.test(snapshotId)) throw unknownSnapshot(snapshotId);
    const path = this.#path(snapshotId, MANIFEST_FILE);
    const bytes = await this.#unlessRemoved(snapshotId, () => readWholeFile(this.#directory.files, path));
    if (bytes === null) throw unknownSnapshot(snapshotId);
    return bytes;
  }

  /** What fails because the snapshot was removed meanwhile says so. */
  async #unlessRemoved<Result>(snapshotId: string, read: () => Promise<Result>): Promise<Result> {
    try {
      return await read();
    } catch (error) {
      if ((await this.list()).includes(snapshotId)) throw error;
      throw unknownSnapshot(snapshotId);
    }
  }

  /** The manifest of a snapshot, or that it is damaged. @throws ReplichartError `SNAPSHOT_UNKNOWN` */
  async inspect(snapshotId: string): Promise<ManifestFound & { readonly snapshotId: string }> {
    return { ...decodeManifest(await this.manifestBytes(snapshotId)), snapshotId };
  }

  /** The same of several; one that is removed meanwhile is not among them. */
  async inspectAll(
    snapshotIds: readonly string[],
  ): Promise<(ManifestFound & { readonly snapshotId: string })[]> {
    const found = await Promise.all(
      snapshotIds.map((id) =>
        this.inspect(id).catch((error: unknown) => {
          if (error instanceof ReplichartError && error.code === 'SNAPSHOT_UNKNOWN') return null;
          throw error;
        }),
      ),
    );
    return found.filter((one) => one !== null);
  }

  /** @throws ReplichartError `SNAPSHOT_UNKNOWN`, `SNAPSHOT_CORRUPT` */
  async manifest(snapshotId: string): Promise<Manifest> {
    const found = await this.inspect(snapshotId);
    if (found.state === 'intact') return found.manifest;
    throw new ReplichartError('SNAPSHOT_CORRUPT', `the manifest of snapshot ${snapshotId} is damaged`, {
      evidence: { snapshot_id: snapshotId, expected: found.expected, found: found.found },
    });
  }

  /** The bytes of one block of a snapshot. @throws ReplichartError `SNAPSHOT_UNKNOWN`, `SNAPSHOT_CORRUPT` */
  async block(snapshotId: string, index: number): Promise<Buffer> {
    return this.#unlessRemoved(snapshotId, () => this.#block(snapshotId, index));
  }

  async #block(snapshotId: string, index: number): Promise<Buffer> {
    const block = (await this.manifest(snapshotId)).blocks[index];
    if (block === undefined)
      throw new ReplichartError('SNAPSHOT_UNKNOWN', `snapshot ${snapshotId} has no block ${index}`);
    const stat = await this.#directory.files.stat(this.dataFile(snapshotId));
    if (stat === null)
      throw new ReplichartError('SNAPSHOT_CORRUPT', `the data of snapshot ${snapshotId} is gone`, {
        evidence: { snapshot_id: snapshotId, file: DATA_FILE },
      });
    const handle = await this.#directory.files.open(this.dataFile(snapshotId), 'read');
    try {
      const buffer = Buffer.allocUnsafeSlow(block.bytes);
      return buffer.subarray(0, await handle.read(buffer, block.offset));
    } finally {
      await handle.close();
    }
  }

  dataFile(snapshotId: string): string {
    return this.#path(snapshotId, DATA_FILE);
  }

  #path(snapshotId: string, file: string): string {
    return join(this.#directory.snapshotsDirectory, snapshotId, file);
  }
}

function unknownSnapshot(snapshotId: string): ReplichartError {
  return new ReplichartError('SNAPSHOT_UNKNOWN', `there is no snapshot ${snapshotId}`);
}
