import { createHash } from 'node:crypto';
import { writeU64 } from '../core/bytes.ts';
import type { ReadResolver } from './read-resolver.ts';

/** The state of a node at a commit id, in one number: equal digests at equal commit ids are equal states. */
export interface StateDigest {
  readonly commitId: number;
  readonly sha256: string;
  readonly versions: number;
  readonly keys: number;
}

/**
 * SHA-256 over every retained version with a commit id of at most `commitId`, in key order, newest first within a key:
 * commit id u64, then the operation record. Streams; verifies every version on its way.
 */
export async function stateDigest(resolver: ReadResolver, commitId: number): Promise<StateDigest> {
  const hash = createHash('sha256');
  const prefix = Buffer.alloc(8);
  let versions = 0;
  let keys = 0;
  let last: { collection: Buffer; id: Buffer } | null = null;
  for await (const { commitId: of, record, collection, id } of resolver.versions(commitId)) {
    writeU64(prefix, of, 0);
    hash.update(prefix);
    hash.update(record);
    versions += 1;
    if (last === null || !last.collection.equals(collection) || !last.id.equals(id)) keys += 1;
    last = { collection, id };
  }
  return { commitId, sha256: hash.digest('hex'), versions, keys };
}
