/** Explanations of reads of documents and ranges, whole, and the way back from them to what was read. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { VersionFacts } from '../../src/core/checks/visibility.ts';
import {
  documentSha256,
  explainDocument,
  explainRange,
  RangeDigest,
  readRequestOf,
  versionFacts,
  type ReadOfDocument,
  type ReadOfRange,
} from '../../src/core/explain/visibility.ts';
import { explanationShape } from '../../src/core/explain/explanation.ts';
import { explainReads, gateInputs, readFactsOf } from '../../src/core/explain/replication.ts';
import type { ReadFacts } from '../../src/core/read-safety.ts';
import { at } from '../support/claim-parts.ts';
import { CLUSTER } from '../support/nodes.ts';

const gate = (change: Partial<ReadFacts> = {}): ReadFacts => ({
  role: 'replica',
  clusterId: CLUSTER,
  state: 'replicating.readGate.open',
  halt: null,
  receivedLsn: 400,
  validated: at(4),
  applied: at(3),
  inFlight: null,
  view: { commitId: 3, token: null },
  ...change,
});
const nothing = gate({ applied: null, view: { commitId: null, token: null } });
const version = (commitId: number, op: 'put' | 'delete'): VersionFacts => ({
  commitId,
  op,
  place: { log: 'wal', lsn: 100 },
  documentBytes: 2,
  crc32c: '00000000',
});
const text = (name: string) => Buffer.from(name);
const BYTES = Buffer.from([0xff]);

describe('P5-I7, P5-I15: an explanation of the read of a document', () => {
  const document = (change: Partial<ReadOfDocument> = {}): ReadOfDocument => ({
    collection: text('c'),
    id: text('i'),
    gate: gate(),
    chain: { versions: [version(2, 'put')], more: false, chosen: 2 },
    fault: null,
    documentSha256: 'ab',
    ...change,
  });
  const chainOf = (...versions: VersionFacts[]) => ({
    chain: { versions, more: false, chosen: versions[0]?.commitId ?? null },
  });
  const seen = { version_commit_id: 2, document_sha256: 'ab' };
  const none = { version_commit_id: null, document_sha256: 'ab' };
  const fault = { chain: null, fault: { at: 1 } };
  const wrong = { chain: { ...document().chain!, chosen: 1 } };
  const REFUSED = { result: 'refused', reason: 'P5-I12 nodeIsActive' };

  test.each<[string, Partial<ReadOfDocument>, object]>([
    ['visible', {}, { result: 'visible', reason: null, ...seen }],
    ['deleted', chainOf(version(2, 'delete')), { result: 'deleted', reason: null, ...seen }],
    ['absent', chainOf(), { result: 'absent', reason: null, ...none }],
    ['refused', { gate: gate({ state: 'halted' }) }, { ...REFUSED, ...seen }],
    ['damaged', fault, { result: 'undetermined', reason: 'P5-I11 versionsAreIntact', ...none }],
    ['another one', wrong, { result: 'undetermined', reason: 'P5-I7 newestInViewIsChosen', ...seen }],
  ])('%s', (_, change, conclusion) => {
    const read = document(change);
    const explained = explainDocument(read);
    expect(explained).toMatchObject({
      explanation_type: 'mvcc.read_visibility',
      observed_snapshot: { commit_id: 3 },
      inputs: { ...gateInputs(read.gate), read: { kind: 'document', collection: 'c', id: 'i' } },
    });
    expect(explained.conclusion).toEqual(conclusion);
    expect(explained.rules_applied).toHaveLength(9);
  });

  test('of a node that has applied nothing', () => {
    const { observed_snapshot: observed, conclusion } = explainDocument(
      document({ gate: nothing, chain: null, documentSha256: null }),
    );
    expect(observed.commit_id).toBeNull();
    expect(conclusion).toMatchObject({ result: 'refused', version_commit_id: null, document_sha256: null });
  });
});

test.each(['in history', 'not in history', 'ahead', 'before what is kept', 'not looked up'] as const)(
  'P5-I12: the facts of a gate, from the inputs of an explanation alone: a position %s',
  (found) => {
    const facts = gate({ view: { commitId: 2, token: { position: at(2), found, foundHash: null } } });
    expect(readFactsOf(gateInputs(facts))).toEqual(facts);
  },
);

describe('P5-I15: the shape of an explanation', () => {
  const explained = explainReads(nothing);
  const [rule] = explained.rules_applied;

  test('takes every explanation, and keeps all of a conclusion', () => {
    for (const type of ['replication.safety', 'recovery.process', 'mvcc.read_visibility'])
      for (const evaluation of ['holds', 'violated', 'undetermined']) {
        const other = { ...explained, explanation_type: type, rules_applied: [{ ...rule, evaluation }] };
        expect(explanationShape.parse(other)).toEqual(other);
      }
    const more = { ...explained, conclusion: { ...explained.conclusion, documents: 1 } };
    expect(explanationShape.parse(more)).toEqual(more);
  });

  test.each<object>([
    { explanation_type: '' },
    { observed_snapshot: {} },
    { inputs: [] },
    { rules_applied: [{}] },
    { rules_applied: [{ ...rule, evaluation: '' }] },
    { conclusion: {} },
  ])('does not take %j', (change) => {
    expect(explanationShape.safeParse({ ...explained, ...change }).success).toBe(false);
  });
});

test('P5-I15: an explanation of reads is of what is applied', () => {
  expect(explainReads(gate()).observed_snapshot.commit_id).toBe(3);
  expect(explainReads(nothing).observed_snapshot.commit_id).toBeNull();
});

describe('P5-I7, P5-I15: an explanation of the read of a range', () => {
  const facts = { documents: 2, ascending: true, newestCommitId: 3, entriesSha256: 'cd', more: true };
  const range = (change: Partial<ReadOfRange> = {}): ReadOfRange => ({
    gate: gate(),
    collection: text('c'),
    after: text('a'),
    last: BYTES,
    range: facts,
    ...change,
  });
  const ends = { kind: 'range', collection: 'c', after: 'a', last_base64: '/w==' };
  const open = { kind: 'range', collection: 'c', after: null, last: null };

  test.each<[string, Partial<ReadOfRange>, object, object]>([
    ['visible', {}, ends, { result: 'visible', reason: null, documents: 2 }],
    ['without ends', { after: null, last: null }, open, { result: 'visible', reason: null, documents: 2 }],
    [
      'refused',
      { gate: gate({ state: 'halted' }) },
      ends,
      { result: 'refused', reason: 'P5-I12 nodeIsActive' },
    ],
    [
      'out of order',
      { range: { ...facts, ascending: false } },
      ends,
      { result: 'undetermined', reason: 'P5-I7 rangeIsInOrder' },
    ],
    [
      'beyond the view',
      { range: { ...facts, newestCommitId: 4 } },
      ends,
      { result: 'undetermined', reason: 'P5-I7 rangeIsInOrder' },
    ],
  ])('%s', (_, change, read, conclusion) => {
    const of = range(change);
    const explained = explainRange(of);
    expect(explained.inputs).toEqual({ ...gateInputs(of.gate), read });
    expect(explained.observed_snapshot.commit_id).toBe(3);
    expect(explained.conclusion).toEqual(conclusion);
    expect(explained.rules_applied).toHaveLength(7);
    expect(explained.rules_applied.at(-1)?.evidence).toMatchObject({
      view_commit_id: 3,
      entries_sha256: 'cd',
    });
  });

  test('of a node that has applied nothing', () => {
    const { observed_snapshot: observed, conclusion } = explainRange(range({ gate: nothing }));
    expect(observed.commit_id).toBeNull();
    expect(conclusion.result).toBe('refused');
  });
});

describe('P5-I7: the documents of a range, as they pass by', () => {
  const digestOf = (...entries: readonly (readonly [number, string])[]) => {
    const digest = new RangeDigest();
    for (const [commitId, id] of entries) digest.add({ commitId, id: text(id), record: text(`r-${id}`) });
    return digest;
  };
  const hashOf = (...entries: readonly (readonly [number, string])[]) => {
    const hash = createHash('sha256');
    for (const [commitId, id] of entries) {
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(commitId));
      hash.update(prefix).update(`r-${id}`);
    }
    return hash.digest('hex');
  };

  test('none', () => {
    expect(digestOf().last).toBeNull();
    expect(digestOf().facts(false)).toEqual({
      documents: 0,
      ascending: true,
      newestCommitId: null,
      entriesSha256: hashOf(),
      more: false,
    });
  });

  test.each([
    [
      'in order',
      [
        [5, 'a'],
        [3, 'b'],
        [4, 'c'],
      ],
      true,
    ],
    [
      'one twice',
      [
        [5, 'a'],
        [3, 'a'],
      ],
      false,
    ],
    [
      'out of order, then in order',
      [
        [5, 'b'],
        [3, 'a'],
        [4, 'c'],
      ],
      false,
    ],
  ] as const)('%s', (_, entries, ascending) => {
    const digest = digestOf(...entries);
    const facts = {
      documents: entries.length,
      ascending,
      newestCommitId: 5,
      entriesSha256: hashOf(...entries),
      more: true,
    };
    expect(digest.last).toEqual(text(entries.at(-1)![1]));
    expect(digest.facts(true)).toEqual(facts);
    expect(digest.facts(true)).toEqual(facts);
  });
});

describe('P5-I7: a version as explanations show it', () => {
  const record = Buffer.alloc(64);
  const place = { log: 'base', offset: 128 } as const;
  const stored = (document: Buffer | null) => ({
    commitId: 4,
    collection: text('c'),
    id: text('i'),
    document,
    record,
    place: { log: 'base', offset: 128, bytes: 64 } as const,
  });

  test('a document, and a deletion', () => {
    const shown = { commitId: 4, place, crc32c: '00000000' };
    expect(versionFacts(stored(text('abc')), place)).toEqual({ ...shown, op: 'put', documentBytes: 3 });
    expect(versionFacts(stored(null), place)).toEqual({ ...shown, op: 'delete', documentBytes: 0 });
    expect(documentSha256(text('abc'))).toMatch(/^ba7816bf/);
    expect(documentSha256(null)).toBeNull();
  });
});

describe('P5-I12: what was read, from the inputs of an explanation alone', () => {
  const chain = { versions: [], more: false, chosen: null };
  const names = [text('c'), BYTES, Buffer.alloc(0)];

  test.each(names.flatMap((collection) => names.map((id) => [collection, id] as const)))(
    'the document %j %j',
    (collection, id) => {
      const read = { collection, id, gate: gate(), chain, fault: null, documentSha256: null };
      const { inputs } = explainDocument(read);
      expect(readRequestOf(inputs)).toEqual({ kind: 'document', gate: gate(), collection, id });
    },
  );

  test.each([null, ...names].flatMap((after) => [null, ...names].map((last) => [after, last] as const)))(
    'the range from %j to %j',
    (after, last) => {
      const read = { gate: gate(), collection: BYTES, after, last };
      const range = { documents: 0, ascending: true, newestCommitId: null, entriesSha256: '', more: false };
      const { inputs } = explainRange({ ...read, range });
      expect(readRequestOf(inputs)).toEqual({ kind: 'range', ...read });
    },
  );

  test('a name that is left out is empty; another kind, or a field too much, is no read', () => {
    const of = (read: object) => readRequestOf({ ...gateInputs(gate()), read } as never);
    const empty = Buffer.alloc(0);
    expect(of({ kind: 'document' })).toMatchObject({ collection: empty, id: empty });
    expect(of({ kind: 'range' })).toMatchObject({ collection: empty, after: null, last: null });
    expect(() => of({ kind: 'view' })).toThrow();
    expect(() => of({ kind: 'document', after: 'a' })).toThrow();
    expect(() => of({ kind: 'range', id: 'a' })).toThrow();
  });
});
