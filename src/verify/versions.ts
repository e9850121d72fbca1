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

/** What may be held at once: a page is much smaller, but ids that lie behind it are held too. */
const HELD_BYTES_MAX = 256 * 1024 * 1024;
/** What an entry takes beside its bytes, about. */
const ENTRY_BYTES = 200;

/** The newest version of a document within the view; of one that is not on the page only whether there is one. */
interface Held {
  readonly id: Buffer;
  readonly commitId: number;
  readonly isThere: boolean;
  readonly version: StoredVersion | null;
}

/** The documents of a collection between two ids that a view sees, as the log alone gives them. */
export class RangeCollector implements VersionSink {
  readonly #collection: Buffer;
  readonly #after: Buffer | null;
  readonly #last: Buffer | null;
  readonly #viewCommitId: number;
  readonly #held = new Map<string, Held>();
  #heldBytes = 0;

  constructor(collection: Buffer, after: Buffer | null, last: Buffer | null, viewCommitId: number) {
    this.#collection = collection;
    this.#after = after;
    this.#last = last;
    this.#viewCommitId = viewCommitId;
  }

  /** More would have to be held than may be: what was collected is not whole. */
  get isOverfull(): boolean {
    return this.#heldBytes > HELD_BYTES_MAX;
  }

  wants(collection: Buffer, id: Buffer): boolean {
    return (
      !this.isOverfull &&
      collection.equals(this.#collection) &&
      (this.#after === null || Buffer.compare(id, this.#after) > 0)
    );
  }

  add(version: StoredVersion): void {
    const { id, commitId, document } = version;
    if (commitId > this.#viewCommitId) return;
    const name = id.toString('latin1');
    const before = this.#held.get(name);
    if (before !== undefined && before.commitId > commitId) return;
    const isThere = document !== null;
    const isOnPage = isThere && this.#last !== null && Buffer.compare(id, this.#last) <= 0;
    // A copy: the record that the id lies in is not held with it.
    const held = { id: Buffer.from(id), commitId, isThere, version: isOnPage ? version : null };
    this.#held.set(name, held);
    this.#heldBytes += bytesOf(held) - (before === undefined ? 0 : bytesOf(before));
    if (this.isOverfull) this.#held.clear();
  }

  /** The documents of the page, in the order of their ids. */
  get documents(): readonly StoredVersion[] {
    return [...this.#held.values()]
      .flatMap(({ version }) => (version === null ? [] : [version]))
      .sort((one, other) => Buffer.compare(one.id, other.id));
  }

  facts(): { readonly range: ReturnType<RangeDigest['facts']>; readonly last: Buffer | null } {
    const digest = new RangeDigest();
    for (const version of this.documents) digest.add(version);
    const more = [...this.#held.values()].some(({ isThere, version }) => isThere && version === null);
    return { range: digest.facts(more), last: digest.last };
  }
}

function bytesOf({ id, version }: Held): number {
  return ENTRY_BYTES + 2 * id.length + (version?.record.length ?? 0);
}
