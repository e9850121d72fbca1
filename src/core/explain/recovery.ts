import * as z from 'zod';
import type { Json } from '../bytes.ts';
import { verdictOf, type Check, type Verdict } from '../checks/check.ts';
import * as check from '../checks/recovery.ts';
import type { RecoveryFacts } from '../checks/recovery.ts';
import { assertThat } from '../errors.ts';
import { haltToJson } from '../halt.ts';
import type { Role } from '../identity.ts';
import { positionToJson } from '../position.ts';
import { decideRecovery, recoveryInputs } from '../recovery/decision.ts';
import type { RepairFacts } from '../recovery/repair.ts';
import type { DiskSurvey } from '../recovery/survey.ts';
import { explanationOf, jsonObject, type Explanation } from './explanation.ts';
import { haltFrom, roleFrom } from './json-shapes.ts';

/** What a start found on disk, and what was made of it. */
export interface RecoveryRecord extends RecoveryFacts {
  readonly role: Role;
  readonly bootstrap: 'wal' | 'snapshot';
  /** What the repair did; `null` while there was none. A primary says only that it is through. */
  readonly repair: Pick<RepairFacts, 'discardedPartials' | 'discardedTail'> | null;
}

const REPLICA_CHECKS: readonly Check<RecoveryFacts>[] = [
  check.noHaltIsRecorded,
  check.checkpointIsIntact,
  check.baseIsInPlace,
  check.prefixIsProven,
];
const PRIMARY_CHECKS: readonly Check<RecoveryFacts>[] = [
  check.noHaltIsRecorded,
  check.checkpointIsIntact,
  check.baseIsInPlace,
  check.prefixIsProven,
  check.tailIsTornAtMost,
];

/** How the last start of a node recovered: what the disk showed, every rule, what was decided and discarded. */
export function explainRecovery(record: RecoveryRecord): Explanation {
  const { role, bootstrap, recordedHalt, survey, repair } = record;
  const verdicts = (role === 'replica' ? REPLICA_CHECKS : PRIMARY_CHECKS).map((one) =>
    verdictOf(one, record),
  );
  const answers = recoveryInputs(record, bootstrap);
  const checkpoint = survey?.checkpoint.state === 'intact' ? survey.checkpoint.value : null;
  return explanationOf(
    'recovery.process',
    checkpoint?.commitId ?? null,
    {
      role,
      bootstrap,
      answers: answers && { ...answers },
      checkpoint: checkpoint && positionToJson(checkpoint),
      wal_start_lsn: survey?.wal.startLsn ?? null,
      wal_end_lsn: survey?.wal.endLsn ?? null,
      proven_to: survey?.tail.provenTo ? positionToJson(survey.tail.provenTo) : null,
      tail_stop: survey?.tail.stop ? { ...survey.tail.stop } : null,
      recorded_halt: recordedHalt && haltToJson(recordedHalt),
      survey: renamed(survey as Json, snakeCase),
      repair: renamed(repair, snakeCase),
    },
    verdicts,
    conclusionOf(record, verdicts),
  );
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Facts with other names for their fields; what is evidence is raw and stays as it is. */
function renamed(value: Json, rename: (name: string) => string): Json {
  if (Array.isArray(value)) return value.map((one: Json) => renamed(one, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      rename(name),
      name === 'evidence' ? one : renamed(one, rename),
    ]),
  );
}

type Conclusion = Parameters<typeof explanationOf>[4];

function conclusionOf(record: RecoveryRecord, verdicts: readonly Verdict[]): Conclusion {
  const { role, bootstrap, recordedHalt, survey, repair } = record;
  const against = verdicts.find(({ evaluation }) => evaluation !== 'holds');
  if (against?.rule === check.noHaltIsRecorded.rule && recordedHalt !== null)
    return { result: 'stays halted', reason: `${recordedHalt.code}: ${recordedHalt.message}` };
  if (survey === null) return { result: 'undetermined', reason: 'the files have not been surveyed' };
  if (against !== undefined) return { result: 'halted', reason: against.rule };
  if (repair === null) return { result: 'undetermined', reason: 'the repair has not come to its end' };
  if (role === 'primary') return { result: 'recovered', reason: null, cut_tail: cutTail(survey) };
  const answers = recoveryInputs(record, bootstrap);
  assertThat(answers !== null, 'files that were surveyed have answers');
  const plan = decideRecovery(answers);
  return {
    result: plan.outcome,
    reason: null,
    steps: plan.steps,
    discarded_partials: repair.discardedPartials,
    discarded_tail: tailJson(repair.discardedTail),
  };
}

function tailJson(tail: RepairFacts['discardedTail']): Json {
  if (tail === null) return null;
  const { fromLsn, bytes, rule, keptIn } = tail;
  return { from_lsn: fromLsn, bytes, rule, kept_in: keptIn };
}

function cutTail({ tail: { provenTo, stop }, wal }: DiskSurvey): Json {
  return stop === null || provenTo === null
    ? null
    : { from_lsn: provenTo.lsn, bytes: wal.endLsn - provenTo.lsn, rule: stop.rule, kind: stop.kind };
}

const chain = z.strictObject({
  commitId: z.int(),
  lsn: z.int(),
  historyHash: z.string(),
  clusterId: z.string(),
  segmentIndex: z.int(),
  segmentStartLsn: z.int(),
  expects: z.enum(['segment header', 'frame']),
});
const survey = z.strictObject({
  checkpoint: z.discriminatedUnion('state', [
    z.strictObject({ state: z.literal('absent') }),
    z.strictObject({ state: z.literal('damaged'), bytes: z.string() }),
    z.strictObject({
      state: z.literal('intact'),
      value: z.strictObject({
        commitId: z.int(),
        lsn: z.int(),
        historyHash: z.string(),
        segmentIndex: z.int(),
        snapshotCut: z.int(),
      }),
    }),
  ]),
  wal: z.strictObject({
    segments: z.int(),
    startLsn: z.int(),
    endLsn: z.int(),
    discontinuity: z.strictObject({ expectedLsn: z.int(), foundLsn: z.int() }).nullable(),
  }),
  base: z.strictObject({
    state: z.enum(['not needed', 'intact', 'missing', 'damaged']),
    cutCommitId: z.int().nullable(),
  }),
  partials: z.array(z.string()),
  prefix: z.discriminatedUnion('state', [
    z.strictObject({ state: z.literal('proven'), chain }),
    z.strictObject({ state: z.literal('broken'), evidence: jsonObject }),
  ]),
  tail: z.strictObject({
    provenTo: chain.nullable(),
    stop: z
      .strictObject({
        kind: z.enum(['torn', 'invalid']),
        rule: z.string(),
        lsn: z.int(),
        file: z.string(),
        byte: z.int(),
        evidence: jsonObject,
      })
      .nullable(),
    validUnitAfterLsn: z.int().nullable(),
  }),
});
const inputs = z.object({
  role: roleFrom,
  bootstrap: z.enum(['wal', 'snapshot']),
  recorded_halt: haltFrom.nullable(),
  survey: survey.nullable(),
  repair: z
    .strictObject({
      discardedPartials: z.array(z.string()),
      discardedTail: z
        .strictObject({ fromLsn: z.int(), bytes: z.int(), rule: z.string(), keptIn: z.string().nullable() })
        .nullable(),
    })
    .nullable(),
});

/** What an explanation says it was made of. @throws ZodError where that is no record of a recovery. */
export function recoveryRecordOf(of: Explanation['inputs']): RecoveryRecord {
  const found = inputs.parse({
    ...of,
    survey: renamed(of['survey'] ?? null, camelCase),
    repair: renamed(of['repair'] ?? null, camelCase),
  });
  return {
    role: found.role,
    bootstrap: found.bootstrap,
    recordedHalt: found.recorded_halt,
    survey: found.survey satisfies DiskSurvey | null,
    repair: found.repair,
  };
}
