/** The same of the checks that no state of the chart asks one by one: of the gate, of versions, and of units of WAL. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeClaims, nodeMachine } from '../../machines/node.ts';
import { firstViolation } from '../../src/core/checks/check.ts';
import { validationCheck } from '../../src/core/checks/validation.ts';
import { VISIBILITY_CHECKS, type VisibilityFacts } from '../../src/core/checks/visibility.ts';
import { FRAMING_CHECKS, UNIT_CHECKS } from '../../src/core/checks/wal.ts';
import { explainReads } from '../../src/core/explain/replication.ts';
import { explainDocument, explainRange } from '../../src/core/explain/visibility.ts';
import {
  admissionOf,
  GATE_CHECKS,
  gateVerdicts,
  noApplicationIsInFlight,
  readsAreProven,
  type ReadFacts,
} from '../../src/core/read-safety.ts';
import { stopEvidence } from '../../src/core/recovery/survey.ts';
import { genesisChain } from '../../src/core/wal/chain.ts';
import { ProvenBatch } from '../../src/core/wal/proof.ts';
import { blockingReasons } from '../../src/http/health.ts';
import { broken, contextOf } from '../support/broken-contexts.ts';
import { CLUSTER } from '../support/nodes.ts';
import { haltingStep } from '../support/observed.ts';
import { halted } from '../support/replicas.ts';
import { servedReplica } from '../support/served-nodes.ts';
import { recordedWal } from '../support/sources.ts';
import { allChecks, evaluationOf, turned, VALUES } from './checks.ts';
import { following } from './proof.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

afterEach(() => vi.restoreAllMocks());

const at = (commitId: number) => ({ commitId, lsn: commitId * 100, historyHash: 'ab'.repeat(32) });
const safe: ReadFacts = {
  role: 'replica',
  clusterId: null,
  state: 'replicating',
  halt: null,
  receivedLsn: 700,
  validated: at(6),
  applied: at(5),
  inFlight: null,
  view: { commitId: 5, token: null },
};
/** The same moment as the chart has it. */
const moment = contextOf({
  receivedLsn: 700,
  validated: { ...genesisChain(CLUSTER), ...at(6) },
  applied: { ...at(5), segmentIndex: 0, snapshotCut: 0 },
});
const versions: VisibilityFacts['chain'] = {
  versions: [{ commitId: 4, op: 'put', place: { log: 'wal', lsn: 9 }, documentBytes: 2, crc32c: '00000000' }],
  more: false,
  chosen: 4,
};
const document = { collection: Buffer.from('c'), id: Buffer.from('k'), fault: null, documentSha256: null };

describe('P5-I15: one check of the gate admits, refuses, opens the gate and explains', () => {
  test.each(GATE_CHECKS.map((check) => [check.rule, check] as const))('P5-I12: %s', (rule, check) => {
    const guards = nodeMachine.implementations.guards as Record<string, (args: object) => boolean>;
    for (const value of VALUES) {
      turned(rule, value);
      const evaluation = evaluationOf(value);
      expect(gateVerdicts(safe).map((one) => [one.rule, one.evaluation])).toEqual(
        GATE_CHECKS.map((one) => [one.rule, one === check ? evaluation : 'holds']),
      );
      expect(guards[readsAreProven.rule]?.({ context: moment })).toBe(value === true);
      expect(nodeClaims['P5-I12 readsAreProven'].verdict(moment).evidence).toMatchObject({
        [rule]: evaluation,
      });
      const deferred = check === noApplicationIsInFlight;
      expect(admissionOf(safe)).toEqual(
        value === true ? { kind: 'admitted' } : deferred ? { kind: 'deferred' } : { kind: 'refused', check },
      );
      expect(explainReads(safe).conclusion).toEqual(
        value === true
          ? { result: 'safe', reason: null }
          : value === null
            ? { result: 'undetermined', reason: `evidence is missing for ${rule}` }
            : { result: 'unsafe', reason: rule },
      );
      expect(blockingReasons({ gate: { facts: () => safe } } as never)).toEqual(
        value === true || deferred ? [] : [rule],
      );
      const read = explainDocument({ ...document, gate: safe, chain: versions });
      expect([
        read.conclusion.result,
        read.rules_applied.find((one) => one.rule_id === rule)?.evaluation,
      ]).toEqual([value === true ? 'visible' : 'refused', evaluation]);
      vi.restoreAllMocks();
    }
  });
});

describe('P5-I15: one check of versions explains every read', () => {
  test.each(VISIBILITY_CHECKS.map(({ rule }) => [rule] as const))('P5-I7: %s', (rule) => {
    for (const value of VALUES) {
      turned(rule, value);
      const { rules_applied: rules, conclusion } = explainDocument({
        ...document,
        gate: safe,
        chain: versions,
      });
      expect(rules.slice(GATE_CHECKS.length).map((one) => [one.rule_id, one.evaluation])).toEqual(
        VISIBILITY_CHECKS.map((one) => [one.rule, one.rule === rule ? evaluationOf(value) : 'holds']),
      );
      expect([conclusion.result, conclusion.reason]).toEqual(
        value === true ? ['visible', null] : ['undetermined', rule],
      );
      vi.restoreAllMocks();
    }
  });

  test('P5-I7: of a range', () => {
    const range = { documents: 0, ascending: true, newestCommitId: null, entriesSha256: '', more: false };
    for (const value of VALUES) {
      turned('P5-I7 rangeIsInOrder', value);
      const { rules_applied: rules, conclusion } = explainRange({
        gate: safe,
        collection: Buffer.from('c'),
        after: null,
        last: null,
        range,
      });
      expect([rules.at(-1)?.evaluation, conclusion.result]).toEqual([
        evaluationOf(value),
        value === true ? 'visible' : 'undetermined',
      ]);
      vi.restoreAllMocks();
    }
  });
});

describe('P5-I15: one check of a unit stops the proof, the receiver, the chart and the recovery', () => {
  test.each(UNIT_CHECKS.map((check) => [check.rule, check] as const))('P5-I5: %s', async (rule, check) => {
    const wal = await recordedWal(2);
    const { suspect } = broken[rule]?.validation ?? {};
    if (suspect === undefined || suspect === null) throw new Error(`nothing breaks ${rule}`);
    expect(firstViolation(UNIT_CHECKS, suspect)).toBe(check);
    const ofChart = validationCheck(rule);
    const facts = { from: genesisChain(CLUSTER), to: genesisChain(CLUSTER), suspect, incompleteLsn: null };
    for (const value of VALUES) {
      turned(rule, value);
      // What the chart asks is made of the unit's own check, and not a copy of its answer.
      expect([ofChart.rule, ofChart.claim(facts)]).toEqual([rule, value]);
      expect(firstViolation(UNIT_CHECKS, suspect) === check).toBe(value !== true);
      const { stop } = ProvenBatch.prove(genesisChain(CLUSTER), wal);
      expect(stop && stopEvidence(stop)).toEqual(
        value === true ? null : expect.objectContaining({ kind: 'invalid', rule, lsn: 0, byte: 0 }),
      );
      vi.restoreAllMocks();
    }
  });

  test.each(UNIT_CHECKS.map((check) => [check.rule, check] as const))(
    'P5-I10: %s, made to fail on good WAL, halts a replica and explains it',
    async (rule, check) => {
      const wal = await recordedWal(2);
      turned(rule, false);
      const node = await servedReplica(following(wal));
      const { context } = await halted(node);
      const isFraming = FRAMING_CHECKS.includes(check);
      const asked = isFraming ? 'P5-I4 receivedIsInOrder' : rule;
      expect([context.halt?.rule, context.receivedLsn, context.validated?.lsn]).toEqual([
        asked,
        isFraming ? 0 : wal.length,
        0,
      ]);
      if (isFraming) expect(context.halt?.evidence['unit']).toMatchObject({ rule, lsn: 0 });
      const [verdict] = haltingStep(node).verdicts;
      expect([verdict?.rule_id, verdict?.evaluation]).toEqual([asked, 'violated']);
      const { rules_applied: rules } = await node.gate.explain();
      expect(rules[1]?.evidence).toMatchObject({ halt: { rule: asked } });
    },
  );
});

/** Findings about files that no node decides by a claim: with the one file that states each, and why it is no check. */
const NO_CHECKS: Readonly<Record<string, readonly [file: string, why: string]>> = {
  'P5-I11 unitIsWhole': [
    'src/core/recovery/survey.ts',
    'A torn unit has no facts that a claim could be about: the proof ends for want of bytes, and only the place is known.',
  ],
  'P5-I4 segmentsJoin': [
    'src/io/wal/stop.ts',
    'The commands that read files name a hole between two of them; of a node it is a part of prefixIsProven.',
  ],
  'P5-I9 walBeginsWithHistoryOrAtTheCut': [
    'src/io/wal/verify.ts',
    'Only wal verify asks where files may begin, because it has no checkpoint; of a node it is a part of prefixIsProven.',
  ],
};

describe('P5-I15: no invariant is evaluated anywhere else', () => {
  const sources = async () => {
    const found = await Promise.all(
      ['src', 'machines'].map(async (top) =>
        (await readdir(join(ROOT, top), { recursive: true }))
          .filter((name) => name.endsWith('.ts'))
          .map((name) => `${top}/${name.replaceAll('\\', '/')}`),
      ),
    );
    return Promise.all(
      found.flat().map(async (file) => [file, await readFile(join(ROOT, file), 'utf8')] as const),
    );
  };

  test('checks are defined in src/core/checks and for the gate, and nowhere else', async () => {
    const defining = (await sources()).filter(([, text]) => /defineCheck[(<]|: Check<[^>]*> = \{/.test(text));
    expect(defining.map(([file]) => file).filter((file) => !file.startsWith('src/core/checks/'))).toEqual([
      'src/core/read-safety.ts',
    ]);
  });

  test('P5-I15: a rule has one definition, and every rule that is named is one', async () => {
    const rules = allChecks.map(({ rule }) => rule as string);
    expect(new Set(rules).size).toBe(rules.length);
    const named = (await sources()).flatMap(([file, text]) =>
      [...text.matchAll(/['"`](P5-I\d+ [a-z]\w+)['"`]/g)].map(([, rule]) => [rule as string, file] as const),
    );
    expect(new Set(named.map(([rule]) => rule))).toEqual(new Set([...rules, ...Object.keys(NO_CHECKS)]));
    const elsewhere = named.filter(([rule]) => !rules.includes(rule));
    expect(elsewhere).toEqual(
      expect.arrayContaining(Object.entries(NO_CHECKS).map(([rule, [file]]) => [rule, file])),
    );
    expect(elsewhere).toHaveLength(Object.keys(NO_CHECKS).length);
  });
});
