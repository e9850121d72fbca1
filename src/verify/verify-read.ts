import type { Json, JsonObject } from '../core/bytes.ts';
import { keyJson } from '../core/bytes.ts';
import type { VersionFacts } from '../core/checks/visibility.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import { gateConclusion } from '../core/explain/replication.ts';
import { explainDocument, explainRange, type ReadRequest } from '../core/explain/visibility.ts';
import { GATE_CHECKS, gateVerdicts, type ReadFacts } from '../core/read-safety.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import type { Evidence } from './evidence.ts';
import type { Findings } from './findings.ts';
import { ChainCollector, RangeCollector } from './versions.ts';

/** A read as the log gives it. */
export interface DerivedRead {
  readonly explanation: Explanation;
  /** Whether the log at hand holds all that the view sees: else nothing follows about what was read. */
  readonly isWhole: boolean;
}

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
  evidence: Evidence,
  findings: Findings,
): DerivedRead {
  const isRead = gateConclusion(gateVerdicts(gate)).result === 'safe';
  const isWhole = !isRead || holdsView(gate, collector, evidence, findings);
  if (collector instanceof RangeCollector)
    return { explanation: rangeOf(request, gate, collector, findings), isWhole };
  const { collection } = request;
  const id = request.kind === 'document' ? request.id : Buffer.alloc(0);
  const unread = { gate, collection, id, chain: null, documentSha256: null };
  const fault = isRead ? statedFault(stated) : null;
  if (fault !== null)
    findings.cannotTell(
      `rules_applied[${GATE_CHECKS.length}].evidence.fault`,
      'the index, or a file as it was then, gave a version that did not verify',
    );
  if (!isRead || fault !== null) return { explanation: explainDocument({ ...unread, fault }), isWhole };
  const chain = collector.chain(placesBy(stated, gate, evidence, findings));
  const { documentSha256 } = collector;
  return { explanation: explainDocument({ ...unread, fault, chain, documentSha256 }), isWhole };
}

/** Whether the log at hand holds every version that the view can see. */
function holdsView(
  { view }: ReadFacts,
  collector: ChainCollector | RangeCollector,
  { history: { beginning, end } }: Evidence,
  findings: Findings,
): boolean {
  const path = 'conclusion';
  const commitId = view.commitId ?? 0;
  if (beginning.hashFrom === 'segment header' && beginning.chain.commitId > 0)
    findings.cannotTell(
      path,
      `versions before commit ${beginning.chain.commitId + 1} are not in these files`,
    );
  else if (end.commitId < commitId)
    findings.cannotTell(path, `history is proved to commit ${end.commitId}, the view is at ${commitId}`);
  else if (collector instanceof RangeCollector && collector.isOverfull)
    findings.cannotTell(path, 'too many documents stand in and behind the page to hold them in memory');
  else return true;
  return false;
}

function rangeOf(
  request: ReadRequest,
  gate: ReadFacts,
  collector: RangeCollector,
  findings: Findings,
): Explanation {
  const { range, last } = collector.facts();
  // A page that is not the last one holds a document at least.
  if (range.documents === 0 && range.more && request.kind === 'range')
    findings.differs(
      'inputs.read.last',
      request.last && keyJson('last', request.last),
      'there are documents',
    );
  const after = request.kind === 'range' ? request.after : null;
  return explainRange({ gate, collection: request.collection, after, last, range });
}

/** Rules about versions come behind those of the gate. */
function evidencesOf({ rules_applied: rules }: Explanation): JsonObject[] {
  return rules.slice(GATE_CHECKS.length).map(({ evidence }) => evidence);
}

/** A fault that the node met where it read a version; only a chain that was not read can have one. */
function statedFault(stated: Explanation): JsonObject | null {
  const [{ fault, versions } = {}] = evidencesOf(stated);
  const isObject = typeof fault === 'object' && fault !== null && !Array.isArray(fault);
  return isObject && versions === null ? (fault as JsonObject) : null;
}

type Place = VersionFacts['place'];

/**
 * Where a version stands on the node that was read. Its own files say it. Those of another node say it of versions in
 * the WAL; what a replica has in its base file is stated, and has to be the oldest versions of all. A version that stands in a
 * base file now may have stood elsewhere before the node was pruned.
 */
function placesBy(
  stated: Explanation,
  { role }: ReadFacts,
  { own, history: { beginning } }: Evidence,
  findings: Findings,
): (version: StoredVersion) => Place {
  const path = `rules_applied[${GATE_CHECKS.length + 1}].evidence.versions`;
  const statedPlaces = statedPlacesOf(stated);
  const inBase = own === null && role === 'replica' ? oldestInBase(statedPlaces) : new Map<number, Place>();
  if (inBase.size > 0)
    findings.leavesNoTrace(path, 'which of them stand in the base file of the node, and where in it');
  return ({ commitId, place }) => {
    const oldest = inBase.get(commitId);
    if (oldest !== undefined) return oldest;
    if (place.log === 'wal') return { log: 'wal', lsn: place.offset };
    const before = statedPlaces.find((one) => one.commitId === commitId)?.place;
    const mayHaveMoved =
      before !== undefined &&
      (before.log === 'wal' ? before.lsn < beginning.chain.lsn : before.offset !== place.offset);
    if (!mayHaveMoved) return { log: 'base', offset: place.offset };
    findings.cannotTell(
      path,
      'they stand in the base file now; where one stood before a prune does not show',
    );
    return before;
  };
}

interface StatedPlace {
  readonly commitId: number;
  readonly place: Place;
}

/** Where each version is said to stand, the newest first. */
function statedPlacesOf(stated: Explanation): readonly StatedPlace[] {
  const [, ordered] = evidencesOf(stated);
  const versions: Json | undefined = ordered?.['versions'];
  if (!Array.isArray(versions)) return [];
  return (versions as readonly Json[]).flatMap((one): StatedPlace[] => {
    const { commit_id: commitId, log, offset, lsn } = (one ?? {}) as JsonObject;
    if (typeof commitId !== 'number') return [];
    if (log === 'base' && typeof offset === 'number') return [{ commitId, place: { log, offset } }];
    return log === 'wal' && typeof lsn === 'number' ? [{ commitId, place: { log, lsn } }] : [];
  });
}

/** Of the versions those that are said to stand in a base file: from some commit on all older ones. */
function oldestInBase(stated: readonly StatedPlace[]): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const { commitId, place } of [...stated].reverse()) {
    if (place.log !== 'base') break;
    places.set(commitId, place);
  }
  return places;
}
