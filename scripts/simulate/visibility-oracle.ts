/**
 * What a read sees, from the rules of MVCC visibility alone (INVARIANTS, supporting rules; FORMAT 5.3 and 6): an array of
 * all that was ever written, in the order in which it was, and nothing else. No index, no order of keys, no files.
 */
export interface Written {
  readonly commitId: number;
  readonly collection: Buffer;
  readonly id: Buffer;
  /** `null`: a deletion. */
  readonly document: Buffer | null;
}

const isOf = (one: Written, collection: Buffer, id: Buffer) =>
  one.collection.equals(collection) && one.id.equals(id);

/** Of a key's versions with a commit id of at most the bound, the newest; of one commit, what it wrote last. */
function newest(all: readonly Written[], bound: number, collection: Buffer, id: Buffer): Written | null {
  return all.filter((one) => one.commitId <= bound && isOf(one, collection, id)).at(-1) ?? null;
}

/** The document that a view sees, or `null`: there is none, or it was deleted. */
export function visible(
  all: readonly Written[],
  bound: number,
  collection: Buffer,
  id: Buffer,
): Written | null {
  const found = newest(all, bound, collection, id);
  return found === null || found.document === null ? null : found;
}

export interface RangeAsked {
  readonly bound: number;
  readonly collection: Buffer;
  readonly after: Buffer | null;
  readonly limit: number;
}

/** The documents of a collection that a view sees, in the order of their ids. */
export function visibleRange(
  all: readonly Written[],
  { bound, collection, after, limit }: RangeAsked,
): Written[] {
  const ids = [...new Set(all.map(({ id }) => id.toString('latin1')))]
    .map((id) => Buffer.from(id, 'latin1'))
    .sort((a, b) => Buffer.compare(a, b));
  return ids
    .filter((id) => after === null || Buffer.compare(id, after) > 0)
    .flatMap((id) => visible(all, bound, collection, id) ?? [])
    .slice(0, limit);
}

/** All versions of a state: of one key and one commit only the last, by collection, by id, the newest first. */
export function retained(all: readonly Written[], bound: number): Written[] {
  return all
    .filter(
      (one, at) =>
        one.commitId <= bound &&
        !all
          .slice(at + 1)
          .some((later) => later.commitId === one.commitId && isOf(later, one.collection, one.id)),
    )
    .sort(
      (a, b) =>
        Buffer.compare(a.collection, b.collection) || Buffer.compare(a.id, b.id) || b.commitId - a.commitId,
    );
}

/** A version as text, so that what differs is shown short. */
export function shown({ commitId, collection, id, document }: Written): string {
  const text = (bytes: Buffer) => JSON.stringify(bytes.toString('latin1'));
  return `${commitId}: ${text(collection)} ${text(id)} = ${document === null ? 'deleted' : text(document)}`;
}
