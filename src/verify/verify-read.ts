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
 * the WAL; what a replica has in its base file is stated, and has to be the oldest versions of all.
 */
function placesBy(
  stated: Explanation,
  { role }: ReadFacts,
  { own }: Evidence,
  findings: Findings,
): (version: StoredVersion) => Place {
  const inBase = own === null && role === 'replica' ? statedInBase(stated) : new Map<number, number>();
  if (inBase.size > 0)
    findings.leavesNoTrace(
      `rules_applied[${GATE_CHECKS.length + 1}].evidence.versions`,
      'which of them stand in the base file of the node, and where in it',
    );
  return ({ commitId, place }) => {
    const offset = inBase.get(commitId);
    if (offset !== undefined) return { log: 'base', offset };
    return place.log === 'wal' ? { log: 'wal', lsn: place.offset } : { log: 'base', offset: place.offset };
  };
}

/** Commit id and offset of the versions that are said to stand in a base file: from some commit on all older ones. */
function statedInBase(stated: Explanation): Map<number, number> {
  const places = new Map<number, number>();
  const [, ordered] = evidencesOf(stated);
  const versions: Json | undefined = ordered?.['versions'];
  if (!Array.isArray(versions)) return places;
  for (const one of [...(versions as readonly Json[])].reverse()) {
    const { commit_id: commitId, log, offset } = (one ?? {}) as JsonObject;
    if (log !== 'base' || typeof commitId !== 'number' || typeof offset !== 'number') break;
    places.set(commitId, offset);
  }
  return places;
}
