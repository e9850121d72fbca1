import { ReplichartError } from '../core/errors.ts';
import { CHAIN_MAX, documentSha256, RangeDigest, versionFacts } from '../core/explain/visibility.ts';
import type { VersionFacts, VisibilityFacts } from '../core/checks/visibility.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import type { VersionSink } from './history.ts';

/** The versions of one document within a view, as the log alone gives them. */
export class ChainCollector implements VersionSink {
  readonly #collection: Buffer;
  readonly #id: Buffer;
  readonly #viewCommitId: number;
  /** Oldest first; of a long chain only the newest are kept. */
  #versions: StoredVersion[] = [];
  #more = false;

  constructor(collection: Buffer, id: Buffer, viewCommitId: number) {
    this.#collection = collection;
    this.#id = id;
    this.#viewCommitId = viewCommitId;
  }

  wants(collection: Buffer, id: Buffer): boolean {
    return collection.equals(this.#collection) && id.equals(this.#id);
  }

  add(version: StoredVersion): void {
    if (version.commitId > this.#viewCommitId) return;
    // A base file gives the newest first, the WAL the oldest first; each commit has one version of a document.
    const at = this.#versions.findIndex(({ commitId }) => commitId >= version.commitId);
    if (at === -1) this.#versions.push(version);
    else this.#versions.splice(at, this.#versions[at]?.commitId === version.commitId ? 1 : 0, version);
    if (this.#versions.length <= CHAIN_MAX) return;
    this.#versions.shift();
    this.#more = true;
  }

  get newest(): StoredVersion | null {
    return this.#versions.at(-1) ?? null;
  }

  get documentSha256(): string | null {
    return documentSha256(this.newest?.document ?? null);
  }

  /** `placeOf` says where a version stands on the node that is verified. */
  chain(placeOf: (version: StoredVersion) => VersionFacts['place']): VisibilityFacts['chain'] {
    const versions = [...this.#versions].reverse().map((version) => versionFacts(version, placeOf(version)));
    return { versions, more: this.#more, chosen: this.newest?.commitId ?? null };
  }
}

/** Above this many documents behind the end of a page nothing is said about whether there are any. */
const BEYOND_MAX = 1_000_000;

/** The documents of a collection between two ids that a view sees, as the log alone gives them. */
export class RangeCollector implements VersionSink {
  readonly #collection: Buffer;
  readonly #after: Buffer | null;
  readonly #last: Buffer | null;
  readonly #viewCommitId: number;
  readonly #within = new Map<string, StoredVersion>();
  /** Behind the last id: only whether there is a document. */
  readonly #beyond = new Map<string, { readonly commitId: number; readonly isThere: boolean }>();

  constructor(collection: Buffer, after: Buffer | null, last: Buffer | null, viewCommitId: number) {
    this.#collection = collection;
    this.#after = after;
    this.#last = last;
    this.#viewCommitId = viewCommitId;
  }

  wants(collection: Buffer, id: Buffer): boolean {
    return (
      collection.equals(this.#collection) && (this.#after === null || Buffer.compare(id, this.#after) > 0)
    );
  }

  add(version: StoredVersion): void {
    const { id, commitId, document } = version;
    if (commitId > this.#viewCommitId) return;
    const name = id.toString('hex');
    if (this.#last !== null && Buffer.compare(id, this.#last) <= 0) {
      if (commitId >= (this.#within.get(name)?.commitId ?? 0)) this.#within.set(name, version);
    } else if (commitId >= (this.#beyond.get(name)?.commitId ?? 0)) {
      this.#beyond.set(name, { commitId, isThere: document !== null });
      if (this.#beyond.size > BEYOND_MAX)
        throw new ReplichartError(
          'REQUEST_INVALID',
          'too many documents stand behind the page to verify its end',
        );
    }
  }

  /** The documents of the page, in the order of their ids. */
  get documents(): readonly StoredVersion[] {
    return [...this.#within.values()]
      .filter(({ document }) => document !== null)
      .sort((one, other) => Buffer.compare(one.id, other.id));
  }

  facts(): { readonly range: ReturnType<RangeDigest['facts']>; readonly last: Buffer | null } {
    const digest = new RangeDigest();
    for (const version of this.documents) digest.add(version);
    const more = [...this.#beyond.values()].some(({ isThere }) => isThere);
    return { range: digest.facts(more), last: digest.last };
  }
}
