import type { JsonObject } from '../core/bytes.ts';
import type { VersionFacts } from '../core/checks/visibility.ts';
import { ReplichartError } from '../core/errors.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import { CHAIN_MAX, documentSha256, explainDocument, versionFacts } from '../core/explain/visibility.ts';
import type { ReadFacts } from '../core/read-safety.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import type { ReadResolver } from '../io/read-resolver.ts';

/** Which version of a document an admitted view sees, from the very versions that stand in storage. */
export async function explainStored(
  resolver: ReadResolver,
  gate: ReadFacts,
  collection: Buffer,
  id: Buffer,
): Promise<Explanation> {
  const bound = gate.view.commitId ?? 0;
  try {
    const chosen = await resolver.newest(bound, collection, id);
    const versions: VersionFacts[] = [];
    let more = false;
    for await (const version of resolver.chain(bound, collection, id)) {
      more = versions.length === CHAIN_MAX;
      if (more) break;
      versions.push(versionFacts(version, placeOf(version)));
    }
    const chain = { versions, more, chosen: chosen?.commitId ?? null };
    const sha256 = documentSha256(chosen?.document ?? null);
    return explainDocument({ gate, collection, id, chain, fault: null, documentSha256: sha256 });
  } catch (error) {
    if (!(error instanceof ReplichartError) || error.code !== 'INDEX_DAMAGED') throw error;
    return explainUnread(gate, collection, id, error.evidence);
  }
}

/** The same where nothing was read: the gate refused, or a version did not verify. */
export function explainUnread(
  gate: ReadFacts,
  collection: Buffer,
  id: Buffer,
  fault: JsonObject | null,
): Explanation {
  return explainDocument({ gate, collection, id, chain: null, fault, documentSha256: null });
}

function placeOf({ place }: StoredVersion): VersionFacts['place'] {
  return place.log === 'wal' ? { log: 'wal', lsn: place.offset } : { log: 'base', offset: place.offset };
}
