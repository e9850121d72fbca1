import * as z from 'zod';
import type { Json, JsonObject } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { snapshotIdOf, type Explanation } from '../core/explain/explanation.ts';
import { explainRecovery, recoveryRecordOf } from '../core/explain/recovery.ts';
import { explainReads, readFactsOf } from '../core/explain/replication.ts';
import { readRequestOf } from '../core/explain/visibility.ts';
import { GATE_CHECKS } from '../core/read-safety.ts';
import { answerDifferences } from './answer.ts';
import { carrierOf, type Carrier } from './carrier.ts';
import { differencesOf, type Difference } from './difference.ts';
import { readEvidence, type Evidence, type EvidenceSource } from './evidence.ts';
import { Findings } from './findings.ts';
import { historyJson, type VersionSink } from './history.ts';
import { deriveGate, lsnsOfGate } from './verify-gate.ts';
import { collectorOf, deriveRead } from './verify-read.ts';
import { deriveRecovery, lsnsOfRecovery } from './verify-recovery.ts';

/** What came of deriving an explanation again from files alone. */
export interface Verification {
  /** `undetermined`: nothing contradicts it, and not everything could be derived. */
  readonly verdict: 'verified' | 'differs' | 'undetermined';
  readonly explanation_type: Explanation['explanation_type'];
  readonly snapshot_id: string;
  readonly source: { readonly kind: EvidenceSource['kind'] } & ReturnType<typeof historyJson>;
  readonly differences: readonly Difference[];
  readonly undetermined: readonly string[];
  /** What leaves no trace in files: taken as stated, and checked to be possible. */
  readonly not_in_files: readonly string[];
}

/**
 * Derives an explanation again from files alone: history is proved from its first byte, every position and version that
 * it cites is looked up in it, and the same checks are evaluated on what is found. The index and the running process are
 * not asked.
 *
 * @throws ReplichartError `REQUEST_INVALID` where `given` is no explanation, nor an answer that carries one.
 */
export async function verifyExplanation(given: unknown, source: EvidenceSource): Promise<Verification> {
  const carrier = carrierOf(given);
  const { explanation } = carrier;
  const findings = new Findings();
  checkSeal(explanation, findings);
  checkEnvelope(carrier, findings);
  const { history } = await derive(carrier, source, findings);
  const differences = distinct(findings.differences);
  const undetermined = [...new Set(findings.undetermined)];
  return {
    verdict: differences.length > 0 ? 'differs' : undetermined.length > 0 ? 'undetermined' : 'verified',
    explanation_type: explanation.explanation_type,
    snapshot_id: explanation.observed_snapshot.snapshot_id,
    source: { kind: source.kind, ...historyJson(history) },
    differences,
    undetermined,
    not_in_files: [...new Set(findings.notInFiles)],
  };
}

/** The snapshot id follows from all the rest. */
function checkSeal(explanation: Explanation, findings: Findings): void {
  const id = explanation.observed_snapshot.snapshot_id;
  const sealed = snapshotIdOf(explanation);
  if (sealed !== id) findings.differs('observed_snapshot.snapshot_id', id, sealed);
}

function checkEnvelope({ explanation, envelope }: Carrier, findings: Findings): void {
  if (envelope === null) return;
  const { commit_id: stated } = (envelope['observed_at'] ?? {}) as JsonObject;
  const isOfRecovery = explanation.explanation_type === 'recovery.process';
  if (isOfRecovery) findings.leavesNoTrace('observed_at.commit_id', 'where the node stood when it was asked');
  const isCommitId = stated === null || (Number.isSafeInteger(stated) && (stated as number) >= 0);
  const commitId = isOfRecovery && isCommitId ? (stated ?? null) : explanation.observed_snapshot.commit_id;
  const expected = { api_version: 'v1', observed_at: { snapshot: 'live', commit_id: commitId }, notes: [] };
  findings.differences.push(...differencesOf(envelope, expected));
}

async function derive(
  { explanation: given, answer }: Carrier,
  source: EvidenceSource,
  findings: Findings,
): Promise<Evidence> {
  const inputs = { ...given.inputs };
  const evidenceFor = async (lsns: readonly number[], versions: VersionSink | null) => {
    const evidence = await readEvidence(source, { lsns: new Set(lsns), versions });
    checkBeginning(source, evidence, findings);
    return evidence;
  };
  if (answer !== null && given.explanation_type !== 'mvcc.read_visibility')
    findings.differs('proof.explanation_type', given.explanation_type, 'mvcc.read_visibility');
  switch (given.explanation_type) {
    case 'replication.safety': {
      const stated = facts(() => readFactsOf(inputs));
      const evidence = await evidenceFor(lsnsOfGate(stated), null);
      compare(given, explainReads(deriveGate(stated, evidence, findings)), findings);
      return evidence;
    }
    case 'recovery.process': {
      const stated = facts(() => recoveryRecordOf(inputs));
      const evidence = await evidenceFor(lsnsOfRecovery(stated), null);
      compare(given, explainRecovery(await deriveRecovery(stated, evidence, findings)), findings);
      return evidence;
    }
    case 'mvcc.read_visibility': {
      const request = facts(() => readRequestOf(inputs));
      const versions = collectorOf(request);
      const evidence = await evidenceFor(lsnsOfGate(request.gate), versions);
      const gate = deriveGate(request.gate, evidence, findings);
      const derived = deriveRead(request, gate, versions, given, evidence, findings);
      compare(given, derived.explanation, findings, derived.isWhole ? () => true : saysTheGate);
      if (answer !== null) findings.differences.push(...answerDifferences(answer, derived, versions));
      return evidence;
    }
  }
}

/** Bare segments may begin anywhere; the WAL of a node begins with its history, or where a base file ends. */
function checkBeginning(source: EvidenceSource, { history }: Evidence, findings: Findings): void {
  const { chain, hashFrom } = history.beginning;
  if (source.kind !== 'segment files' && hashFrom === 'segment header')
    findings.cannotTell('source', `what was before LSN ${chain.lsn} follows from nothing in these files`);
}

function compare(
  given: Explanation,
  derived: Explanation,
  findings: Findings,
  counts: (path: string) => boolean = () => true,
): void {
  const found = differencesOf(given as unknown as Json, derived as unknown as Json);
  // The id of the derived one follows from every field, so it would only repeat what is already said.
  const said = found.filter(({ path }) => path !== 'observed_snapshot.snapshot_id' && counts(path));
  findings.differences.push(...said);
}

/** Whether a place of an explanation follows from the facts of the gate, without a version being looked at. */
function saysTheGate(path: string): boolean {
  const index = /^rules_applied\[(\d+)\]/.exec(path)?.[1];
  if (index !== undefined) return Number(index) < GATE_CHECKS.length;
  return !path.startsWith('conclusion') && !path.startsWith('inputs.read.last');
}

function facts<Facts>(read: () => Facts): Facts {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const issues = error.issues.map(({ path, message }) => `inputs.${path.join('.')}: ${message}`);
    throw new ReplichartError(
      'REQUEST_INVALID',
      `the inputs of the explanation are not those of its type: ${issues.join('; ')}`,
      { evidence: { issues } },
    );
  }
}

/** The same place may be named by more than one step; the first says most. */
function distinct(differences: readonly Difference[]): Difference[] {
  return differences.filter(({ path }, index) => differences.findIndex((one) => one.path === path) === index);
}
