import { ReplichartError } from '../core/errors.ts';
import { effectFault } from '../core/halt.ts';
import type { Manifest } from '../core/storage/manifest.ts';
import type { SnapshotStore } from '../io/snapshot-store.ts';
import type { Storage } from '../io/storage.ts';
import type { WritePath } from './write-path.ts';

/** Makes snapshots of a primary, one at a time, while it goes on writing. */
export class SnapshotMaker {
  readonly #store: SnapshotStore;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: SnapshotStore) {
    this.#store = store;
  }

  /**
   * Cuts history at a segment boundary, then copies the versions up to the cut while later commits go on. A snapshot
   * of the same commit id is not made twice.
   *
   * @throws ReplichartError `REQUEST_INVALID` before the first commit, `STORAGE_FAILED` where its files cannot be written,
   *   `INDEX_DAMAGED` where a version does not verify, or as the write path does.
   */
  create(clusterId: string, storage: Storage, writePath: WritePath): Promise<Manifest> {
    const made = this.#last.then(async () => {
      const { commitId } = writePath.applied;
      if (commitId === 0)
        throw new ReplichartError(
          'REQUEST_INVALID',
          'there is nothing to make a snapshot of: no commit was made',
        );
      try {
        const found = await this.#store.find(String(commitId));
        if (found !== null) return found;
        const cut = await writePath.cut();
        return (
          (await this.#store.find(String(cut.commitId))) ??
          (await this.#store.create({ clusterId, cut }, storage.versions(cut.commitId)))
        );
      } catch (error) {
        throw failureOf(error);
      }
    });
    // Whoever asked is told of a failure; the next snapshot begins all the same.
    this.#last = made.then(
      () => undefined,
      () => undefined,
    );
    return made;
  }
}

/** A disk that is full or broken is expected, and leaves the primary as it was: no part of a snapshot stays. */
function failureOf(error: unknown): unknown {
  if (error instanceof ReplichartError) return error;
  const { code, message, error: described } = effectFault('createSnapshot', error);
  return new ReplichartError(code, `the snapshot cannot be made: ${message}`, {
    evidence: { error: described },
    cause: error,
  });
}
