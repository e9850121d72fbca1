import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/core/bytes.ts';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import { explainRecovery, recoveryRecordOf } from '../../src/core/explain/recovery.ts';
import { explainReads, readFactsOf } from '../../src/core/explain/replication.ts';
import type { ReadFacts } from '../../src/core/read-safety.ts';
import {
  documentSha256 as sha256Of,
  explainDocument,
  explainRange,
  RangeDigest,
} from '../../src/core/explain/visibility.ts';
import type { VersionFacts } from '../../src/core/checks/visibility.ts';
import type { StoredVersion } from '../../src/core/storage/version.ts';
import type { EvidenceSource } from '../../src/verify/evidence.ts';
import {
  documentAnswer,
  primaryAtWork,
  rangeAnswer,
  recoveryOf,
  replicaAtWork,
  replicaHalted,
  replicaThatDiscarded,
  replicationOf,
} from '../support/explained.ts';
import { forgeriesOf } from '../support/forging.ts';
import {
  filesOfPrimary,
  ownFiles,
  throughJson,
  VERIFIED,
  verdictOf,
  verified,
} from '../support/verifying.ts';

/** Makes a whole explanation, consistent in itself, from inputs. */
type Rebuild = (inputs: JsonObject) => Explanation;
const ofGate: Rebuild = (inputs) => explainReads(readFactsOf(inputs));
const ofRecovery: Rebuild = (inputs) => explainRecovery(recoveryRecordOf(inputs));

/** What was asked for is no claim of the node: another question gives another explanation, and a true one. */
const asked = { 'view_commit_id: one more': 'verified', 'view_commit_id: one less': 'verified' };

const inputsOf = (explanation: Json) => (explanation as unknown as Explanation).inputs;

/** Forges each single fact and rebuilds all the rest from it. Gives those that do not differ, with the verdict. */
async function passing(honest: Json, rebuild: Rebuild, source: EvidenceSource) {
  const whole = inputsOf(honest);
  const passed: Record<string, string> = {};
  for (const { path, change, forged } of forgeriesOf(whole)) {
    let rebuilt: Explanation;
    try {
      rebuilt = throughJson(rebuild(forged as JsonObject));
    } catch {
      // Facts of another shape: nobody can make an explanation of them.
      continue;
    }
    // What is told twice is made from the other telling, so nothing was forged at all.
    if (JSON.stringify(rebuilt) === JSON.stringify(honest)) continue;
    const { verdict, undetermined } = await verified(rebuilt, source);
    if (verdict !== 'differs') passed[`${path}: ${change}`] = undetermined[0]?.split(':')[0] ?? verdict;
  }
  return passed;
}

/** The honest facts of a gate with some others in their place, and what comes of it. */
async function verdictWith(
  honest: Json,
  change: (facts: ReadFacts) => Partial<ReadFacts>,
  source: EvidenceSource,
) {
  const facts = readFactsOf(inputsOf(honest));
  const { verdict, differences, undetermined } = await verdictOf(
    explainReads({ ...facts, ...change(facts) }),
    source,
  );
  return [verdict, ...new Set(differences.map(({ path }) => path)), ...undetermined];
}

describe('P5-I15: a forger who makes all the rest fit is found out wherever files can tell', () => {
  test('P5-I12: every single fact of whether reads are safe', async () => {
    for (const honest of [await replicaAtWork(), await primaryAtWork()]) {
      const own = await ownFiles(honest.dataDir);
      expect(await passing(replicationOf(honest.node), ofGate, own)).toEqual(asked);
    }
    const halted = await replicaHalted();
    expect(await passing(replicationOf(halted.node), ofGate, await ownFiles(halted.dataDir))).toEqual({
      ...asked,
      'wal_received_lsn: one less': 'inputs.wal_received_lsn',
    });
  });

  test('P5-I11: every single fact of a recovery, but for what is said to be in no file', async () => {
    const moment = { 'repair: removed': 'verified' };
    const discarded = {
      'survey.tail.valid_unit_after_lsn: a number': 'verified',
      'survey.wal.segments: one less': 'verified',
      'survey.wal.segments: one more': 'verified',
    };
    const unit = 'survey.tail.stop.evidence.expected.unit_bytes';
    const torn = {
      [`${unit}: one more`]: 'verified',
      [`${unit}: one less`]: 'verified',
      [`${unit}: null`]: 'verified',
    };
    for (const [honest, expected] of [
      [await replicaAtWork(), { 'survey.wal.segments: one more': 'verified' }],
      [await primaryAtWork(), {}],
      [await replicaThatDiscarded(), discarded],
      [await replicaThatDiscarded(10), { ...discarded, ...torn }],
    ] as const)
      expect(await passing(recoveryOf(honest.node), ofRecovery, await ownFiles(honest.dataDir))).toEqual({
        ...moment,
        ...expected,
      });
  });

  test('P5-I4: the facts of a replica against the files of its primary, which may end earlier', async () => {
    const { node, primaryDir } = await replicaAtWork();
    expect(await passing(replicationOf(node), ofGate, await filesOfPrimary(primaryDir))).toEqual({
      ...asked,
      'position.lsn: one more': 'inputs.position',
      'wal_validated.lsn: one more': 'inputs.wal_validated',
      'wal_received_lsn: one more': 'inputs.wal_received_lsn',
    });
  });

  test('P5-I15: what is said to be in no file is just that', async () => {
    const { node, dataDir, primaryDir } = await replicaAtWork();
    const paths = async (explanation: Json, source: EvidenceSource) =>
      (await verified(explanation, source)).not_in_files.map((one) => one.split(':')[0]);
    const ofMoment = ['machine_state', 'in_flight', 'position', 'wal_validated', 'wal_received_lsn'];
    const places = [...ofMoment].map((name) => `inputs.${name}`);
    expect(await paths(replicationOf(node), await ownFiles(dataDir))).toEqual(places);
    expect(await paths(replicationOf(node), await filesOfPrimary(primaryDir))).toEqual([
      ...places,
      'inputs.role',
      'inputs.halt',
    ]);
    const ofStart = ['survey.checkpoint', 'survey.partials', 'survey.wal.segments', 'repair'];
    const found = ['bootstrap', ...ofStart].map((name) => `inputs.${name}`);
    expect(await paths(recoveryOf(node), await ownFiles(dataDir))).toEqual(found);
    expect(await paths(recoveryOf(node), await filesOfPrimary(primaryDir))).toEqual([
      'inputs.role',
      'inputs.bootstrap',
      'inputs.recorded_halt',
      ...ofStart.map((name) => `inputs.${name}`),
    ]);
  });

  test('P5-I10, P5-I12: a halt removed or invented, another role, another state, a batch in flight', async () => {
    const halted = await replicaHalted();
    const own = await ownFiles(halted.dataDir);
    const honest = replicationOf(halted.node);
    const atWork = replicationOf((await replicaAtWork()).node);
    const { state } = readFactsOf(inputsOf(atWork));
    const removed = [
      'undetermined',
      'inputs.halt: a halt is recorded now, WAL_CORRUPT; whether it came later does not show',
    ];
    expect(await verdictWith(honest, () => ({ halt: null, state }), own)).toEqual(removed);
    expect(await verdictWith(honest, () => ({ halt: null }), own)).toEqual([
      'differs',
      'inputs.machine_state',
      ...removed.slice(1),
    ]);
    const working = await replicaAtWork();
    const files = await ownFiles(working.dataDir);
    const now = replicationOf(working.node);
    const { halt } = readFactsOf(inputsOf(honest));
    const verdicts = async (change: (facts: ReadFacts) => Partial<ReadFacts>) =>
      (await verdictWith(now, change, files)).filter(
        (one) => !one.startsWith('rules') && !one.startsWith('concl'),
      );
    expect(await verdicts(() => ({ halt, state: 'halted.resting' }))).toEqual([
      'differs',
      'inputs.machine_state',
      'inputs.halt',
    ]);
    expect(await verdicts(() => ({ halt, state: 'halted.recording' }))).toEqual([
      'undetermined',
      'inputs.halt: there is no record of it; it may be one that could not be written',
    ]);
    expect(await verdicts(() => ({ halt }))).toEqual(['differs', 'inputs.halt']);
    const asPrimary = { role: 'primary', state: 'disabled', receivedLsn: null, validated: null } as const;
    expect((await verdicts(() => asPrimary)).slice(0, 2)).toEqual(['differs', 'inputs.role']);
    for (const wrong of ['failed in nothing', 'x in y', '', 'replicating', 'constructor', '__proto__.a'])
      expect((await verdicts(() => ({ state: wrong }))).slice(0, 2)).toEqual([
        'differs',
        'inputs.machine_state',
      ]);
    expect(await verdicts(({ applied }) => ({ inFlight: { from: applied, to: applied } as never }))).toEqual([
      'differs',
      'inputs.in_flight',
    ]);
  });

  test('P5-I7: a version chain altered, a deleted document shown, one left out', async () => {
    const { node, dataDir, primaryDir } = await replicaAtWork();
    const own = await ownFiles(dataDir);
    const gate = node.gate.facts();
    const [collection, id] = [Buffer.from('c'), Buffer.from('a')];
    const honest = (await documentAnswer(node, 'a')) as JsonObject;
    const proof = honest['proof'] as unknown as Explanation;
    const told = (proof.rules_applied[7] as { evidence: JsonObject }).evidence[
      'versions'
    ] as readonly JsonObject[];
    const versions = told.map((one): VersionFacts => ({
      commitId: one['commit_id'] as number,
      op: 'put',
      place: { log: 'wal', lsn: one['lsn'] as number },
      documentBytes: one['document_bytes'] as number,
      crc32c: one['crc32c'] as string,
    }));
    const [newest, second, ...older] = versions as [VersionFacts, VersionFacts, ...VersionFacts[]];
    const sha = (text: string) => sha256Of(Buffer.from(text));
    const chains: Record<string, [readonly VersionFacts[], string | null]> = {
      'the newest left out': [[second, ...older], sha('{"n":3}')],
      'one in the middle left out': [[newest, ...older], proof.conclusion['document_sha256'] as string],
      none: [[], null],
      'shown as deleted': [[{ ...newest, op: 'delete' }, second, ...older], null],
      'another checksum': [
        [{ ...newest, crc32c: '00000000' }, second, ...older],
        proof.conclusion['document_sha256'] as string,
      ],
      'another place': [
        [{ ...newest, place: { log: 'wal', lsn: 100 } }, second, ...older],
        proof.conclusion['document_sha256'] as string,
      ],
      'in the base file': [
        [{ ...newest, place: { log: 'base', offset: 152 } }, second, ...older],
        proof.conclusion['document_sha256'] as string,
      ],
      'another document': [versions, sha('{}')],
    };
    const read = (some: readonly VersionFacts[], documentSha256: string | null) =>
      explainDocument({
        gate,
        collection,
        id,
        fault: null,
        documentSha256,
        chain: { versions: some, more: false, chosen: some[0]?.commitId ?? null },
      });
    expect(await verdictOf(read(versions, proof.conclusion['document_sha256'] as string), own)).toEqual(
      VERIFIED,
    );
    for (const [what, [some, documentSha256]] of Object.entries(chains))
      for (const source of [own, await filesOfPrimary(primaryDir)])
        expect((await verdictOf(read(some, documentSha256), source)).verdict, what).toBe('differs');
    const deleted = explainDocument({
      gate,
      collection,
      id: Buffer.from('k2'),
      fault: null,
      documentSha256: sha('2'),
      chain: { versions: [second], more: false, chosen: second.commitId },
    });
    expect((await verdictOf(deleted, own)).verdict).toBe('differs');
    // A fault that the node says it met is not in the log, and not out of the question either.
    const fault = explainDocument({
      gate,
      collection,
      id,
      chain: null,
      documentSha256: null,
      fault: { key: '00' },
    });
    expect((await verdictOf(fault, own)).verdict).toBe('undetermined');
    expect((await verdictOf({ ...honest, proof: fault }, own)).verdict).toBe('differs');
  });

  test('P5-I7: an answer with the proof of something else', async () => {
    const { node, dataDir } = await replicaAtWork();
    const own = await ownFiles(dataDir);
    const answer = (await documentAnswer(node, 'a')) as JsonObject;
    const facts = node.gate.facts();
    const refused = explainDocument({
      gate: { ...facts, view: { commitId: 99, token: null } },
      collection: Buffer.from('c'),
      id: Buffer.from('a'),
      chain: null,
      fault: null,
      documentSha256: null,
    });
    expect(await verdictOf(refused, own)).toEqual(VERIFIED);
    for (const [what, proof] of Object.entries({
      'of the gate': replicationOf(node),
      'of another document': ((await documentAnswer(node, 'k1')) as JsonObject)['proof'],
      'of another view': ((await documentAnswer(node, 'a', 2)) as JsonObject)['proof'],
      'of a range': ((await rangeAnswer(node, null, 9)) as JsonObject)['proof'],
      'of a refusal': throughJson(refused) as unknown as Json,
    }))
      expect((await verdictOf({ ...answer, proof }, own)).verdict, what).toBe('differs');
  });

  test('P5-I7: a page with a document left out, added or moved, or that ends elsewhere', async () => {
    const { node, dataDir } = await replicaAtWork();
    const own = await ownFiles(dataDir);
    const stored = await node.gate.read(async (view) => {
      const all: StoredVersion[] = [];
      for await (const one of view.scanStored('c')) all.push(one);
      return all;
    });
    const page = (some: readonly StoredVersion[], more: boolean, last?: string) => {
      const digest = new RangeDigest();
      for (const one of some) digest.add(one);
      return explainRange({
        gate: node.gate.facts(),
        collection: Buffer.from('c'),
        after: null,
        last: last === undefined ? digest.last : Buffer.from(last),
        range: digest.facts(more),
      });
    };
    const [first, second, ...rest] = stored as [StoredVersion, StoredVersion, ...StoredVersion[]];
    expect(await verdictOf(page(stored, false), own)).toEqual(VERIFIED);
    expect(await verdictOf(page([first, second], true), own)).toEqual(VERIFIED);
    for (const [what, forged] of Object.entries({
      'left out in the middle': page([first, ...rest], false),
      'left out at the front': page([second, ...rest], false),
      'left out at the end': page([first, second], false),
      added: page([first, { ...second, id: Buffer.from('b') }, second, ...rest], false),
      moved: page([second, first, ...rest], false),
      'ends behind its last document': page([first, second], true, 'k2'),
      'says that there is more': page(stored, true),
      'is empty, and there is more': page([], true),
      'is empty': page([], false),
    }))
      expect((await verdictOf(forged, own)).verdict, what).toBe('differs');
  });
});
