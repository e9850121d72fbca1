import { ReplichartError } from '../core/errors.ts';
import { effectFault } from '../core/halt.ts';
import type { SnapshotCut } from '../core/storage/base-format.ts';
import type { Manifest } from '../core/storage/manifest.ts';
import type { SnapshotStore } from '../io/snapshot-store.ts';
import type { Storage } from '../io/storage.ts';
import type { WritePath } from './write-path.ts';

/** Makes and removes snapshots of a primary, one at a time, while it goes on writing. */
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
    return this.#inTurn('the snapshot cannot be made', async () => {
      const { commitId } = writePath.applied;
      if (commitId === 0)
        throw new ReplichartError(
          'REQUEST_INVALID',
          'there is nothing to make a snapshot of: no commit was made',
        );
      const found = await this.#store.find(String(commitId));
      if (found !== null) return found;
      const cut = await writePath.cut();
      return (
        (await this.#store.find(String(cut.commitId))) ??
        (await this.#store.create({ clusterId, cut }, storage.resolver.versions(cut.commitId)))
      );
    });
  }

  /**
   * Removes a snapshot, so that history may be pruned up to the next one.
   *
   * @throws ReplichartError `SNAPSHOT_UNKNOWN`, `STORAGE_FAILED`
   */
  remove(snapshotId: string): Promise<void> {
    return this.#inTurn('the snapshot cannot be removed', () => this.#store.remove(snapshotId));
  }

  /**
   * Where the oldest snapshot was cut: a replica that begins anew needs one, and the WAL behind it.
   *
   * @throws ReplichartError `REQUEST_INVALID` where there is none, `SNAPSHOT_CORRUPT`
   */
  oldestCut(): Promise<SnapshotCut> {
    return this.#inTurn('the snapshots cannot be read', async () => {
      const [oldest] = await this.#store.list();
      if (oldest !== undefined) return (await this.#store.manifest(oldest)).cut;
      throw new ReplichartError(
        'REQUEST_INVALID',
        'make a snapshot first: without one no replica could begin once history is pruned',
      );
    });
  }

  #inTurn<Result>(failure: string, work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work).catch((error: unknown) => {
      throw failureOf(failure, error);
    });
    // Whoever asked is told of a failure; the next one begins all the same.
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** A disk that is full or broken is expected, and leaves the primary as it was: no part of a snapshot stays. */
function failureOf(what: string, error: unknown): unknown {
  if (error instanceof ReplichartError) return error;
  const { code, message, error: described } = effectFault('createSnapshot', error);
  return new ReplichartError(code, `${what}: ${message}`, {
    evidence: { error: described },
    cause: error,
  });
}
