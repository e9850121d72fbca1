/**
 * Explanations as they have to be, whole and in the order of their bytes, built from what a test knows: the WAL, and what
 * it did to the node. No line of the program that explains is used but the descriptions of the rules.
 */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/bytes.ts';
import * as recovery from '../../src/core/checks/recovery.ts';
import { VISIBILITY_CHECKS } from '../../src/core/checks/visibility.ts';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import { GATE_CHECKS } from '../../src/core/read-safety.ts';
import { decodeWalFiles, type DecodedPosition } from './independent-decoder.ts';
import { CLUSTER } from './nodes.ts';

export const FIRST_SEGMENT = '00000000000000000000.wal';
export const GENESIS_PLACE: DecodedPosition = { commitId: 0, lsn: 0, historyHash: '0'.repeat(64) };

/** Where history stands after each commit of a WAL of one segment, read by the independent decoder; 0 is the beginning. */
export function placesIn(wal: Buffer): (commitId: number) => DecodedPosition {
  const { commits } = decodeWalFiles([{ name: FIRST_SEGMENT, bytes: wal }], CLUSTER);
  return (commitId) => {
    if (commitId === 0) return GENESIS_PLACE;
    const found = commits.find((one) => one.commitId === commitId);
    if (found === undefined) throw new Error(`there is no commit ${commitId}`);
    return found.acknowledged;
  };
}

export const json = ({ commitId, lsn, historyHash }: DecodedPosition) => ({
  commit_id: commitId,
  lsn,
  history_hash: historyHash,
});

/** `+` holds, `-` violated, `?` undetermined: one mark a rule, in the order of the explanation. */
type Marks = string;
const MEANING = { '+': 'holds', '-': 'violated', '?': 'undetermined' } as const;

interface Described {
  readonly rule: string;
  readonly description: string;
}

function rulesOf(
  checks: readonly Described[],
  ids: readonly string[],
  marks: Marks,
  evidence: readonly JsonObject[],
) {
  return ids.map((id, index) => ({
    rule_id: id,
    description: checks.find(({ rule }) => rule === id)?.description ?? 'no such rule',
    evaluation: MEANING[marks[index] as keyof typeof MEANING],
    evidence: evidence[index] ?? {},
  }));
}

/** With the id that its content gives it. */
function named(
  type: Explanation['explanation_type'],
  commitId: number | null,
  rest: Pick<Explanation, 'inputs' | 'rules_applied' | 'conclusion'>,
): Explanation {
  const of = (id: string): Explanation => ({
    explanation_type: type,
    observed_snapshot: { snapshot_id: id, commit_id: commitId },
    inputs: rest.inputs,
    rules_applied: rest.rules_applied,
    conclusion: rest.conclusion,
  });
  return of(
    createHash('sha256')
      .update(JSON.stringify(of('')))
      .digest('hex'),
  );
}

export interface HaltSaid {
  readonly code: ErrorCode;
  readonly rule: string;
  readonly evidence: JsonObject;
}

/** A halt by a rule, with the words that the table of errors has for its code. */
export function haltBy({ code, rule, evidence }: HaltSaid): JsonObject {
  const { meaning: message, action } = ERRORS[code];
  return { code, invariant: rule.slice(0, rule.indexOf(' ')), rule, message, evidence, action };
}

export interface GateSaid {
  readonly role?: 'primary' | 'replica';
  readonly clusterId?: string;
  readonly state: string;
  readonly applied: DecodedPosition | null;
  readonly receivedLsn?: number | null;
  readonly validated?: DecodedPosition | null;
  readonly inFlight?: { readonly from: DecodedPosition; readonly to: DecodedPosition } | null;
  readonly halt?: JsonObject | null;
  /** The view that was asked for, where it is not the newest. */
  readonly at?: number;
  readonly token?: {
    readonly position: DecodedPosition;
    readonly found: string;
    readonly foundHash: string | null;
  };
  readonly rules: Marks;
  readonly conclusion: readonly [result: string, reason: string | null];
}

const GATE_RULES = [
  'P5-I12 nodeIsActive',
  'P5-I10 nothingIsHalted',
  'P5-I4 prefixHolds',
  'P5-I12 viewIsApplied',
  'P5-I4 viewIsInHistory',
  'P5-I12 noApplicationIsInFlight',
];

/** `GET /v1/explain/replication`. */
export function gateExplanation(said: GateSaid): Explanation {
  const [result, reason] = said.conclusion;
  return named('replication.safety', said.applied?.commitId ?? null, {
    inputs: gateInputs(said),
    rules_applied: gateRules(said),
    conclusion: { result, reason },
  });
}

function viewOf({ at, token, applied }: GateSaid): number | null {
  return token?.position.commitId ?? at ?? applied?.commitId ?? null;
}

function gateInputs(said: GateSaid): JsonObject {
  const { role = 'replica', state, applied, receivedLsn = null, validated = null, inFlight = null } = said;
  const { token, halt = null, clusterId = CLUSTER } = said;
  return {
    role,
    cluster_id: clusterId,
    machine_state: state,
    position: applied && json(applied),
    view_commit_id: viewOf(said),
    view_position:
      token === undefined
        ? null
        : { position: json(token.position), found: token.found, found_hash: token.foundHash },
    wal_received_lsn: receivedLsn,
    wal_validated: validated && json(validated),
    in_flight: inFlight && { from: json(inFlight.from), to: json(inFlight.to) },
    halt,
  };
}

function gateRules(said: GateSaid) {
  const { role = 'replica', state, applied, receivedLsn = null, validated = null, inFlight = null } = said;
  const { token, halt = null } = said;
  return rulesOf(GATE_CHECKS, GATE_RULES, said.rules, [
    { role, state },
    { halt },
    {
      wal_received_lsn: receivedLsn,
      wal_validated_lsn: validated?.lsn ?? null,
      applied: applied && json(applied),
    },
    {
      view_commit_id: viewOf(said),
      applied_commit_id: applied?.commitId ?? null,
      ...(token === undefined ? {} : { view_lsn: token.position.lsn, applied_lsn: applied?.lsn ?? null }),
    },
    token === undefined
      ? { position: null }
      : { position: json(token.position), found: token.found, found_hash: token.foundHash },
    { in_flight: inFlight && { from: json(inFlight.from), to: json(inFlight.to) } },
  ]);
}

/** One version as an explanation of a read shows it. */
export interface VersionSaid {
  readonly commit_id: number;
  readonly op: 'put' | 'delete';
  readonly log: 'wal' | 'base';
  readonly lsn: number;
  readonly document_bytes: number;
  readonly crc32c: string;
}

export interface ReadSaid {
  readonly gate: GateSaid;
  readonly id: string;
  /** `null`: nothing was read. */
  readonly versions: readonly VersionSaid[] | null;
  readonly fault?: JsonObject;
  readonly documentSha256?: string;
  readonly rules: Marks;
  readonly conclusion: readonly [result: string, reason: string | null];
}

const VISIBILITY_RULES = [
  'P5-I11 versionsAreIntact',
  'P5-I7 versionsDescendWithinView',
  'P5-I7 newestInViewIsChosen',
];

/** `GET /v1/explain/read` of a document in the collection `c`. */
export function readExplanation(said: ReadSaid): Explanation {
  const { gate, id, versions, fault = null, documentSha256 = null } = said;
  const [result, reason] = said.conclusion;
  const newest = versions?.[0]?.commit_id ?? null;
  return named('mvcc.read_visibility', gate.applied?.commitId ?? null, {
    inputs: { ...gateInputs(gate), read: { kind: 'document', collection: 'c', id } },
    rules_applied: [
      ...gateRules(gate),
      ...rulesOf(VISIBILITY_CHECKS, VISIBILITY_RULES, said.rules, [
        { versions: versions === null ? null : versions.length, fault },
        {
          view_commit_id: viewOf(gate),
          versions: versions && versions.map((one) => ({ ...one })),
          older_left_out: versions === null ? null : false,
        },
        { newest_commit_id: newest, chosen_commit_id: newest },
      ]),
    ],
    conclusion: { result, reason, version_commit_id: newest, document_sha256: documentSha256 },
  });
}

/** A read that the gate refuses: nothing was read, so nothing of versions is known. */
export function unreadExplanation(gate: GateSaid): Explanation {
  const [, reason] = gate.conclusion;
  return readExplanation({ gate, id: 'k1', versions: null, rules: '???', conclusion: ['refused', reason] });
}

const DEFAULT_ANSWERS = {
  halt: 'none',
  checkpoint: 'intact',
  wal: 'present',
  base: 'not needed',
  prefix: 'proven',
  proven: 'nothing',
  end: 'clean',
  partials: 'none',
  bootstrap: 'wal',
};

export interface RecoverySaid {
  readonly role?: 'primary' | 'replica';
  readonly bootstrap?: 'wal' | 'snapshot';
  readonly recordedHalt?: JsonObject;
  /** `null`: the files were not looked at. */
  readonly found: {
    readonly answers?: Partial<typeof DEFAULT_ANSWERS>;
    /** `null`: there is none. */
    readonly checkpoint: DecodedPosition | null;
    readonly endLsn: number;
    readonly partials?: readonly string[];
    readonly provenTo: DecodedPosition;
    readonly stop?: JsonObject | null;
    readonly validUnitAfterLsn?: number;
  } | null;
  readonly repair?: {
    readonly discarded_partials: readonly string[];
    readonly discarded_tail: JsonObject | null;
  };
  readonly rules: Marks;
  readonly conclusion: JsonObject & { readonly result: string; readonly reason: string | null };
}

const RECOVERY_RULES = {
  replica: [
    'P5-I10 noHaltIsRecorded',
    'P5-I11 checkpointIsIntact',
    'P5-I8 baseIsInPlace',
    'P5-I4 prefixIsProven',
  ],
  primary: [
    'P5-I10 noHaltIsRecorded',
    'P5-I11 checkpointIsIntact',
    'P5-I8 baseIsInPlace',
    'P5-I4 prefixIsProven',
    'P5-I11 tailIsTornAtMost',
  ],
} as const;

/** `GET /v1/explain/recovery` of a node whose WAL is one segment from the beginning of history on. */
export function recoveryExplanation(said: RecoverySaid): Explanation {
  const { role = 'replica', bootstrap = 'wal', recordedHalt = null, found, repair = null } = said;
  const checkpoint = found?.checkpoint ?? null;
  const stop = found?.stop ?? null;
  const evidence: Record<string, JsonObject> = {
    'P5-I10 noHaltIsRecorded': { file: 'halt', recorded: recordedHalt },
    ...(found === null ? {} : surveyEvidence(found)),
  };
  return named('recovery.process', checkpoint?.commitId ?? null, {
    inputs: {
      role,
      bootstrap,
      answers: found && { ...DEFAULT_ANSWERS, bootstrap, ...found.answers },
      checkpoint: checkpoint && json(checkpoint),
      wal_start_lsn: found && 0,
      wal_end_lsn: found && found.endLsn,
      proven_to: found && json(found.provenTo),
      tail_stop: stop,
      recorded_halt: recordedHalt,
      survey: found && surveyJson(found),
      repair: repair && { ...repair },
    },
    rules_applied: rulesOf(
      Object.values(recovery),
      RECOVERY_RULES[role],
      said.rules,
      RECOVERY_RULES[role].map((rule) => evidence[rule] ?? {}),
    ),
    conclusion: said.conclusion,
  });
}

type Found = NonNullable<RecoverySaid['found']>;

function surveyEvidence({ checkpoint, endLsn, provenTo, stop = null, validUnitAfterLsn }: Found) {
  return {
    'P5-I11 checkpointIsIntact': {
      checkpoint: checkpoint === null ? { state: 'absent' } : json(checkpoint),
      wal_start_lsn: 0,
      wal_end_lsn: endLsn,
    },
    'P5-I8 baseIsInPlace': { cut_commit_id: null, base: 'not needed' },
    'P5-I4 prefixIsProven': { discontinuity: null, prefix: 'proven' },
    'P5-I11 tailIsTornAtMost': {
      proven_to_lsn: provenTo.lsn,
      wal_end_lsn: endLsn,
      stop,
      valid_unit_after_lsn: validUnitAfterLsn ?? null,
    },
  };
}

function surveyJson({ checkpoint, endLsn, partials = [], provenTo, stop = null, validUnitAfterLsn }: Found) {
  const value = checkpoint && { ...json(checkpoint), segment_index: 0, snapshot_cut: 0 };
  return {
    checkpoint: value === null ? { state: 'absent' } : { state: 'intact', value },
    wal: { segments: endLsn > 0 ? 1 : 0, start_lsn: 0, end_lsn: endLsn, discontinuity: null },
    base: { state: 'not needed', cut_commit_id: null },
    partials: [...partials],
    prefix: { state: 'proven', chain: chainJson(checkpoint ?? GENESIS_PLACE) },
    tail: {
      proven_to: chainJson(provenTo),
      stop,
      valid_unit_after_lsn: validUnitAfterLsn ?? null,
    },
  };
}

function chainJson(place: DecodedPosition): JsonObject {
  return {
    ...json(place),
    cluster_id: CLUSTER,
    segment_index: 0,
    segment_start_lsn: 0,
    expects: place.lsn === 0 ? 'segment header' : 'frame',
  };
}

/** A unit that the bytes end in the middle of. */
export function tornStop(lsn: number, unitBytes: number | null, available: number): JsonObject {
  return {
    kind: 'torn',
    rule: 'P5-I11 unitIsWhole',
    lsn,
    file: FIRST_SEGMENT,
    byte: lsn,
    evidence: { expected: { unit_bytes: unitBytes }, found: { bytes_available: available } },
  };
}
