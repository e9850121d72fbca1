import * as fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ReplichartError } from '../../src/core/errors.ts';
import { rowsOf } from '../../src/cli/import/rows.ts';
import { runCli } from '../../src/cli/run.ts';
import type { Primary } from '../../src/index.ts';
import { brokenAfter } from '../support/broken-primary.ts';
import { startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, with what it would have on its standard input. */
async function cli(args: readonly string[], stdin?: readonly Buffer[]): Promise<Ran> {
  const printed = { out: '', err: '' };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.out += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed.err += String(text);
      return true;
    }),
    ...(stdin === undefined
      ? []
      : [
          vi
            .spyOn(process, 'stdin', 'get')
            .mockReturnValue(Readable.from(stdin) as unknown as typeof process.stdin),
        ]),
  ];
  try {
    return { exit: await runCli(args), ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const primaryOf = async (options: { readonly token?: string } = {}) =>
  startPrimary({ dataDir: await temporaryDirectory(), listen: '127.0.0.1:0', ...options });

async function fileOf(content: string | Buffer): Promise<string> {
  const path = join(await temporaryDirectory(), 'input');
  await writeFile(path, content);
  return path;
}

async function importText(
  primary: Primary,
  content: string | Buffer,
  options: readonly string[] = ['--id-field', 'id'],
): Promise<{ readonly exit: number; readonly body: Record<string, unknown> }> {
  const to = ['--primary', primary.url as string, '--collection', 'c'];
  const { exit, out, err } = await cli(['import', ...to, ...options, '--json', await fileOf(content)]);
  expect(err).toBe('');
  return { exit, body: JSON.parse(out) as Record<string, unknown> };
}

/** Every document of the collection, by id. */
async function documents(primary: Primary): Promise<Record<string, unknown>> {
  return primary.read(async (view) => {
    const found: Record<string, unknown> = {};
    for await (const { id, document } of view.scan('c'))
      found[id.toString('utf8')] = JSON.parse(document.toString('utf8'));
    return found;
  });
}

const positionOf = (primary: Primary) => {
  const position = primary.position();
  return (
    position && {
      commit_id: position.commitId,
      lsn: position.lsn,
      history_hash: position.historyHash,
    }
  );
};

const TWO = { a: { id: 'a', n: 1 }, b: { id: 'b', n: 2 } };

describe('what is imported', () => {
  test.each([
    ['NDJSON', '{"id":"a","n":1}\n{"id":"b","n":2}\n'],
    ['NDJSON without a final newline', '{"id":"a","n":1}\n{"id":"b","n":2}'],
    ['NDJSON with CRLF', '{"id":"a","n":1}\r\n{"id":"b","n":2}\r\n'],
    ['NDJSON with blank lines', '\n \t\r\n{"id":"a","n":1}\n\n\n  {"id":"b","n":2}  \n\n'],
    ['NDJSON with a byte order mark', '\ufeff{"id":"a","n":1}\n{"id":"b","n":2}\n'],
    ['an array', '[{"id":"a","n":1},{"id":"b","n":2}]'],
    ['a pretty-printed array', JSON.stringify(Object.values(TWO), null, 2)],
    [
      'an array with CRLF and blank lines',
      '\r\n [\r\n{"id":"a",\r\n\r\n"n":1}\r\n,{"id":"b","n":2}\r\n]\r\n\r\n',
    ],
    ['an array with a byte order mark', '\ufeff[{"id":"a","n":1},{"id":"b","n":2}]'],
  ])('%s: each row is one commit with one put', async (_name, content) => {
    const primary = await primaryOf();
    expect(await importText(primary, content)).toEqual({
      exit: 0,
      body: { rows: 2, commits: 2, bytes: Buffer.byteLength(content), position: positionOf(primary) },
    });
    expect(primary.position()?.commitId).toBe(2);
    expect(await documents(primary)).toEqual(TWO);
  });

  test.each([
    ['an empty file', ''],
    ['a file of blanks', ' \n\r\n\t'],
    ['an empty array', '[]'],
    ['an empty array on three lines', '\n[\n]\n'],
  ])('%s: nothing, and that is no error', async (_name, content) => {
    const primary = await primaryOf();
    expect(await importText(primary, content)).toEqual({
      exit: 0,
      body: { rows: 0, commits: 0, bytes: content.length, position: null },
    });
    expect(primary.position()?.commitId).toBe(0);
  });

  test.each([
    ['NDJSON', '{"id":"ä","t":"€😀"}\n{"id":"b","t":"ü"}\n'],
    ['an array', '[{"id":"ä","t":"€😀"},\n{"id":"b","t":"ü"}]'],
    ['NDJSON with a byte order mark', '\ufeff{"id":"ä","t":"€😀"}\n{"id":"b","t":"ü"}\n'],
  ])('%s from standard input, each byte a chunk of its own', async (_name, content) => {
    const primary = await primaryOf();
    const bytes = [...Buffer.from(content)].map((byte) => Buffer.from([byte]));
    const to = ['--primary', primary.url as string, '--collection', 'c', '--id-field', 'id'];
    expect(await cli(['import', ...to, '-'], bytes)).toEqual({
      exit: 0,
      err: '',
      out: [
        'rows      2',
        'commits   2',
        `bytes     ${bytes.length}`,
        `position  ${JSON.stringify(positionOf(primary))}\n`,
      ].join('\n'),
    });
    expect(await documents(primary)).toEqual({ ä: { id: 'ä', t: '€😀' }, b: { id: 'b', t: 'ü' } });
  });

  test('row numbers as ids, for data that has none', async () => {
    const primary = await primaryOf();
    const { body } = await importText(primary, '{"n":1}\n\n{"n":2}', ['--id-field', '#']);
    expect(body).toMatchObject({ rows: 2, commits: 2 });
    expect(await documents(primary)).toEqual({ '000000001': { n: 1 }, '000000002': { n: 2 } });
  });

  test('numbers as ids', async () => {
    const primary = await primaryOf();
    await importText(primary, '[{"id":7},{"id":-1.5},{"id":0}]');
    expect(await documents(primary)).toEqual({ '7': { id: 7 }, '-1.5': { id: -1.5 }, '0': { id: 0 } });
  });

  test('rows that are committed together, in requests of a few commits', async () => {
    const primary = await primaryOf();
    const rows = Array.from({ length: 25 }, (_, n) => JSON.stringify({ id: `r${n}`, n })).join('\n');
    const options = ['--id-field', 'id', '--rows-per-commit', '4', '--batch', '3'];
    expect((await importText(primary, rows, options)).body).toMatchObject({
      rows: 25,
      commits: 7,
      position: { commit_id: 7 },
    });
    expect(Object.keys(await documents(primary)).length).toBe(25);
  });

  test('more than one request can hold, in order', async () => {
    const primary = await primaryOf();
    const rows = Array.from({ length: 12 }, (_, n) =>
      JSON.stringify({ id: 'same', n, t: 'x'.repeat(1_000_000) }),
    );
    expect((await importText(primary, `[${rows.join(',\n')}]`)).body).toMatchObject({
      rows: 12,
      commits: 12,
    });
    expect(await documents(primary)).toMatchObject({ same: { n: 11 } });
  });

  test('the token of the primary', async () => {
    const primary = await primaryOf({ token: 'secret' });
    const rows = '{"id":"a","n":1}\n{"id":"b","n":2}';
    expect(await importText(primary, rows)).toEqual({
      exit: 1,
      body: {
        error: expect.objectContaining({
          code: 'UNAUTHORIZED',
          evidence: {
            under_way: { first_row: 1, last_row: 2, committed: false },
            rows_committed: 0,
            commits_committed: 0,
            position: null,
          },
        }) as unknown,
      },
    });
    const tokenFile = await fileOf('secret\n');
    const options = ['--id-field', 'id', '--token-file', tokenFile];
    expect((await importText(primary, rows, options)).exit).toBe(0);
    expect(await documents(primary)).toEqual(TWO);
  });
});

describe('a row that cannot be imported stops it: the line, the cause, and exactly what was committed', () => {
  const good = (n: number) => `{"id":"r${n}"}`;

  test.each<[name: string, content: string | Buffer, line: number, row: number, message: RegExp]>([
    ['malformed NDJSON', `${good(1)}\n${good(2)}\n\n{"id":\n${good(4)}`, 4, 3, /malformed JSON/],
    ['two rows on a line', `${good(1)}\n${good(2)}\n${good(3)}${good(4)}`, 3, 3, /malformed JSON/],
    ['a line that is no object', `${good(1)}\n${good(2)}\n"x"\n`, 3, 3, /this one is a string/],
    ['a line that is an array', `${good(1)}\n${good(2)}\n[{}]\n`, 3, 3, /this one is an array/],
    ['a line cut off', `${good(1)}\n${good(2)}\n{"id":"r3`, 3, 3, /malformed JSON/],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from(`${good(1)}\n${good(2)}\n{"id":"`), Buffer.from([0xff]), Buffer.from('"}')]),
      3,
      3,
      /not valid UTF-8/,
    ],
    ['an element that is no object', `[${good(1)},\n${good(2)},\n5]`, 3, 3, /this one is a number/],
    ['an element that is null', `[${good(1)},\n${good(2)},\nnull,\n{}]`, 3, 3, /this one is null/],
    ['an element that is an array', `[${good(1)},\n${good(2)},[\n1]]`, 2, 3, /this one is an array/],
    ['a comma too many', `[${good(1)},\n${good(2)},\n\n]`, 4, 3, /malformed JSON: Unexpected RIGHT_BRACKET/],
    [
      'a comma missing',
      `[${good(1)},\n${good(2)}\n${good(3)}]`,
      3,
      3,
      /malformed JSON: Unexpected LEFT_BRACE/,
    ],
    ['brackets that do not match', `[${good(1)},\n${good(2)},\n{"id":\n[}]`, 4, 3, /Unexpected RIGHT_BRACE/],
    [
      'a stray letter',
      `[${good(1)},\n${good(2)},\n{"id":\n\nx}]`,
      5,
      3,
      /^line 5 .*: malformed JSON: Unexpected "x" in/,
    ],
    ['a newline in a string', `[${good(1)},\n${good(2)},\n{"id":"a\nb"}]`, 3, 3, /malformed JSON/],
    ['an array that is not closed', `[${good(1)},\n${good(2)}\n\n`, 4, 3, /ends before the array is closed/],
    ['an array cut off', `[${good(1)},\n${good(2)},\n{"id":"r3`, 3, 3, /ends before the array is closed/],
    [
      'an object after the array',
      `[${good(1)},\n${good(2)}]\n${good(3)}`,
      3,
      3,
      /follows the end of the array/,
    ],
    [
      'a word cut off after the array',
      `[${good(1)},\n${good(2)}]\ntru`,
      3,
      3,
      /follows the end of the array/,
    ],
    ['a number after the array', `[${good(1)},\n${good(2)}]\n1`, 3, 3, /follows the end of the array/],
    [
      'an element that is no UTF-8',
      Buffer.concat([
        Buffer.from(`[${good(1)},\n${good(2)},\n{"id":"`),
        Buffer.from([0xff, 0x41]),
        Buffer.from('"}]'),
      ]),
      3,
      3,
      /malformed JSON/,
    ],
    ['no id', `${good(1)}\n${good(2)}\n{"ID":"r3"}`, 3, 3, /the id field "id" is missing/],
    ['an empty id', `${good(1)}\n${good(2)}\n{"id":""}`, 3, 3, /is empty/],
    ['null as id', `${good(1)}\n${good(2)}\n{"id":null}`, 3, 3, /is null; it must be a string or a number/],
    ['a truth value as id', `[${good(1)},${good(2)},\n{"id":true}]`, 2, 3, /is a boolean; it must be/],
    ['an object as id', `[${good(1)},${good(2)},\n{"id":{"a":1}}]`, 2, 3, /is an object; it must be/],
    ['an array as id', `${good(1)}\n${good(2)}\n{"id":[1]}`, 3, 3, /is an array; it must be/],
    [
      'an id beyond exact numbers',
      `${good(1)}\n${good(2)}\n{"id":9007199254740993}`,
      3,
      3,
      /too large to be exact/,
    ],
    ['an endless id', `${good(1)}\n${good(2)}\n{"id":1e999}`, 3, 3, /too large to be exact/],
    [
      'a row longer than the memory may hold',
      `${good(1)}\n${good(2)}\n${' '.repeat(17_000_000)}`,
      3,
      3,
      /longer than/,
    ],
    [
      'the same in an array',
      `[${good(1)},\n${good(2)},{"a":\n${' '.repeat(17_000_000)}`,
      2,
      3,
      /longer than/,
    ],
    [
      'an endless string in an array',
      `[${good(1)},\n${good(2)},\n"${'x'.repeat(17_000_000)}`,
      3,
      3,
      /longer than/,
    ],
  ])('%s', async (_name, content, line, row, message) => {
    const primary = await primaryOf();
    const { exit, body } = await importText(primary, content);
    expect([exit, body]).toEqual([
      1,
      {
        error: {
          code: 'IMPORT_INVALID',
          invariant: null,
          message: expect.stringMatching(message) as string,
          evidence: { line, row, rows_committed: 2, commits_committed: 2, position: positionOf(primary) },
          action: expect.any(String) as string,
        },
      },
    ]);
    expect((body['error'] as { message: string }).message).toMatch(
      new RegExp(`^line ${line} \\(row ${row}\\): .*\\. Committed before: 2 rows in 2 commits$`, 's'),
    );
    expect(await documents(primary)).toEqual({ r1: { id: 'r1' }, r2: { id: 'r2' } });
  });

  test('the count is exact across requests', async () => {
    const primary = await primaryOf();
    const lines = Array.from({ length: 50 }, (_, n) => good(n + 1));
    lines[37] = '{';
    const options = ['--id-field', 'id', '--batch', '10', '--rows-per-commit', '2'];
    expect((await importText(primary, lines.join('\n'), options)).body).toMatchObject({
      error: { evidence: { line: 38, row: 38, rows_committed: 37, commits_committed: 19 } },
    });
    expect(Object.keys(await documents(primary)).length).toBe(37);
    expect(primary.position()?.commitId).toBe(19);
  });

  test('rows of one commit that are together longer than the memory may hold', async () => {
    const primary = await primaryOf();
    const blanks = ' '.repeat(6_000_000);
    const content = [1, 2, 3].map((n) => `{"id":"r${n}"${blanks}}`).join('\n');
    const options = ['--id-field', 'id', '--rows-per-commit', '3'];
    expect((await importText(primary, content, options)).body).toMatchObject({
      error: {
        code: 'IMPORT_INVALID',
        evidence: { line: 3, row: 3, rows_committed: 2, commits_committed: 1 },
      },
    });
    expect(Object.keys(await documents(primary))).toEqual(['r1', 'r2']);
  });

  test('a file that cannot be read', async () => {
    const primary = await primaryOf();
    const to = ['--primary', primary.url as string, '--collection', 'c', '--id-field', 'id'];
    const path = join(await temporaryDirectory(), 'absent');
    const { exit, out, err } = await cli(['import', ...to, path]);
    expect([exit, out]).toEqual([1, '']);
    expect(err).toMatch(/IMPORT_INVALID: the input cannot be read: .*ENOENT/);
    expect(err).toMatch(/what to do: /);
  });
});

describe('a row that the primary refuses is found', () => {
  const good = (n: number) => `{"id":"r${n}"}`;
  const lines = Array.from({ length: 20 }, (_, n) => good(n + 1));
  const oversized = JSON.stringify({ id: 'r12', text: 'x'.repeat(5_000_000) });

  test.each([
    ['an oversized document', oversized, 'COMMIT_TOO_LARGE', /a commit takes at most 4194232 bytes/],
    ['an id that is too long', `{"id":"${'i'.repeat(70_000)}"}`, 'COMMIT_INVALID', /id has 70000 bytes/],
    ['an id that is no text', '{"id":"\\ud800"}', 'COMMIT_INVALID', /id must be text or bytes/],
    ['a forbidden field', '{"id":"r12","__proto__":1}', 'REQUEST_INVALID', /the primary refuses it/],
  ])(
    '%s in the middle: its line, and every row before it is committed',
    async (_name, bad, code, message) => {
      const primary = await primaryOf();
      const content = ['', ...lines.with(11, bad)].join('\n');
      const { exit, body } = await importText(primary, content);
      expect([exit, body]).toEqual([
        1,
        {
          error: {
            code: 'IMPORT_INVALID',
            invariant: null,
            message: expect.stringMatching(message) as string,
            evidence: {
              line: 13,
              row: 12,
              last_line: 13,
              last_row: 12,
              refusal: { code, evidence: expect.any(Object) as unknown },
              rows_committed: 11,
              commits_committed: 11,
              position: positionOf(primary),
            },
            action: expect.any(String) as string,
          },
        },
      ]);
      expect(Object.keys(await documents(primary)).sort()).toEqual(
        Array.from({ length: 11 }, (_, n) => `r${n + 1}`).sort(),
      );
    },
  );

  test('with several rows to a commit, the rows of that commit', async () => {
    const primary = await primaryOf();
    const content = lines.with(11, oversized).join('\n');
    const options = ['--id-field', 'id', '--rows-per-commit', '5'];
    expect((await importText(primary, content, options)).body).toMatchObject({
      error: {
        message: expect.stringMatching(
          /^lines 11 to 15 \(rows 11 to 15, one commit\): the primary refuses it: /,
        ) as string,
        evidence: {
          line: 11,
          row: 11,
          last_line: 15,
          last_row: 15,
          rows_committed: 10,
          commits_committed: 2,
        },
      },
    });
    expect(primary.position()?.commitId).toBe(2);
  });

  test('a bad row after a refused one: the refused one is reported', async () => {
    const primary = await primaryOf();
    const content = `${lines.with(11, oversized).join('\n')}\n{`;
    expect((await importText(primary, content)).body).toMatchObject({
      error: { evidence: { line: 12, row: 12, rows_committed: 11 } },
    });
  });
});

describe('a primary that is not there', () => {
  test('never reached: nothing was committed, and it says so', async () => {
    const primary = await primaryOf();
    await primary.stop();
    const { exit, body } = await importText(primary, '{"id":"a"}\n{"id":"b"}');
    expect([exit, body]).toMatchObject([
      1,
      {
        error: {
          code: 'NODE_UNREACHABLE',
          message: expect.stringMatching(
            /under way, 1 to 2 \(lines 1 to 2\), were not committed\. Committed before: 0 rows in 0 commits$/,
          ) as string,
          evidence: {
            error: 'ECONNREFUSED',
            under_way: { first_row: 1, last_row: 2, committed: false },
            rows_committed: 0,
            commits_committed: 0,
            position: null,
          },
        },
      },
    ]);
  });

  test('lost in the middle: the rows under way may or may not be committed', async () => {
    const { url, stop } = await brokenAfter(2);
    onTestFinished(stop);
    const rows = Array.from({ length: 50 }, (_, n) => `{"id":"r${n}"}`).join('\n');
    const to = ['--primary', url, '--collection', 'c', '--id-field', 'id', '--batch', '10', '--json'];
    const { exit, out } = await cli(['import', ...to, await fileOf(rows)]);
    expect([exit, JSON.parse(out)]).toMatchObject([
      1,
      {
        error: {
          code: 'NODE_UNREACHABLE',
          message: expect.stringMatching(
            /under way, 21 to 30 \(lines 21 to 30\), may or may not be committed\. Committed before: 20 rows in 20 commits$/,
          ) as string,
          evidence: {
            under_way: { first_row: 21, last_row: 30, committed: null },
            rows_committed: 20,
            commits_committed: 20,
          },
        },
      },
    ]);
  });

  test('a server that is no primary', async () => {
    const { url, stop } = await brokenAfter(0, '{}');
    onTestFinished(stop);
    const to = ['--primary', url, '--collection', 'c', '--id-field', 'id', '--json'];
    const { exit, out } = await cli(['import', ...to, await fileOf('{"id":"a"}')]);
    expect([exit, JSON.parse(out)]).toMatchObject([
      1,
      {
        error: { code: 'NODE_UNREACHABLE', evidence: { rows_committed: 0, under_way: { committed: null } } },
      },
    ]);
  });

  test('P5-I6: a replica refuses, and nothing was committed', async () => {
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl: 'http://127.0.0.1:1',
      listen: '127.0.0.1:0',
    });
    const to = ['--primary', replica.url as string, '--collection', 'c', '--id-field', 'id', '--json'];
    const { exit, out } = await cli(['import', ...to, await fileOf('{"id":"a"}')]);
    expect([exit, JSON.parse(out)]).toMatchObject([
      1,
      {
        error: {
          code: 'WRITE_REFUSED',
          invariant: 'P5-I6',
          evidence: { under_way: { committed: false }, rows_committed: 0 },
        },
      },
    ]);
  });
});

describe('usage', () => {
  const all = ['--primary', 'http://127.0.0.1:1', '--collection', 'c', '--id-field', 'id'];

  test.each([
    ['no file', all, /missing required argument 'file'/],
    ['no primary', [...all.slice(2), 'x'], /required option '--primary <url>' not specified/],
    ['no collection', [...all.slice(0, 2), '--id-field', 'id', 'x'], /'--collection <name>' not specified/],
    ['no id field', [...all.slice(0, 4), 'x'], /'--id-field <field>' not specified/],
    ['an address that is none', ['--primary', 'here', ...all.slice(2), 'x'], /It must be a URL/],
    ['an empty id field', [...all.slice(0, 4), '--id-field', '', 'x'], /It must not be empty/],
    ['a batch of none', [...all, '--batch', '0', 'x'], /a whole number from 1 to 10000/],
    ['a batch that is no number', [...all, '--batch', '1e2', 'x'], /a whole number from 1 to 10000/],
    [
      'too many rows to a commit',
      [...all, '--rows-per-commit', '10001', 'x'],
      /a whole number from 1 to 10000/,
    ],
  ])('%s', async (_name, args, message) => {
    const { exit, out, err } = await cli(['import', ...args]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('the help teaches with an example', async () => {
    const { exit, out } = await cli(['import', '--help']);
    expect(exit).toBe(0);
    expect(out).toMatch(/Examples:\n.*\n.*replichart import --primary http/);
  });
});

test('rows, lines and texts are the same however the input is cut into chunks', async () => {
  const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
    const chunks: Buffer[] = [];
    let [at, turn] = [0, 0];
    while (at < bytes.length) {
      const size = sizes[turn % sizes.length] as number;
      chunks.push(bytes.subarray(at, at + size));
      at += size;
      turn += 1;
    }
    return chunks;
  };
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('\ud83d\ude00"\\\n\u0001é€'));
  const row = fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    fc.oneof(text, fc.jsonValue({ stringUnit: 'grapheme' })),
    { noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 8 }),
      fc.constantFrom('lines', 'array', 'pretty', 'escaped'),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
      async (rows, form, sizes) => {
        const texts = rows.map((one) => {
          const json = JSON.stringify(one, null, form === 'pretty' ? 2 : 0);
          return form === 'escaped' ? json.replace(/[^\x20-\x7f]/g, escaped) : json;
        });
        const input = form === 'lines' ? texts.join('\n') : `[${texts.join(',\n')}]`;
        let line = 1;
        const expected = texts.map((one, index) => {
          const found = {
            number: index + 1,
            line,
            text: one,
            bytes: Buffer.byteLength(one),
            value: rows[index],
          };
          line += one.split('\n').length;
          return found;
        });
        const found: unknown[] = [];
        for await (const group of rowsOf(Readable.from(cut(Buffer.from(input), sizes))))
          for (const one of group) found.push(one);
        expect(found).toEqual(expected);
      },
    ),
    { seed: 20_241, numRuns: 500 },
  );
});

test('an error of the input in the middle comes after the rows before it', async () => {
  async function* breaking(): AsyncGenerator<Buffer> {
    yield Buffer.from('{"id":"a"}\n{"id":"b"}\n{"id');
    throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
  }
  const numbers: number[] = [];
  const read = async () => {
    for await (const group of rowsOf(breaking())) for (const { number } of group) numbers.push(number);
  };
  const error: unknown = await read().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ReplichartError);
  expect(error).toMatchObject({ code: 'IMPORT_INVALID', evidence: { error: 'EIO' } });
  expect(numbers).toEqual([1, 2]);
});

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
