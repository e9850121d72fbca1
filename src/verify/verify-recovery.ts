import { UNIT_CHECKS } from '../core/checks/wal.ts';
import { firstViolation } from '../core/checks/check.ts';
import type { RecoveryRecord } from '../core/explain/recovery.ts';
import { haltToJson } from '../core/halt.ts';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import type { ChainState } from '../core/wal/chain.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import { readWholeFile } from '../io/durable-file.ts';
import { PositionsIn, type Derivation } from './derivation.ts';
import { differencesOf } from './difference.ts';
import { ownFile, type Evidence } from './evidence.ts';

/** The LSNs that a recovery speaks of. */
export function lsnsOfRecovery({ survey }: RecoveryRecord): number[] {
  if (survey === null) return [];
  const { checkpoint, prefix, tail } = survey;
  return [
    ...(checkpoint.state === 'intact' ? [checkpoint.value.lsn] : []),
    ...(prefix.state === 'proven' ? [prefix.chain.lsn] : []),
    ...(tail.provenTo === null ? [] : [tail.provenTo.lsn]),
  ];
}

/**
 * The record of a recovery as the files give it. What the repair took away is gone from the WAL; where its bytes were
 * kept as evidence they are proved again, and have to fail in the same way.
 */
export async function deriveRecovery(
  stated: RecoveryRecord,
  evidence: Evidence,
  derivation: Derivation,
): Promise<RecoveryRecord> {
  const { role, halt } = evidence;
  const { recordedHalt, survey, repair } = stated;
  if (recordedHalt !== null && halt !== undefined && halt !== null)
    derivation.differences.push(
      ...differencesOf(haltToJson(recordedHalt), haltToJson(halt), 'inputs.recorded_halt'),
    );
  else if (recordedHalt !== null) derivation.notInFiles.push('inputs.recorded_halt');
  derivation.notInFiles.push('inputs.bootstrap', 'inputs.survey.partials', 'inputs.survey.wal.end_lsn');
  if (survey !== null && repair?.discardedTail?.keptIn)
    await proveTailAgain(survey, repair.discardedTail.keptIn, evidence, derivation);
  else if (survey !== null && survey.tail.stop !== null)
    derivation.notInFiles.push('inputs.survey.tail.stop');
  return {
    ...stated,
    role: role ?? stated.role,
    survey: survey && deriveSurvey(survey, evidence, derivation),
  };
}

function deriveSurvey(survey: DiskSurvey, { history }: Evidence, derivation: Derivation): DiskSurvey {
  const at = new PositionsIn(history, derivation);
  const chain = (path: string, stated: ChainState): ChainState => {
    const found = at.chainAt(path, stated.lsn);
    if (found === null) return stated;
    derivation.differences.push(...differencesOf({ ...stated }, { ...found }, path));
    return found;
  };
  const { checkpoint, prefix, tail, wal } = survey;
  if (wal.segments > 0 && wal.startLsn < history.beginning.chain.lsn)
    derivation.undetermined.push(
      'inputs.survey.wal.start_lsn: WAL before the first segment is no longer kept',
    );
  else if (
    wal.segments > 0 &&
    wal.startLsn > history.beginning.chain.lsn &&
    history.beginning.hashFrom !== 'genesis'
  )
    derivation.differs('inputs.survey.wal.start_lsn', wal.startLsn, history.beginning.chain.lsn);
  return {
    ...survey,
    checkpoint:
      checkpoint.state === 'intact'
        ? {
            state: 'intact',
            value: {
              ...checkpoint.value,
              ...at.position('inputs.survey.checkpoint.value', checkpoint.value),
              segmentIndex:
                at.chainAt('inputs.survey.checkpoint.value', checkpoint.value.lsn)?.segmentIndex ??
                checkpoint.value.segmentIndex,
            },
          }
        : checkpoint,
    prefix:
      prefix.state === 'proven'
        ? { state: 'proven', chain: chain('inputs.survey.prefix.chain', prefix.chain) }
        : prefix,
    tail: {
      ...tail,
      provenTo: tail.provenTo && chain('inputs.survey.tail.proven_to', tail.provenTo),
    },
  };
}

async function proveTailAgain(
  { tail }: DiskSurvey,
  keptIn: string,
  { source }: Evidence,
  derivation: Derivation,
): Promise<void> {
  const path = 'inputs.survey.tail.stop';
  const kept = await ownFile(source, keptIn);
  const bytes = kept && (await readWholeFile(kept.directory.files, kept.path));
  if (bytes === null || tail.provenTo === null || tail.stop === null) {
    derivation.undetermined.push(`${path}: the bytes kept as ${keptIn} are not at hand`);
    return;
  }
  const { stop } = ProvenBatch.prove(tail.provenTo, bytes);
  const rule = stop?.kind === 'suspect' ? (firstViolation(UNIT_CHECKS, stop.facts)?.rule ?? null) : null;
  if (tail.stop.kind === 'invalid' && rule !== tail.stop.rule)
    derivation.differs(`${path}.rule`, tail.stop.rule, rule);
}
