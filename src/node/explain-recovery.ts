import type { Claim } from '../../machines/claims.ts';
import { nodeClaims } from '../../machines/node.ts';
import { primaryClaims } from '../../machines/primary.ts';
import type { Json } from '../core/bytes.ts';
import { ruleJson, type Explanation } from '../core/explanation.ts';
import { positionToJson } from '../core/position.ts';
import { recoveryInputs } from '../core/recovery/decision.ts';
import type { NodeSnapshot } from './node-snapshot.ts';

const REPLICA_RULES: readonly Claim[] = [
  nodeClaims['P5-I10 noHaltIsRecorded'],
  nodeClaims['P5-I11 checkpointIsIntact'],
  nodeClaims['P5-I8 baseIsInPlace'],
  nodeClaims['P5-I4 prefixIsProven'],
];
const PRIMARY_RULES: readonly Claim[] = [
  primaryClaims['P5-I10 noHaltIsRecorded'],
  primaryClaims['P5-I11 checkpointIsIntact'],
  primaryClaims['P5-I4 prefixIsProven'],
  primaryClaims['P5-I11 tailIsTornAtMost'],
];

/** How the last start of a node recovered: what the disk showed, every rule, what was decided and discarded. */
export function explainRecovery({ context }: NodeSnapshot): Explanation {
  const { input, recordedHalt, survey } = context;
  const isReplica = input.role === 'replica';
  const inputs = recoveryInputs({ recordedHalt, survey }, input.bootstrap);
  return {
    explanation_type: 'recovery.process',
    observed_snapshot: {
      snapshot_id: null,
      commit_id: survey?.checkpoint.state === 'intact' ? survey.checkpoint.value.commitId : null,
    },
    inputs: {
      role: input.role,
      answers: inputs && { ...inputs },
      checkpoint: survey?.checkpoint.state === 'intact' ? positionToJson(survey.checkpoint.value) : null,
      wal_start_lsn: survey?.wal.startLsn ?? null,
      wal_end_lsn: survey?.wal.endLsn ?? null,
      proven_to: survey?.tail.provenTo ? positionToJson(survey.tail.provenTo) : null,
      tail_stop: survey?.tail.stop ? { ...survey.tail.stop } : null,
    },
    rules_applied: (isReplica ? REPLICA_RULES : PRIMARY_RULES).map((claim) =>
      ruleJson(claim.verdict(context)),
    ),
    conclusion: isReplica ? replicaConclusion(context) : primaryConclusion(context),
  };
}

type Conclusion = Explanation['conclusion'];
type Context = NodeSnapshot['context'];

function replicaConclusion({ recordedHalt, plan, repair, survey }: Context): Conclusion {
  if (recordedHalt !== null)
    return { result: 'stays halted', reason: `${recordedHalt.code}: ${recordedHalt.message}` };
  if (survey === null) return { result: 'undetermined', reason: 'the files have not been surveyed' };
  if (plan === null) return { result: 'halted', reason: 'a rule does not hold' };
  return {
    result: plan.outcome,
    reason: null,
    steps: plan.steps,
    discarded_partials: repair?.discardedPartials ?? null,
    discarded_tail: tailJson(repair?.discardedTail ?? null),
  };
}

function tailJson(tail: NonNullable<Context['repair']>['discardedTail']): Json {
  if (tail === null) return null;
  const { fromLsn, bytes, rule, keptIn } = tail;
  return { from_lsn: fromLsn, bytes, rule, kept_in: keptIn };
}

function primaryConclusion({ recordedHalt, survey, applied }: Context): Conclusion {
  if (recordedHalt !== null)
    return { result: 'stays halted', reason: `${recordedHalt.code}: ${recordedHalt.message}` };
  if (survey === null) return { result: 'undetermined', reason: 'the files have not been surveyed' };
  if (applied === null) return { result: 'halted', reason: 'a rule does not hold' };
  const { provenTo, stop } = survey.tail;
  return {
    result: 'recovered',
    reason: null,
    cut_tail:
      stop === null || provenTo === null
        ? null
        : {
            from_lsn: provenTo.lsn,
            bytes: survey.wal.endLsn - provenTo.lsn,
            rule: stop.rule,
            kind: stop.kind,
          },
  };
}
