import { hex } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import {
  afterDocument,
  AFTER_VERSION_KEYS,
  collectionBounds,
  commitIdOfKey,
  decodeIndexValue,
  documentPrefix,
  FIRST_VERSION_KEY,
  versionKey,
  type IndexedPlace,
} from '../core/storage/index-entry.ts';
import type { StoredVersion, Version } from '../core/storage/version.ts';
import type { ProvenFrame } from '../core/wal/proof.ts';
import { LatestVersions, type Latest } from './latest-versions.ts';
import { isNamedBy, isOf, versionIn, type IsMeant, type Standing } from './stored-record.ts';
import type { IndexEntry, VersionIndex } from './version-index.ts';
import type { VersionLog } from './version-log.ts';

/**
 * The one read resolver, of primary and replica alike (P5-I7): which version of a document a view sees, found in the index and
 * read from the log. Whatever it gives carries its checksum, and is of the document and the commit that were looked for.
 */
export class ReadResolver {
  readonly #index: VersionIndex;
  readonly #log: VersionLog;
  readonly #latest = new LatestVersions();
  #found = 0;
  #moves = 0;
  #isClosed = false;
  /** The last commit in the index; `null` as long as it is not known, or something is being applied. */
  #head: number | null = null;
  #isApplying = false;

  constructor(index: VersionIndex, log: VersionLog) {
    this.#index = index;
    this.#log = log;
  }

  /** The index was looked at. Whoever asks while a batch is applied is told where it stood before. */
  standsAt(commitId: number | null): void {
    if (!this.#isApplying) this.#head ??= commitId;
  }

  /** Before versions are applied; `null`: what is in the index is another state from then on. */
  applies(frames: readonly ProvenFrame[] | null): void {
    this.#head = null;
    this.#isApplying = true;
    if (frames === null) this.#latest.clear();
    else this.#latest.forget(frames);
  }

  /** Behind it; `null`: the index has to be looked at to know where it stands. */
  applied(commitId: number | null): void {
    this.#isApplying = false;
    this.#head = commitId;
  }

  /** Versions stand elsewhere from now on. */
  moved(): void {
    this.#moves += 1;
    this.#latest.clear();
  }

  /** Nothing is in the index any more. */
  clear(): void {
    this.#head = null;
    this.#latest.clear();
  }

  /** From now on what is read is refused, and is no damage. */
  close(): void {
    this.#isClosed = true;
  }

  /** The version of a document that a view sees: the newest with a commit id of at most `bound`. */
  async get(bound: number, collection: Buffer, id: Buffer): Promise<Version | null> {
    const version = await this.newest(bound, collection, id);
    return version === null || version.document === null ? null : version;
  }

  /** The version that a view sees, also where it is a deletion. */
  async newest(bound: number, collection: Buffer, id: Buffer): Promise<StoredVersion | null> {
    const latest = this.#latest.find(collection, id);
    if (latest !== null && latest.commitId <= bound) return this.#readLatest(latest);
    return this.#whileOpen(async () => {
      const head = this.#head;
      const moves = this.#moves;
      const entry = await this.#index.first(versionKey(collection, id, bound), afterDocument(collection, id));
      if (entry === undefined) return null;
      const standing = this.#standing(entry);
      const version = await this.#readAt(standing, entry.key);
      // What a view of an older bound sees, or one that was searched for while something was applied, may not be the newest.
      if (head !== null && bound >= head && this.#head === head && this.#moves === moves)
        this.#latest.keep({ collection: Buffer.from(collection), id: Buffer.from(id), ...standing });
      return version;
    });
  }

  /** The versions of one document with a commit id of at most `bound`, newest first. */
  async *chain(bound: number, collection: Buffer, id: Buffer): AsyncGenerator<StoredVersion> {
    const from = versionKey(collection, id, bound);
    for await (const page of this.#pages(from, afterDocument(collection, id)))
      for (const entry of page) yield await this.#read(entry);
  }

  /**
   * The documents of a collection that a view sees, in id order, after `after`. Deleted ones are left out. Bounded
   * memory: a page of index entries at a time.
   */
  async *scan(bound: number, collection: Buffer, after: Buffer | null): AsyncGenerator<StoredVersion> {
    const bounds = collectionBounds(collection);
    const from = after === null ? bounds.from : afterDocument(collection, after);
    let seen: Buffer = NO_DOCUMENT;
    for await (const page of this.#pages(from, bounds.to))
      for (const entry of page) {
        // Of each key, the first entry within the bound: entries come newest first.
        const document = documentPrefix(entry.key);
        if (commitIdOfKey(entry.key) > bound || seen.equals(document)) continue;
        seen = document;
        const version = this.#readNow(entry) ?? (await this.#read(entry));
        if (version.document !== null) yield version;
      }
  }

  /**
   * Every retained version with a commit id of at most `bound`, in key order, newest first within a key; of those with
   * keys after `after`, if that is given.
   */
  async *versions(bound: number, after?: Buffer): AsyncGenerator<StoredVersion> {
    // The shortest key after a key is that key and a zero byte.
    const from = after === undefined ? FIRST_VERSION_KEY : Buffer.concat([after, Buffer.from([0])]);
    for await (const page of this.#pages(from, AFTER_VERSION_KEYS))
      for (const entry of page)
        if (commitIdOfKey(entry.key) <= bound) yield this.#readNow(entry) ?? (await this.#read(entry));
  }

  async *#pages(from: Buffer, to: Buffer): AsyncGenerator<readonly IndexEntry[]> {
    const pages = this.#index.pages(from, to)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#whileOpen(() => pages.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await pages.return?.();
    }
  }

  /** A view may outlive its node: what files that were closed say of themselves is no answer and no fault. */
  async #whileOpen<Found>(read: () => Promise<Found>): Promise<Found> {
    try {
      return await read();
    } catch (error) {
      if (!this.#isClosed) throw error;
      throw new ReplichartError('READS_BLOCKED', 'the node closed its files while the view was read', {
        cause: error,
      });
    }
  }

  #read(entry: IndexEntry): Promise<StoredVersion> {
    return this.#readAt(this.#standing(entry), entry.key);
  }

  /** The same at once; `undefined` where something has to be waited for, or is not as it is meant to be. */
  #readNow(entry: IndexEntry): StoredVersion | undefined {
    if (this.#isClosed) return undefined;
    const standing = this.#standing(entry);
    const bytes = this.#log.readNow(standing.place);
    if (bytes === undefined || bytes === null) return undefined;
    try {
      return versionIn(bytes, standing, isNamedBy(entry.key));
    } catch {
      // Read once more, and asked about, before anything is called damage.
      return undefined;
    }
  }

  #readAt(standing: Standing, key: Buffer): Promise<StoredVersion> {
    return this.#whileOpen(() =>
      this.#readHere(standing, key, isNamedBy(key), (place) => this.#log.read(place)),
    );
  }

  #readLatest(latest: Latest): Promise<StoredVersion> {
    this.#found += 1;
    const isAside = this.#found % FOUND_IN_A_ROW_MAX === 0;
    const key = versionKey(latest.collection, latest.id, latest.commitId);
    return this.#whileOpen(() =>
      this.#readHere(latest, key, isOf(latest), (place) =>
        isAside ? this.#log.readAside(place) : this.#log.read(place),
      ),
    );
  }

  /**
   * Reads a version where its entry said that it stands. It may have been moved since: before anything is called damage, the
   * index is asked again.
   */
  async #readHere(
    standing: Standing,
    key: Buffer,
    isMeant: IsMeant,
    read: ReadPlace,
    isAgain = false,
  ): Promise<StoredVersion> {
    try {
      return versionIn(await read(standing.place), standing, isMeant);
    } catch (error) {
      const value = await this.#index.get(key);
      const now = value === undefined ? null : this.#standing({ key, value });
      const isSame = now !== null && isSamePlace(now.place, standing.place);
      // Of two prunes one after the other the second may have brought it back to where it was looked for in between.
      if (now === null || (isSame && isAgain)) throw error;
      return this.#readHere(now, key, isMeant, read, isSame);
    }
  }

  #standing({ key, value }: IndexEntry): Standing {
    const place = decodeIndexValue(key, value);
    if (place !== null) return { commitId: commitIdOfKey(key), place };
    throw new ReplichartError('INDEX_DAMAGED', 'an index entry does not carry its checksum', {
      evidence: { key: hex(key), value: hex(value) },
    });
  }
}

/** One of so many reads waits for the disk: who reads in a loop what is found at once would keep all else from happening. */
const FOUND_IN_A_ROW_MAX = 64;

/** What no document has before its commit ids. */
const NO_DOCUMENT: Buffer = Buffer.alloc(0);

type ReadPlace = (place: IndexedPlace) => Promise<Buffer | null>;

function isSamePlace(one: IndexedPlace, other: IndexedPlace): boolean {
  return one.log === other.log && one.offset === other.offset && one.bytes === other.bytes;
}
