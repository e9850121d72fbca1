import type { RecoveryRecord } from '../core/explain/recovery.ts';
import type { Json } from '../core/bytes.ts';
import { decideRecovery, recoveryInputs } from '../core/recovery/decision.ts';
import { stopEvidence, type DiskSurvey, type StopEvidence } from '../core/recovery/survey.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import { differencesOf } from './difference.ts';
import type { Evidence } from './evidence.ts';
import type { Findings } from './findings.ts';
import { sameHalt } from './verify-halt.ts';
import { deriveSurvey } from './verify-survey.ts';

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
 * The record of a recovery as the files give it: what it stood at is looked up in history, and what follows from that
 * is derived again. What the repair took away is gone from the WAL; where its bytes were kept they are proved again, and
 * have to fail in the same way.
 */
export async function deriveRecovery(
  stated: RecoveryRecord,
  evidence: Evidence,
  findings: Findings,
): Promise<RecoveryRecord> {
  const { own } = evidence;
  const role = own?.role ?? stated.role;
  if (own === null) findings.leavesNoTrace('inputs.role', 'only the files of the node itself say it');
  findings.leavesNoTrace('inputs.bootstrap', 'what the configuration said at that start');
  const recordedHalt = recordedHaltOf(stated, evidence, findings);
  // A start that finds a recorded halt looks no further.
  if (recordedHalt !== null) return { ...stated, role, recordedHalt, survey: null, repair: null };
  const record = {
    ...stated,
    role,
    recordedHalt,
    survey: stated.survey && deriveSurvey(stated.survey, evidence, findings),
  };
  if (record.survey === null)
    findings.leavesNoTrace('inputs.survey', 'whether the files had been looked at by that moment');
  else findings.leavesNoTrace('inputs.repair', 'whether the repair had come to its end at that moment');
  const repair = repairOf(record);
  if (repair?.discardedTail?.keptIn) await proveTailAgain(record, evidence, findings);
  return { ...record, repair };
}

function recordedHaltOf(
  { recordedHalt: stated }: RecoveryRecord,
  { own }: Evidence,
  findings: Findings,
): RecoveryRecord['recordedHalt'] {
  const path = 'inputs.recorded_halt';
  if (own === null) {
    findings.leavesNoTrace(path, 'only the files of the node itself say it');
    return stated;
  }
  const { halt, clearedHalts } = own;
  const isKnown = [halt, ...clearedHalts].some((one) => one !== null && sameHalt(stated, one));
  if (stated === null && halt !== null)
    findings.cannotTell(path, `one is recorded now, ${halt.code}; whether it came later does not show`);
  else if (stated === null && clearedHalts.length > 0)
    findings.leavesNoTrace(path, 'whether a halt that was cleared since was recorded at that start');
  else if (stated !== null && !isKnown) return halt;
  return stated;
}

/** What a repair did follows from what it found; only whether it has come to its end does not. */
function repairOf({
  role,
  bootstrap,
  recordedHalt,
  survey,
  repair,
}: RecoveryRecord): RecoveryRecord['repair'] {
  if (repair === null || survey === null) return null;
  if (role === 'primary') return { discardedPartials: survey.partials, discardedTail: null };
  const answers = recoveryInputs({ recordedHalt, survey }, bootstrap);
  const plan = answers && decideRecovery(answers);
  if (plan === null || plan.rule !== null) return null;
  const { partials, tail, wal, checkpoint } = survey;
  const fromLsn = tail.provenTo?.lsn ?? (checkpoint.state === 'intact' ? checkpoint.value.lsn : 0);
  const keptIn = tail.stop?.kind === 'invalid' ? `evidence/discarded-at-${fromLsn}` : null;
  return {
    discardedPartials: plan.steps.includes('discard partials') ? partials : [],
    discardedTail:
      tail.stop === null || plan.outcome === 'bootstrap'
        ? null
        : { fromLsn, bytes: wal.endLsn - fromLsn, rule: tail.stop.rule, keptIn },
  };
}

async function proveTailAgain(
  { survey }: RecoveryRecord,
  { own }: Evidence,
  findings: Findings,
): Promise<void> {
  const path = 'inputs.survey.tail.stop';
  const { tail, wal } = survey as DiskSurvey;
  const { provenTo, stop } = tail;
  if (provenTo === null || stop === null) return;
  if (own === null) {
    findings.leavesNoTrace(path, 'the node kept what it discarded, in its own files');
    return;
  }
  const name = `discarded-at-${provenTo.lsn}`;
  const bytes = await own.keptAside(`evidence/${name}`);
  if (bytes === null) {
    findings.cannotTell(path, `the bytes that were kept as evidence/${name} are not there`);
    return;
  }
  if (wal.endLsn < provenTo.lsn + bytes.length)
    findings.differs('inputs.survey.wal.end_lsn', wal.endLsn, provenTo.lsn + bytes.length);
  const found = ProvenBatch.prove(provenTo, bytes).stop;
  const derived = found && stopEvidence(found);
  findings.differences.push(...differencesOf(stopJson(stop), derived && stopJson(derived), path));
}

function stopJson(stop: StopEvidence): Json {
  return { ...stop };
}
