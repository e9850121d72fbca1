import * as z from 'zod';
import type { Json } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { explanationShape, snapshotIdOf, type Explanation } from '../core/explain/explanation.ts';
import { explainRecovery, recoveryRecordOf } from '../core/explain/recovery.ts';
import { explainReads, readFactsOf } from '../core/explain/replication.ts';
import { readRequestOf } from '../core/explain/visibility.ts';
import { answerDifferences } from './answer.ts';
import { Derivation } from './derivation.ts';
import { differencesOf, type Difference } from './difference.ts';
import { evidenceOf, placeOf, type Evidence, type EvidenceSource } from './evidence.ts';
import { historyJson, readHistory, type VersionSink } from './history.ts';
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

/** An answer of the data plane that carries a proof, an answer of the DX plane, or an explanation by itself. */
const carrier = z.union([
  z
    .looseObject({ proof: explanationShape })
    .transform(({ proof, ...answer }) => ({ explanation: proof, answer })),
  z.looseObject({ data: explanationShape }).transform(({ data }) => ({ explanation: data, answer: null })),
  explanationShape.transform((explanation) => ({ explanation, answer: null })),
]);

/**
 * Derives an explanation again from files alone: history is proved from its first byte, every position and version that
 * it cites is looked up in it, and the same checks are evaluated on what is found. The index and the running process are
 * not asked.
 *
 * @throws ReplichartError `REQUEST_INVALID` where `stated` is no explanation.
 */
export async function verifyExplanation(stated: unknown, source: EvidenceSource): Promise<Verification> {
  const parsed = carrier.safeParse(stated);
  if (!parsed.success)
    throw new ReplichartError('REQUEST_INVALID', 'this is no explanation, and no answer that carries one');
  const { answer } = parsed.data;
  // The whole as it was given: fields that no explanation has are found as well.
  const given = givenExplanation(stated) as Explanation;
  const derivation = new Derivation();
  const sealed = snapshotIdOf(given);
  const id = given.observed_snapshot.snapshot_id;
  if (sealed !== id) derivation.differs('observed_snapshot.snapshot_id', id, sealed);
  const { derived, evidence, versions } = await derive(given, source, derivation);
  derivation.differences.push(
    // The id of the derived one follows from every field, so it would only repeat what is already said.
    ...differencesOf(given as unknown as Json, derived as unknown as Json).filter(
      ({ path }) => path !== 'observed_snapshot.snapshot_id',
    ),
    ...(answer === null ? [] : answerDifferences(answer as Json, derived, versions)),
  );
  return {
    verdict:
      derivation.differences.length > 0
        ? 'differs'
        : derivation.undetermined.length > 0
          ? 'undetermined'
          : 'verified',
    explanation_type: given.explanation_type,
    snapshot_id: id,
    source: { kind: source.kind, ...historyJson(evidence.history) },
    differences: distinct(derivation.differences),
    undetermined: [...new Set(derivation.undetermined)],
    not_in_files: [...new Set(derivation.notInFiles)],
  };
}

interface Derived {
  readonly derived: Explanation;
  readonly evidence: Evidence;
  readonly versions: ReturnType<typeof collectorOf> | null;
}

async function derive(given: Explanation, source: EvidenceSource, derivation: Derivation): Promise<Derived> {
  const inputs = { ...given.inputs };
  const evidence = async (lsns: readonly number[], versions: VersionSink | null) =>
    evidenceOf(source, await readHistory(await placeOf(source), { lsns: new Set(lsns), versions }));
  switch (given.explanation_type) {
    case 'replication.safety': {
      const stated = facts(() => readFactsOf(inputs));
      const found = await evidence(lsnsOfGate(stated), null);
      return {
        derived: explainReads(deriveGate(stated, found, derivation)),
        evidence: found,
        versions: null,
      };
    }
    case 'recovery.process': {
      const stated = facts(() => recoveryRecordOf(inputs));
      const found = await evidence(lsnsOfRecovery(stated), null);
      const record = await deriveRecovery(stated, found, derivation);
      return { derived: explainRecovery(record), evidence: found, versions: null };
    }
    case 'mvcc.read_visibility': {
      const request = facts(() => readRequestOf(inputs));
      const versions = collectorOf(request);
      const found = await evidence(lsnsOfGate(request.gate), versions);
      const gate = deriveGate(request.gate, found, derivation);
      return { derived: deriveRead(request, gate, versions, given, source), evidence: found, versions };
    }
  }
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

function givenExplanation(stated: unknown): unknown {
  const { proof, data } = stated as { readonly proof?: unknown; readonly data?: unknown };
  return proof ?? data ?? stated;
}

/** The same place may be named by more than one step. */
function distinct(differences: readonly Difference[]): Difference[] {
  const seen = new Map(differences.map((one) => [one.path, one] as const));
  return [...seen.values()];
}
