import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLine, type ChainEnd } from '../../src/core/flight/chain.ts';
import { errorFromJson, errorToJson, eventFromJson, eventToJson } from '../../src/core/flight/facts.ts';
import { canonicalJson } from '../../src/core/flight/canonical-json.ts';
import { MomentPrinter } from '../../src/core/flight/print.ts';
import { InvariantBug, ReplichartError } from '../../src/core/errors.ts';
import { effectFault } from '../../src/core/halt.ts';
import { fixturePath, recordsOf, replayed } from '../support/flights.ts';
import { crc32c } from '../support/independent-decoder.ts';
import { temporaryDirectory } from '../support/nodes.ts';
import { flipped } from '../support/wal-forge.ts';

const small = () => readFile(fixturePath('primary-write-failed'));

/** Lines, each with its newline; the last one may have none. */
function linesOf(journal: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at < journal.length;) {
    const end = journal.indexOf(0x0a, at);
    lines.push(journal.subarray(at, end < 0 ? journal.length : end + 1));
    at = end < 0 ? journal.length : end + 1;
  }
  return lines;
}

/** What is wrong with the first line that is not good. */
function faultIn(journal: Buffer): 'damaged' | 'torn' | null {
  let end: ChainEnd | null = null;
  for (const line of linesOf(journal)) {
    if (line.at(-1) !== 0x0a) return 'torn';
    const opened = openLine(end, line);
    if (opened.kind === 'damaged') return 'damaged';
    end = opened.end;
  }
  return null;
}

async function verdictOf(journal: Buffer) {
  const path = join(await temporaryDirectory(), '00000000000000000001.flight');
  await writeFile(path, journal);
  return replayed(path);
}

describe('a journal that is not as it was written', () => {
  test('every single flipped bit is seen', async () => {
    const journal = await small();
    expect(faultIn(journal)).toBeNull();
    const missed: number[] = [];
    for (let bit = 0; bit < journal.length * 8; bit += 1) {
      const isLastNewline = bit >> 3 === journal.length - 1;
      if (faultIn(flipped(journal, bit)) !== (isLastNewline ? 'torn' : 'damaged')) missed.push(bit);
    }
    expect(missed).toEqual([]);
  }, 120_000);

  test('and is said to be damaged, with its place, by a replay', async () => {
    const journal = await small();
    const lines = linesOf(journal);
    const starts = lines.map((_, index) => Buffer.concat(lines.slice(0, index)).length);
    for (const [index, line] of lines.entries()) {
      const at = (starts[index] ?? 0) + (line.length >> 1);
      expect(await verdictOf(flipped(journal, at * 8 + 1))).toMatchObject({
        verdict: 'damaged',
        records: index,
        damage: { line: index + 1, byte: starts[index] },
      });
    }
  });

  test('a line that is missing, twice there, or at another place', async () => {
    const lines = linesOf(await small());
    const altered = (change: (copy: Buffer[]) => void) => {
      const copy = [...lines];
      change(copy);
      return verdictOf(Buffer.concat(copy));
    };
    for (let index = 0; index < lines.length - 1; index += 1) {
      const [line, next] = [lines[index] as Buffer, lines[index + 1] as Buffer];
      const damagedAt = (number: number) => ({ verdict: 'damaged', damage: { line: number } });
      expect(await altered((copy) => copy.splice(index, 1))).toMatchObject(damagedAt(index + 1));
      expect(await altered((copy) => copy.splice(index, 0, line))).toMatchObject(damagedAt(index + 2));
      expect(await altered((copy) => copy.splice(index, 2, next, line))).toMatchObject(damagedAt(index + 1));
    }
  });

  test('an end that is torn at any byte is no damage: all before it is replayed', async () => {
    const journal = await small();
    const lines = linesOf(journal);
    const last = journal.length - (lines.at(-1)?.length ?? 0);
    for (let length = last + 1; length < journal.length; length += 1)
      expect(await verdictOf(journal.subarray(0, length))).toMatchObject({
        verdict: 'torn',
        records: lines.length - 1,
        ended: 0,
        torn: { line: lines.length, byte: last, bytes: length - last },
      });
    expect(await verdictOf(journal.subarray(0, last))).toMatchObject({ verdict: 'same', ended: 0 });
    expect(await verdictOf(Buffer.alloc(0))).toMatchObject({ verdict: 'torn', records: 0, final: null });
  });

  test('what is no journal at all, and a line that never ends', async () => {
    expect(await verdictOf(Buffer.from('hello\n'))).toMatchObject({
      verdict: 'damaged',
      damage: { line: 1 },
    });
    expect(await verdictOf(Buffer.alloc(3 * 1024 * 1024, 'x'))).toMatchObject({
      verdict: 'damaged',
      damage: { line: 1 },
    });
  });
});

test('a run that is missing between two others', async () => {
  const directory = await temporaryDirectory();
  const keep = async (number: number, fixture: string) =>
    writeFile(
      join(directory, `${String(number).padStart(20, '0')}.flight`),
      await readFile(fixturePath(fixture)),
    );
  await keep(7, 'gap');
  await keep(8, 'torn-tail');
  expect(await replayed(directory)).toMatchObject({ verdict: 'same', files: 2, runs: 2, ended: 2 });
  await keep(10, 'gap');
  expect(await replayed(directory)).toMatchObject({
    verdict: 'damaged',
    damage: { expected: '00000000000000000009.flight', found: '00000000000000000010.flight' },
  });
});

describe('the format, by other code than the recorder’s', () => {
  test('the checksum of a line is the CRC32C of all JSON texts so far', async () => {
    const texts: Buffer[] = [];
    for (const line of linesOf(await small())) {
      texts.push(line.subarray(0, -10));
      expect(line.subarray(-9, -1).toString()).toBe(
        crc32c(...texts)
          .toString(16)
          .padStart(8, '0'),
      );
    }
  });

  test('the digest is the one that docs/FORMAT.md describes', async () => {
    const [header] = recordsOf(await small());
    const { status, value, context, digest } = header?.['point'] as Record<string, unknown>;
    const prints = Object.entries(context as Record<string, unknown>).map(([field, held]) => {
      const text = sorted(held);
      return [field, text.length <= 64 ? text : `sha256:${half(text)}`];
    });
    expect(digest).toBe(half(sorted({ status, value, context: Object.fromEntries(prints) as unknown })));
  });
});

test('a moment that is printed behind others has the digest that it has alone', () => {
  const printer = new MomentPrinter();
  let context: Record<string, unknown> = { a: null, b: [1, 2], c: { z: 1, a: 'x'.repeat(99) } };
  for (const change of [{}, { a: 7 }, { c: { a: 'y', z: 1 } }, { b: [] }, { a: null }]) {
    context = { ...context, ...change };
    const moment = { status: 'active', value: 'somewhere', context };
    expect(printer.print(moment).digest).toBe(new MomentPrinter().print(moment).digest);
  }
  expect(
    printer.print({ status: 'active', value: 'somewhere', context: { ...context, a: 3 } }).changed,
  ).toEqual({ a: '3' });
  expect(canonicalJson({ b: undefined, a: [undefined, null], z: 'é\u2028' })).toBe(
    '{"a":[null,null],"z":"é\u2028"}',
  );
});

describe('what an effect throws is thrown again: the chart cannot tell the difference', () => {
  const system = Object.assign(new Error('EIO: i/o error, fsync'), {
    code: 'EIO',
    syscall: 'fsync',
    errno: -5,
  });
  test.each([
    [
      'an expected error',
      new ReplichartError('INDEX_DAMAGED', 'broken', { evidence: { at: [1] }, invariant: 'P5-I5' }),
    ],
    ['one with the invariant of its code', new ReplichartError('STORAGE_FAILED', 'full', { cause: system })],
    ['a bug', new InvariantBug('assertion failed: never')],
    ['an error of the system', system],
    ['an error of another class', new RangeError('too far')],
    ['a text', 'just text'],
    ['nothing', undefined],
    ['an object', { some: 'thing' }],
  ])('%s', (_name, error) => {
    const event = { type: 'xstate.error.actor.apply', error, actorId: 'apply' };
    const kept = eventFromJson(JSON.parse(JSON.stringify(eventToJson(event))) as never);
    expect(kept.type).toBe(event.type);
    expect(effectFault('apply', kept['error'])).toEqual(effectFault('apply', error));
    expect(errorToJson(errorFromJson(errorToJson(error)))).toEqual(errorToJson(error));
  });
});

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, held: unknown) =>
    typeof held === 'object' && held !== null && !Array.isArray(held)
      ? Object.fromEntries(Object.entries(held).sort(([left], [right]) => (left < right ? -1 : 1)))
      : held,
  );
}

function half(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
