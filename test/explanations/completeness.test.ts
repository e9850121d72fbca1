/**
 * An explanation has all of its rules in one order, whatever fails; each is evaluated on its own facts and on nothing that
 * another one says. What is not known is said so, and the id of an explanation changes with everything in it.
 */
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Json, JsonObject } from '../../src/core/bytes.ts';
import type { VisibilityFacts } from '../../src/core/checks/visibility.ts';
import { snapshotIdOf, type Explanation } from '../../src/core/explain/explanation.ts';
import { explainRecovery, type RecoveryRecord } from '../../src/core/explain/recovery.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { explainDocument } from '../../src/core/explain/visibility.ts';
import { GATE_CHECKS, type ReadFacts } from '../../src/core/read-safety.ts';
import {
  decideRecovery,
  RECOVERY_ANSWERS,
  recoveryInputs,
  type RecoveryInputs,
} from '../../src/core/recovery/decision.ts';
import { genesisChain } from '../../src/core/wal/chain.ts';
import { at, recordedHalt } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

afterEach(() => vi.useRealTimers());

const halt = { ...recordedHalt, evidence: { lsn: 7 } };

/** Every way to take one value of each list. */
function every<Lists extends Readonly<Record<string, readonly unknown[]>>>(
  lists: Lists,
): { readonly [Name in keyof Lists]: Lists[Name][number] }[] {
  return Object.entries(lists).reduce<JsonObject[]>(
    (rows, [name, values]) =>
      rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value as Json }))),
    [{}],
  ) as never;
}

const ruleIds = ({ rules_applied: rules }: Explanation) => rules.map((one) => one.rule_id);
const evaluations = ({ rules_applied: rules }: Explanation) =>
  Object.fromEntries(rules.map((one) => [one.rule_id, one.evaluation]));

/** What holds of every explanation there is. */
function expectWellMade(explanation: Explanation): void {
  const text = JSON.stringify(explanation);
  // JSON knows no undefined: what is not known has to be null.
  expect(JSON.parse(text)).toEqual(explanation);
  expect(text).not.toMatch(/undefined|NaN|Infinity|\d{4}-\d\d-\d\dT\d\d:|"[a-z_]*(?:time|date|timestamp)"/);
  expect(snapshotIdOf(explanation)).toBe(explanation.observed_snapshot.snapshot_id);
  for (const { rule_id: rule, description, evidence } of explanation.rules_applied)
    expect([rule, description.length > 0, typeof evidence]).toEqual([rule, true, 'object']);
  const { result, reason } = explanation.conclusion;
  if (result === 'undetermined') expect(reason).toEqual(expect.any(String));
}

const FOUND = ['in history', 'not in history', 'ahead', 'before what is kept', 'not looked up'] as const;
const tokenOf = (found: (typeof FOUND)[number]): ReadFacts['view']['token'] => ({
  position: at(5),
  found,
  foundHash: found === 'in history' ? at(5).historyHash : null,
});
const tokens = [null, ...FOUND.map(tokenOf)];
const GATE = {
  state: ['replicating.ingesting.receiving', 'recovering.surveying', 'failed in replicating'],
  halt: [null, halt],
  receivedLsn: [700, 300, null],
  validated: [at(6), null],
  applied: [at(5), null],
  inFlight: [null, { from: at(5), to: at(6) }],
  viewCommitId: [5, 6, null],
  token: tokens,
} as const;

type GateRow = { readonly [Name in keyof typeof GATE]: (typeof GATE)[Name][number] };
const factsOf = ({ viewCommitId, token, ...facts }: GateRow): ReadFacts => ({
  role: 'replica',
  clusterId: null,
  ...facts,
  view: { commitId: viewCommitId, token },
});
const healthy = Object.fromEntries(Object.entries(GATE).map(([name, [first]]) => [name, first])) as GateRow;

/** What each rule of the gate looks at; everything else leaves it as it is. */
const LOOKS_AT: Readonly<Record<string, readonly (keyof GateRow)[]>> = {
  'P5-I12 nodeIsActive': ['state'],
  'P5-I10 nothingIsHalted': ['halt'],
  'P5-I4 prefixHolds': ['receivedLsn', 'validated', 'applied'],
  'P5-I12 viewIsApplied': ['applied', 'viewCommitId', 'token'],
  'P5-I4 viewIsInHistory': ['token'],
  'P5-I12 noApplicationIsInFlight': ['inFlight'],
};

test('P5-I15: replication.safety has every rule in its order in every combination, each on its own facts', () => {
  const rows = every(GATE) as GateRow[];
  expect(rows).toHaveLength(3 * 2 * 3 * 2 * 2 * 2 * 3 * 6);
  const alone = new Map<string, unknown>();
  for (const row of rows) {
    const explanation = explainReads(factsOf(row));
    expect(ruleIds(explanation)).toEqual(Object.keys(LOOKS_AT));
    for (const [rule, evaluation] of Object.entries(evaluations(explanation))) {
      const seen = Object.fromEntries((LOOKS_AT[rule] ?? []).map((name) => [name, row[name]]));
      const key = `${rule} ${JSON.stringify(seen)}`;
      if (!alone.has(key)) alone.set(key, evaluations(explainReads(factsOf({ ...healthy, ...seen })))[rule]);
      expect(evaluation, key).toBe(alone.get(key));
    }
    const said = explanation.rules_applied;
    const violated = said.find(({ evaluation }) => evaluation === 'violated')?.rule_id;
    const open = said.find(({ evaluation }) => evaluation === 'undetermined')?.rule_id;
    expect(explanation.conclusion).toEqual(
      violated !== undefined
        ? { result: 'unsafe', reason: violated }
        : open !== undefined
          ? { result: 'undetermined', reason: `evidence is missing for ${open}` }
          : { result: 'safe', reason: null },
    );
  }
  for (const row of rows.filter((_, index) => index % 97 === 0)) expectWellMade(explainReads(factsOf(row)));
});

test('F-O1: of a position that lies ahead, is not kept any more, or was not looked up, nothing is said to hold', () => {
  expect(
    FOUND.map((found) => [
      found,
      evaluations(explainReads(factsOf({ ...healthy, token: tokenOf(found) })))['P5-I4 viewIsInHistory'],
    ]),
  ).toEqual([
    ['in history', 'holds'],
    ['not in history', 'violated'],
    ['ahead', 'undetermined'],
    ['before what is kept', 'undetermined'],
    ['not looked up', 'undetermined'],
  ]);
});

/** Files that give the answers of a row of the decision table. */
function recordOf(row: RecoveryInputs): RecoveryRecord {
  const chain = (lsn: number) => ({ ...genesisChain(CLUSTER), lsn });
  const value = { ...at(1), segmentIndex: 0, snapshotCut: 0 };
  const from = row.checkpoint === 'intact' ? value.lsn : 0;
  return {
    role: 'replica',
    bootstrap: row.bootstrap,
    recordedHalt: row.halt === 'recorded' ? halt : null,
    survey: {
      checkpoint:
        row.checkpoint === 'intact'
          ? { state: 'intact', value }
          : row.checkpoint === 'damaged'
            ? { state: 'damaged', bytes: '00' }
            : { state: 'absent' },
      wal: {
        segments: row.wal === 'present' ? 1 : 0,
        startLsn: 0,
        endLsn: row.wal === 'present' ? 900 : 0,
        discontinuity: null,
      },
      base: { state: row.base, cutCommitId: null },
      partials: row.partials === 'present' ? ['identity.tmp'] : [],
      prefix:
        row.prefix === 'proven'
          ? { state: 'proven', chain: chain(from) }
          : { state: 'broken', evidence: { lsn: 3 } },
      tail: {
        provenTo: chain(from + (row.proven === 'something' ? 50 : 0)),
        stop:
          row.end === 'clean'
            ? null
            : { kind: row.end, rule: 'P5-I11 unitIsWhole', lsn: 9, file: 'f', byte: 9, evidence: {} },
        validUnitAfterLsn: null,
      },
    },
    repair: { discardedPartials: [], discardedTail: null },
  };
}

describe('P5-I15: recovery.process', () => {
  const rows = every(RECOVERY_ANSWERS) as RecoveryInputs[];
  const RULES = [
    ['P5-I10 noHaltIsRecorded', (row: RecoveryInputs) => row.halt === 'none'],
    [
      'P5-I11 checkpointIsIntact',
      (row: RecoveryInputs) =>
        row.checkpoint === 'intact' || (row.checkpoint === 'absent' && row.wal === 'empty'),
    ],
    ['P5-I8 baseIsInPlace', (row: RecoveryInputs) => row.base === 'not needed' || row.base === 'intact'],
    ['P5-I4 prefixIsProven', (row: RecoveryInputs) => row.prefix === 'proven'],
  ] as const;

  test('P5-I11: in every row of the decision table: every rule in its order, and what the table decides', () => {
    for (const [index, row] of rows.entries()) {
      const record = recordOf(row);
      expect(recoveryInputs(record, row.bootstrap)).toEqual(row);
      const explanation = explainRecovery(record);
      expect(Object.entries(evaluations(explanation))).toEqual(
        RULES.map(([rule, isMet]) => [rule, isMet(row) ? 'holds' : 'violated']),
      );
      const plan = decideRecovery(row);
      const { result, reason } = explanation.conclusion;
      // The table halts by the rule that the chart, which proves them one after another, comes to first.
      expect(plan.rule).toBe(RULES.find(([, isMet]) => !isMet(row))?.[0] ?? null);
      if (plan.outcome === 'stay halted')
        expect([result, reason]).toEqual(['stays halted', 'WAL_CORRUPT: m']);
      else if (plan.outcome === 'halt') expect([result, reason]).toEqual(['halted', plan.rule]);
      else expect([result, reason]).toEqual([plan.outcome, null]);
      if (index % 97 === 0) expectWellMade(explanation);
    }
  });

  test('F-O1: what was not looked at is undetermined, and a repair that is not through is no recovery', () => {
    for (const role of ['replica', 'primary'] as const) {
      const unread = { role, bootstrap: 'wal', recordedHalt: null, survey: null, repair: null } as const;
      const before = explainRecovery(unread);
      const [halt, ...ofFiles] = Object.values(evaluations(before));
      expect([halt, ...new Set(ofFiles)]).toEqual(['holds', 'undetermined']);
      expect(ofFiles).toHaveLength(role === 'replica' ? 3 : 4);
      expect([before.observed_snapshot.commit_id, before.conclusion]).toEqual([
        null,
        { result: 'undetermined', reason: 'the files have not been surveyed' },
      ]);
      const [row] = rows.filter((one) => one.halt === 'none' && one.checkpoint === 'intact');
      const during = explainRecovery({ ...recordOf(row as RecoveryInputs), role, repair: null });
      expect(during.conclusion).toEqual({
        result: 'undetermined',
        reason: 'the repair has not come to its end',
      });
      for (const one of [before, during]) expectWellMade(one);
    }
  });
});

const version = (commitId: number, op: 'put' | 'delete' = 'put') => ({
  commitId,
  op,
  place: { log: 'wal', lsn: 9 } as const,
  documentBytes: 2,
  crc32c: '00000000',
});
const CHAINS: readonly (readonly [VisibilityFacts['chain'], marks: string, seen: string])[] = [
  [null, '???', 'undetermined'],
  [{ versions: [], more: false, chosen: null }, '+++', 'absent'],
  [{ versions: [version(4), version(2)], more: false, chosen: 4 }, '+++', 'visible'],
  [{ versions: [version(4, 'delete')], more: true, chosen: 4 }, '+++', 'deleted'],
  [{ versions: [version(2), version(4)], more: false, chosen: 2 }, '+-+', 'undetermined'],
  [{ versions: [version(6)], more: false, chosen: 6 }, '+-+', 'undetermined'],
  [{ versions: [version(4)], more: false, chosen: 2 }, '++-', 'undetermined'],
  [{ versions: [version(9), version(9)], more: false, chosen: null }, '+--', 'undetermined'],
];

test('P5-I7, P5-I15: mvcc.read_visibility has the rules of the gate and then its own, in every combination', () => {
  const meaning: Readonly<Record<string, string>> = { '+': 'holds', '-': 'violated', '?': 'undetermined' };
  const gates = [
    healthy,
    { ...healthy, halt },
    { ...healthy, receivedLsn: null },
    { ...healthy, inFlight: GATE.inFlight[1] },
  ];
  for (const row of gates)
    for (const [chain, marks, seen] of CHAINS)
      for (const fault of [null, { lsn: 3 }]) {
        const gate = factsOf(row);
        const name = { collection: Buffer.from('c'), id: Buffer.from([0xff]) };
        const explanation = explainDocument({ ...name, gate, chain, fault, documentSha256: null });
        const safety = explainReads(gate);
        expect(explanation.rules_applied.slice(0, GATE_CHECKS.length)).toEqual(safety.rules_applied);
        const own = explanation.rules_applied.slice(GATE_CHECKS.length);
        const expected = [...(fault === null ? marks : `-${marks.slice(1)}`)].map((mark) => meaning[mark]);
        expect(own.map((one) => [one.rule_id, one.evaluation])).toEqual([
          ['P5-I11 versionsAreIntact', expected[0]],
          ['P5-I7 versionsDescendWithinView', expected[1]],
          ['P5-I7 newestInViewIsChosen', expected[2]],
        ]);
        const against = own.find(({ evaluation }) => evaluation !== 'holds')?.rule_id ?? null;
        expect([explanation.conclusion.result, explanation.conclusion.reason]).toEqual(
          safety.conclusion.result !== 'safe'
            ? ['refused', safety.conclusion.reason]
            : [against === null ? seen : 'undetermined', against],
        );
        expectWellMade(explanation);
      }
});

/** One explanation of each kind, with something in every field. */
const SAMPLES: readonly (() => Explanation)[] = [
  () => explainReads(factsOf({ ...healthy, halt, inFlight: GATE.inFlight[1], token: tokenOf('in history') })),
  () =>
    explainRecovery(
      recordOf({
        halt: 'recorded',
        checkpoint: 'intact',
        wal: 'present',
        base: 'not needed',
        prefix: 'broken',
        proven: 'something',
        end: 'torn',
        partials: 'present',
        bootstrap: 'wal',
      }),
    ),
  () =>
    explainDocument({
      collection: Buffer.from('c'),
      id: Buffer.from('k'),
      gate: factsOf(healthy),
      chain: CHAINS[2]?.[0] ?? null,
      fault: null,
      documentSha256: 'ab',
    }),
];

type Path = readonly (string | number)[];

/** The paths of all that is no object, but for the id itself. */
function leavesOf(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return path.at(-1) === 'snapshot_id' ? [] : [path];
  return Object.entries(value).flatMap(([name, one]) => leavesOf(one, [...path, name]));
}

function changedAt(value: Json, [name, ...rest]: Path, leaf: Json): Json {
  if (name === undefined) return leaf;
  const copy = (Array.isArray(value) ? [...(value as Json[])] : { ...(value as JsonObject) }) as Record<
    string,
    Json
  >;
  copy[name] = changedAt(copy[name] ?? null, rest, leaf);
  return copy;
}

describe('P5-I15: the id of an explanation', () => {
  test('the same state gives the same bytes, at whatever hour', () => {
    const bytes = (hour: string) => {
      vi.useFakeTimers({ now: new Date(hour), toFake: ['Date'] });
      return SAMPLES.map((sample) => JSON.stringify(sample()));
    };
    expect(bytes('2031-01-01T00:00:00Z')).toEqual(bytes('2026-11-22T18:00:00Z'));
    for (const sample of SAMPLES) expectWellMade(sample());
  });

  test('changes with any single field, and comes back with it', () => {
    for (const sample of SAMPLES) {
      const explanation = sample();
      const id = explanation.observed_snapshot.snapshot_id;
      const json = explanation as unknown as Json;
      const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
      fc.assert(
        fc.property(fc.constantFrom(...leavesOf(json)), leaf, (path, value) => {
          const before = path.reduce<Json>(
            (found, name) => (found as Record<string, Json>)[name] ?? null,
            json,
          );
          const changed = changedAt(json, path, value) as unknown as Explanation;
          expect(snapshotIdOf(changed) === id).toBe(Object.is(before, value));
          const back = changedAt(changed as unknown as Json, path, before) as unknown as Explanation;
          expect(snapshotIdOf(back)).toBe(id);
        }),
        { seed: 20261122, numRuns: 300 },
      );
    }
  });
});
