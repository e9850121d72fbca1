import type { IndexedPlace } from '../core/storage/index-entry.ts';
import { forEachOperation, namesIn } from '../core/wal/payload.ts';
import type { ProvenFrame } from '../core/wal/proof.ts';

/** A few megabytes with keys of a common length. */
const DOCUMENTS_MAX = 16_384;

export interface Latest {
  readonly collection: Buffer;
  readonly id: Buffer;
  readonly commitId: number;
  readonly place: IndexedPlace;
}

/**
 * Where the newest versions of the documents stand that were read lately, so that the index is not searched for them again. What
 * is found here is read from the log and verified like everything else.
 *
 * Guarantees: whatever is found is the newest version that was applied, so it is what every view sees whose bound is not below it.
 */
export class LatestVersions {
  /** By a hash of the names: two documents of the same hash take turns. */
  readonly #documents = new Map<number, Latest>();

  find(collection: Buffer, id: Buffer): Latest | null {
    const found = this.#documents.get(hashOfNames(collection, id));
    return found !== undefined && found.id.equals(id) && found.collection.equals(collection) ? found : null;
  }

  /** Only for what is the newest version now. */
  keep(latest: Latest): void {
    const { collection, id } = latest;
    const hash = hashOfNames(collection, id);
    // Those that were taken in first go first: what is read often comes back.
    this.#documents.delete(hash);
    if (this.#documents.size >= DOCUMENTS_MAX) {
      const [oldest] = this.#documents.keys();
      this.#documents.delete(oldest as number);
    }
    this.#documents.set(hash, latest);
  }

  /** Before versions are applied that are newer. */
  forget(frames: readonly ProvenFrame[]): void {
    if (this.#documents.size === 0) return;
    for (const { bytes } of frames)
      forEachOperation(bytes, (_commitId, offset) => {
        const { collectionAt, end } = namesIn(bytes, offset);
        this.#documents.delete(hashed(OFFSET_BASIS, bytes, collectionAt, end) & HASH_BITS);
      });
  }

  clear(): void {
    this.#documents.clear();
  }
}

const OFFSET_BASIS = 0x811c_9dc5;
const PRIME = 0x0100_0193;
/** Numbers of so many bits are the fastest keys of a map. */
const HASH_BITS = 0x3fff_ffff;

function hashOfNames(collection: Buffer, id: Buffer): number {
  const begun = hashed(OFFSET_BASIS, collection, 0, collection.length);
  return hashed(begun, id, 0, id.length) & HASH_BITS;
}

/** FNV-1a, goes on from what was hashed before. */
function hashed(before: number, bytes: Buffer, from: number, to: number): number {
  let hash = before;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), PRIME);
  return hash;
}
