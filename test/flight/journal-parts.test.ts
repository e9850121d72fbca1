/** The parts of a journal one by one: its lines under right checksums, its file names, its events and its prints. */
import { describe, expect, test } from 'vitest';
import { InvariantBug, ReplichartError } from '../../src/core/errors.ts';
import { CHAIN_START, openLine, sealLine } from '../../src/core/flight/chain.ts';
import { eventFromJson, eventToJson } from '../../src/core/flight/facts.ts';
import { flightFileName, flightFileNumber } from '../../src/core/flight/file-name.ts';
import { MomentPrinter, printOf } from '../../src/core/flight/print.ts';

const HEADER = { type: 'header', magic: 'replichart-flight', format: 1, after: '00000000' };
const KNOWN = 'a record of a known type';
const BEGIN = 'a header that begins a file of the flight recorder';

/** A line under its right checksum, whatever it says; `n` is its number unless the record has one itself. */
const sealed = (record: object, end = CHAIN_START) => sealLine(end, record as never);
/** The first line of a chain with any text in it, under the checksum that it would have to have. */
function lineOf(json: string): Buffer {
  const opened = openLine(CHAIN_START, Buffer.from(`${json} ........\n`));
  const [, crc] = /^the checksum (.*)$/.exec(opened.kind === 'damaged' ? opened.expected : '') ?? [];
  return Buffer.from(`${json} ${crc}\n`);
}

describe('a line of a journal', () => {
  test('P5-I5: is opened as it was sealed, behind the line before it', () => {
    const first = sealed(HEADER);
    const second = sealed({ type: 'end', step: 3 }, first.end);
    expect(first.line.toString()).toMatch(/^\{"n":1,.*\} [0-9a-f]{8}\n$/);
    expect(openLine(null, first.line)).toEqual({
      kind: 'good',
      record: { n: 1, ...HEADER },
      end: first.end,
    });
    expect(openLine(first.end, second.line)).toEqual({
      kind: 'good',
      record: { n: 2, type: 'end', step: 3 },
      end: { n: 2, crc: second.end.crc },
    });
    expect(openLine(CHAIN_START, second.line)).toMatchObject({
      kind: 'damaged',
      expected: expect.stringMatching(/^the checksum [0-9a-f]{8}$/) as string,
      found: second.line.subarray(-9, -1).toString(),
    });
  });

  test('a header of a later file stands behind the line that it names', () => {
    const before = { n: 7, crc: 0xabcdef01 };
    const { line, end } = sealed({ ...HEADER, after: 'abcdef01' }, before);
    expect(openLine(null, line)).toMatchObject({ kind: 'good', end });
    expect(end.n).toBe(8);
  });

  test.each([
    ['another record', { ...HEADER, type: 'end' }],
    ['another magic', { ...HEADER, magic: 'replichart-flights' }],
    ['another format', { ...HEADER, format: 2 }],
    ['no checksum before it', { ...HEADER, after: 0 }],
    ['a list with one', { ...HEADER, after: ['00000000'] }],
    ['digits before it', { ...HEADER, after: '100000000' }],
    ['letters behind it', { ...HEADER, after: '00000000x' }],
    ['upper case', { ...HEADER, after: '0000000A' }],
    ['an unknown record', { ...HEADER, type: 'headers' }],
    ['no number', { ...HEADER, n: 'one' }],
  ])('P5-I5: a file does not begin with %s', (_, record) => {
    const { line } = sealed(record);
    const found = line.subarray(0, 60).toString().trim();
    expect(openLine(null, line)).toEqual({ kind: 'damaged', expected: BEGIN, found });
  });

  test.each([
    '{"n":1,"type":"unknown"}',
    '{"n":1,"type":["end"]}',
    '{"n":1}',
    '{"n":1.5,"type":"end"}',
    '{"type":"end"}',
    '[1]',
    '"end"',
    '1',
    'null',
    '{"n":1,"type":"end"',
    '   ',
  ])('P5-I5: no record, under a right checksum: %s', (json) => {
    const line = lineOf(json);
    const found = line.toString().trim();
    expect(openLine(CHAIN_START, line)).toEqual({ kind: 'damaged', expected: KNOWN, found });
  });

  test('P5-I5: a record under a right checksum with the number of another', () => {
    expect(openLine(CHAIN_START, lineOf('{"n":2,"type":"end"}'))).toEqual({
      kind: 'damaged',
      expected: 'record 1',
      found: 'record 2',
    });
  });

  test.each(['', '\n', ' 0000000\n'])('P5-I5: too short to have a checksum: %j', (text) => {
    expect(openLine(CHAIN_START, Buffer.from(text))).toEqual({
      kind: 'damaged',
      expected: 'the checksum 00000000',
      found: text.trim(),
    });
  });
});

describe('a file of the recorder', () => {
  test('has its number in twenty digits', () => {
    expect(flightFileName(12)).toBe('00000000000000000012.flight');
    expect(flightFileNumber(flightFileName(1))).toBe(1);
    expect(flightFileNumber(flightFileName(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each([
    '00000000000000000000.flight',
    '99999999999999999999.flight',
    '0000000000000000001.flight',
    '000000000000000000001.flight',
    '00000000000000000001.flights',
    '00000000000000000001',
    '',
  ])('%j is none', (name) => {
    expect(flightFileNumber(name)).toBeNull();
  });
});

describe('an event of a journal', () => {
  const again = (error: unknown) => {
    const event = { type: 'xstate.error.actor.apply', actorId: 'apply', error };
    const { error: kept, ...rest } = eventFromJson(JSON.parse(JSON.stringify(eventToJson(event))) as never);
    expect(rest).toEqual({ type: event.type, actorId: 'apply' });
    return kept;
  };

  test('P5-I11: what an effect threw is thrown again as far as a chart can tell', () => {
    const evidence = { lsn: 128 };
    const expected = new ReplichartError('WAL_PRUNED', 'gone by', { invariant: 'P5-I6', evidence });
    const system = Object.assign(new Error('no such file'), { code: 'ENOENT', errno: -2, path: '/x' });
    expect(again(expected)).toStrictEqual(expected);
    expect(again(new InvariantBug('a bug'))).toStrictEqual(new InvariantBug('a bug'));
    expect(again(system)).toMatchObject({ message: 'no such file', code: 'ENOENT', path: '/x' });
    expect(eventToJson({ type: 'xstate.error.x', error: system })['error']).toStrictEqual({
      kind: 'error',
      name: 'Error',
      message: 'no such file',
      code: 'ENOENT',
      path: '/x',
    });
    expect(again(new RangeError('too far'))).toMatchObject({ name: 'RangeError', message: 'too far' });
    expect(again('thrown')).toBe('thrown');
    expect(eventToJson({ type: 'xstate.error.x', error: 7 })['error']).toEqual({ kind: 'value', text: '7' });
  });

  test('any other event is kept as it is', () => {
    const event = { type: 'replica.attach', error: { kind: 'value', text: 'no failure' } };
    expect(eventToJson(event)).toEqual(event);
    expect(eventFromJson(event)).toEqual(event);
  });

  test('one without a type is a bug', () => {
    expect(() => eventFromJson({ kind: 'step' })).toThrow(InvariantBug);
  });
});

describe('a print', () => {
  test('is the canonical JSON itself up to 64 characters, and half a SHA-256 beyond', () => {
    expect(printOf('x'.repeat(62))).toBe(`"${'x'.repeat(62)}"`);
    expect(printOf('x'.repeat(63))).toMatch(/^sha256:[0-9a-f]{32}$/);
    expect(printOf({ b: [1, null, undefined], a: { d: undefined, c: true } })).toBe(
      '{"a":{"c":true},"b":[1,null,null]}',
    );
    expect(printOf(undefined)).toBe('null');
  });

  test('of a moment has the fields that changed, in the order of their names', () => {
    const printer = new MomentPrinter();
    const moment = { status: 'active', value: 'a', context: { b: 1, a: { c: 2 } } };
    const first = printer.print(moment);
    expect(Object.entries(first.changed)).toEqual([
      ['a', '{"c":2}'],
      ['b', '1'],
    ]);
    expect(printer.print({ ...moment, context: { b: 1, a: { c: 2 } } })).toEqual({ ...first, changed: {} });
    const later = printer.print({ ...moment, context: { b: 3, a: { c: 2 } } });
    expect(later.changed).toEqual({ b: '3' });
    expect(later.digest).not.toBe(first.digest);
  });
});
