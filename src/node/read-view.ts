import type { Position } from '../core/position.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import { explainRange, type RangeDigest } from '../core/explain/visibility.ts';
import type { ReadFacts } from '../core/read-safety.ts';
import type { StoredVersion, Version } from '../core/storage/version.ts';
import { explainStored } from './explain-read.ts';
import { stateDigest, type StateDigest } from '../io/state-digest.ts';
import type { ReadResolver } from '../io/read-resolver.ts';

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
  readonly #resolver: ReadResolver;
  readonly #admission: ReadFacts;

  /** `admission`: the facts on which the gate admitted the read. */
  constructor(resolver: ReadResolver, commitId: number, position: Position, admission: ReadFacts) {
    this.#resolver = resolver;
    this.commitId = commitId;
    this.position = position;
    this.#admission = admission;
  }

  /** @throws ReplichartError `INDEX_DAMAGED` where a stored version does not verify. */
  async get(collection: string | Uint8Array, id: string | Uint8Array): Promise<ReadDocument | null> {
    const version = await this.#resolver.get(this.commitId, toBuffer(collection), toBuffer(id));
    return version && documentOf(version);
  }

  /** The documents of several ids, in the order of the ids; `null` where there is none. */
  getMany(
    collection: string | Uint8Array,
    ids: readonly (string | Uint8Array)[],
  ): Promise<(ReadDocument | null)[]> {
    return Promise.all(ids.map((id) => this.get(collection, id)));
  }

  /** The digest of all the state that the view sees: equal digests at equal commit ids are equal states. */
  stateDigest(): Promise<StateDigest> {
    return stateDigest(this.#resolver, this.commitId);
  }

  /** The proof of a read of one document: the rules that admitted it and the versions that it chose from. */
  explain(collection: string | Uint8Array, id: string | Uint8Array): Promise<Explanation> {
    return explainStored(this.#resolver, this.#admission, toBuffer(collection), toBuffer(id));
  }

  /** The proof of a range read, from what was collected while it was read. */
  explainRange(
    collection: string | Uint8Array,
    after: Buffer | null,
    read: RangeDigest,
    more: boolean,
  ): Explanation {
    return explainRange({
      gate: this.#admission,
      collection: toBuffer(collection),
      after,
      last: read.last,
      range: read.facts(more),
    });
  }

  /** Every version within the view, in key order, after a key: what the state digest is made over. */
  versions(after?: Buffer): AsyncGenerator<StoredVersion> {
    return this.#resolver.versions(this.commitId, after);
  }

  /** Documents in id order; memory does not grow with the collection. */
  async *scan(collection: string | Uint8Array, options: ScanOptions = {}): AsyncGenerator<ReadDocument> {
    for await (const version of this.scanStored(collection, options)) yield documentOf(version);
  }

  /** The same with the operation records: what a proof of the range is made over. */
  async *scanStored(
    collection: string | Uint8Array,
    options: ScanOptions = {},
  ): AsyncGenerator<StoredVersion> {
    const after = options.after === undefined ? null : toBuffer(options.after);
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    for await (const version of this.#resolver.scan(this.commitId, toBuffer(collection), after)) {
      yield version;
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
