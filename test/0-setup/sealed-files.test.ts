/** Sealed records, and the halt record and the identity in them: every field under a right seal, and what is said of it. */
import { describe, expect, test } from 'vitest';
import { hex, sha256, type JsonObject } from '../../src/core/bytes.ts';
import { ERRORS, InvariantBug, ReplichartError } from '../../src/core/errors.ts';
import {
  decodeHaltRecord,
  effectFault,
  encodeHaltRecord,
  haltByFault,
  haltToJson,
  type HaltReason,
} from '../../src/core/halt.ts';
import { decodeIdentity, encodeIdentity, newIdentity } from '../../src/core/identity.ts';
import { decodeSealedRecord, encodeSealedRecord } from '../../src/core/sealed-record.ts';
import { sealed } from '../support/forging.ts';
import { CLUSTER, NODE } from '../support/nodes.ts';

const damaged = (expected: string, found: string) => ({ state: 'damaged', expected, found });

describe('F-RC2: a sealed record', () => {
  const good = encodeSealedRecord({ a: 1 });

  test('is a line of JSON under its hash', () => {
    expect(good).toEqual(sealed('{"a":1}'));
    expect(decodeSealedRecord(good)).toEqual({ state: 'intact', record: { a: 1 }, line: '{"a":1}' });
  });

  test.each(['null', '1', '"text"', '[{}]', '', '{"a":'])('is damaged where the line is %s', (line) => {
    expect(decodeSealedRecord(sealed(line))).toEqual(damaged('a JSON object', 'something else'));
  });

  test('is damaged where something is missing or too much, and says what was due', () => {
    const whole = damaged('a line of JSON and a line with its SHA-256', 'no line');
    expect(decodeSealedRecord(Buffer.from('{"a":1}'))).toEqual(whole);
    expect(decodeSealedRecord(Buffer.alloc(0))).toEqual(whole);
    const seal = good.toString().split('\n')[1] ?? '';
    expect(decodeSealedRecord(Buffer.from('{"a":1}\n'))).toEqual(damaged(seal, ''));
    expect(decodeSealedRecord(good.subarray(0, -1))).toEqual(damaged(seal, seal));
    expect(decodeSealedRecord(Buffer.concat([good, Buffer.from('x'.repeat(200))]))).toEqual(
      damaged(seal, `${seal}\n${'x'.repeat(100 - seal.length - 1)}`),
    );
    const empty = `sha256 ${hex(sha256(Buffer.from('\n')))}`;
    expect(decodeSealedRecord(Buffer.from('\n '))).toEqual(damaged(empty, ''));
  });
});

describe('P5-I10: a halt record', () => {
  const halt: HaltReason = {
    code: 'WAL_CORRUPT',
    invariant: 'P5-I5',
    rule: 'P5-I5 checksumMatches',
    message: 'm',
    evidence: { a: [1] },
    action: 'a',
  };
  const record = { magic: 'replichart-halt', ...haltToJson(halt) };
  const FIELDS = 'the fields of a halt record';
  const damage = (expected: string, found: string) => ({
    code: 'HALT_RECORD_DAMAGED',
    invariant: 'P5-I11',
    rule: null,
    message: ERRORS.HALT_RECORD_DAMAGED.meaning,
    evidence: { file: 'halt', expected, found },
    action: ERRORS.HALT_RECORD_DAMAGED.action,
  });

  test.each([{}, { invariant: null }, { rule: null }])('is read as it was written: %j', (change) => {
    const written = { ...halt, ...change };
    expect(encodeHaltRecord(written)).toEqual(encodeSealedRecord({ ...record, ...change }));
    expect(decodeHaltRecord(encodeHaltRecord(written))).toEqual(written);
  });

  test.each<JsonObject>([
    { magic: 'replichart-halted' },
    { code: 'NO_SUCH_CODE' },
    { code: 'constructor' },
    { code: ['WAL_CORRUPT'] },
    { invariant: 5 },
    { rule: 5 },
    { message: null },
    { evidence: null },
    { evidence: 'text' },
    { evidence: [] },
    { action: 1 },
  ])('with %j is a halt all the same', (change) => {
    const line = JSON.stringify({ ...record, ...change });
    expect(decodeHaltRecord(sealed(line))).toEqual(damage(FIELDS, line));
  });

  test('that is damaged is a halt all the same', () => {
    expect(decodeHaltRecord(Buffer.from('x'))).toEqual(
      damage('a line of JSON and a line with its SHA-256', 'no line'),
    );
  });

  test('an effect that failed halts by the code of what it threw', () => {
    const evidence = { lsn: 1 };
    const faults = [
      effectFault('apply', new ReplichartError('WAL_CORRUPT', 'bad', { evidence })),
      effectFault('apply', new InvariantBug('a bug')),
      effectFault('apply', new Error('no space')),
      effectFault('apply', 'thrown'),
    ];
    expect(faults.map(({ effect, code, message }) => [effect, code, message])).toEqual([
      ['apply', 'WAL_CORRUPT', 'bad'],
      ['apply', 'INTERNAL', 'a bug'],
      ['apply', 'STORAGE_FAILED', 'no space'],
      ['apply', 'STORAGE_FAILED', 'thrown'],
    ]);
    for (const fault of faults)
      expect(haltByFault(fault)).toEqual({
        code: fault.code,
        invariant: ERRORS[fault.code].invariant ?? 'P5-I10',
        rule: null,
        message: `${ERRORS[fault.code].meaning} (${fault.message})`,
        evidence: { effect: 'apply', error: fault.error },
        action: ERRORS[fault.code].action,
      });
    expect(ERRORS.INTERNAL.invariant).toBeNull();
  });
});

describe('P5-I1, F-RC2: an identity', () => {
  const identity = newIdentity('replica', CLUSTER, NODE);
  const record = {
    magic: 'replichart-identity',
    format_version: 1,
    cluster_id: CLUSTER,
    node_id: NODE,
    role: 'replica',
  };

  test('is read as it was written', () => {
    expect(encodeIdentity(identity)).toEqual(encodeSealedRecord(record));
    expect(decodeIdentity(encodeIdentity(identity))).toEqual({ state: 'present', identity });
    expect(decodeIdentity(Buffer.from('x'))).toEqual(
      damaged('a line of JSON and a line with its SHA-256', 'no line'),
    );
  });

  test.each<JsonObject>([
    { magic: 'replichart-identities' },
    { format_version: '1' },
    { cluster_id: null },
    { cluster_id: [CLUSTER] },
    { cluster_id: CLUSTER.toUpperCase().replaceAll('-', '') },
    { node_id: 7 },
    { node_id: [NODE] },
    { node_id: 'n' },
    { role: 'leader' },
  ])('with %j is damaged', (change) => {
    const line = JSON.stringify({ ...record, ...change });
    expect(decodeIdentity(sealed(line))).toEqual(damaged('the fields of an identity', line));
  });
});
