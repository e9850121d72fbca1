import { explainDocument, explainRange, type ReadRequest } from '../core/explain/visibility.ts';
import { gateConclusion } from '../core/explain/replication.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import { gateVerdicts, type ReadFacts } from '../core/read-safety.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import type { EvidenceSource } from './evidence.ts';
import { ChainCollector, RangeCollector } from './versions.ts';

/** Collects what a read saw, from the log alone. */
export function collectorOf(request: ReadRequest): ChainCollector | RangeCollector {
  const viewCommitId = request.gate.view.commitId ?? 0;
  return request.kind === 'document'
    ? new ChainCollector(request.collection, request.id, viewCommitId)
    : new RangeCollector(request.collection, request.after, request.last, viewCommitId);
}

/** The explanation that follows from the facts of the gate and from what the log holds. */
export function deriveRead(
  request: ReadRequest,
  gate: ReadFacts,
  collector: ChainCollector | RangeCollector,
  stated: Explanation,
  source: EvidenceSource,
): Explanation {
  const isRead = gateConclusion(gateVerdicts(gate)).result === 'safe';
  if (collector instanceof RangeCollector) {
    const { range, last } = collector.facts();
    return explainRange({
      gate,
      collection: request.collection,
      after: request.kind === 'range' ? request.after : null,
      last,
      range,
    });
  }
  const id = request.kind === 'document' ? request.id : Buffer.alloc(0);
  return explainDocument({
    gate,
    collection: request.collection,
    id,
    fault: null,
    chain: isRead ? collector.chain(placesBy(stated, source)) : null,
    documentSha256: isRead ? collector.documentSha256 : null,
  });
}

type Place = Parameters<Parameters<ChainCollector['chain']>[0]>[0] extends StoredVersion
  ? ReturnType<Parameters<ChainCollector['chain']>[0]>
  : never;

/**
 * Where a version stands on the verified node. Its own files say it. Another node's say it of versions in the WAL only:
 * of a base file the stated place is taken.
 */
function placesBy(stated: Explanation, source: EvidenceSource): (version: StoredVersion) => Place {
  const inBase = source.kind === 'own files' ? new Map<number, number>() : basePlaces(stated);
  return ({ commitId, place }) => {
    const offset = inBase.get(commitId);
    if (offset !== undefined) return { log: 'base', offset };
    return place.log === 'wal' ? { log: 'wal', lsn: place.offset } : { log: 'base', offset: place.offset };
  };
}

function basePlaces({ rules_applied: rules }: Explanation): Map<number, number> {
  const places = new Map<number, number>();
  for (const { evidence } of rules) {
    const { versions } = evidence as { readonly versions?: unknown };
    if (!Array.isArray(versions)) continue;
    for (const { commit_id: commitId, log, offset } of versions as {
      readonly commit_id?: unknown;
      readonly log?: unknown;
      readonly offset?: unknown;
    }[])
      if (log === 'base' && typeof commitId === 'number' && typeof offset === 'number')
        places.set(commitId, offset);
  }
  return places;
}
