import type { Position } from '../core/position.ts';
import type { Version } from '../core/storage/version.ts';
import { stateDigest, type StateDigest } from '../io/state-digest.ts';
import type { Storage } from '../io/storage.ts';

/** A document as a view sees it. */
export interface ReadDocument {
  readonly collection: Buffer;
  readonly id: Buffer;
  /** The commit that wrote this version. */
  readonly commitId: number;
  readonly document: Buffer;
}

export interface ScanOptions {
  /** Only ids after this one. */
  readonly after?: string | Uint8Array;
  readonly limit?: number;
}

/**
 * An immutable view: one upper bound on commit ids. Versions are never changed and later ones lie above the bound, so
 * what it shows stays the same whatever is applied meanwhile (P5-I7).
 */
export class ReadView {
  /** The view's upper bound. */
  readonly commitId: number;
  /** Where the node stood when the view was made. */
  readonly position: Position;
  readonly #storage: Storage;

  constructor(storage: Storage, commitId: number, position: Position) {
    this.#storage = storage;
    this.commitId = commitId;
    this.position = position;
  }

  /** @throws ReplichartError `INDEX_DAMAGED` where a stored version does not verify. */
  async get(collection: string | Uint8Array, id: string | Uint8Array): Promise<ReadDocument | null> {
    const version = await this.#storage.get(this.commitId, toBuffer(collection), toBuffer(id));
    return version && documentOf(version);
  }

  /** The digest of all the state that the view sees: equal digests at equal commit ids are equal states. */
  stateDigest(): Promise<StateDigest> {
    return stateDigest(this.#storage, this.commitId);
  }

  /** Documents in id order; memory does not grow with the collection. */
  async *scan(collection: string | Uint8Array, options: ScanOptions = {}): AsyncGenerator<ReadDocument> {
    const after = options.after === undefined ? null : toBuffer(options.after);
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    for await (const version of this.#storage.scan(this.commitId, toBuffer(collection), after)) {
      yield documentOf(version);
      left -= 1;
      if (left <= 0) return;
    }
  }
}

function toBuffer(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
}

function documentOf({ collection, id, commitId, document }: Version): ReadDocument {
  return { collection, id, commitId, document: document as Buffer };
}
