import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { errorsDocument } from '../../scripts/errors-document.ts';
import {
  assertThat,
  describeError,
  ERRORS,
  errorText,
  EXIT,
  EXIT_MEANINGS,
  InvariantBug,
  ReplichartError,
} from '../../src/core/errors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TABLE = 'src/core/errors.ts';
const CODES = Object.keys(ERRORS).sort();

/** Every source of the program but the table itself. */
async function sources(): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const room of ['src', 'machines'])
    for (const entry of await readdir(join(ROOT, room), { recursive: true })) {
      const file = join(room, entry).replaceAll('\\', '/');
      if (file.endsWith('.ts') && file !== TABLE) texts.push(await readFile(join(ROOT, file), 'utf8'));
    }
  return texts;
}

/** The codes that no source writes, as a literal or as an entry of the table. */
function unused(codes: readonly string[], texts: readonly string[]): readonly string[] {
  const written = new Set(
    texts.flatMap((text) => [...text.matchAll(/'([A-Z_]+)'|\bERRORS\.([A-Z_]+)/g)].map(([, a, b]) => a ?? b)),
  );
  return codes.filter((code) => !written.has(code));
}

describe('the table of errors', () => {
  test('every code is used, and one that is not is found out', async () => {
    const texts = await sources();
    expect(texts.length).toBeGreaterThan(50);
    expect(unused(CODES, texts)).toEqual([]);
    expect(unused([...CODES, 'CODE_OF_NOTHING'], texts)).toEqual(['CODE_OF_NOTHING']);
  });

  test('no code is used that is not in the table: that does not compile', () => {
    // @ts-expect-error The type check of the tests fails when this line is no error any more.
    expect(() => new ReplichartError('CODE_OF_NOTHING', 'it is in no table')).toThrow(TypeError);
  });

  test('every meaning and action is made of whole sentences', () => {
    const texts = Object.entries(ERRORS).flatMap(([code, { meaning, action }]) => [
      [code, meaning],
      [code, action],
    ]);
    expect(texts.filter(([, text]) => !/^[A-Z].*[^.]\.$/s.test(text ?? ''))).toEqual([]);
  });

  test('every exit code has a meaning', () => {
    expect(Object.keys(EXIT_MEANINGS).map(Number)).toEqual(Object.values(EXIT));
  });
});

describe('an error', () => {
  const cause = new TypeError('the cause');
  const details = { invariant: 'P5-I6', evidence: { lsn: 128 }, cause } as const;
  const systemError = Object.assign(new Error('no such file, open'), {
    code: 'ENOENT',
    errno: -2,
    path: '/x',
  });

  test('P5-I11: of the table carries its invariant, evidence and cause, or those of its code', () => {
    expect(new ReplichartError('WAL_PRUNED', 'no longer kept', details)).toMatchObject({
      ...details,
      name: 'ReplichartError',
      message: 'no longer kept',
      action: ERRORS.WAL_PRUNED.action,
    });
    const bare = new ReplichartError('WAL_PRUNED', 'no longer kept');
    expect(bare).toMatchObject({ invariant: 'P5-I9', evidence: {} });
    expect('cause' in bare).toBe(false);
  });

  test('a broken assertion is a bug of ours, and says which', () => {
    expect(() => assertThat(false, 'one is two')).toThrow(InvariantBug);
    expect(() => assertThat(false, 'one is two')).toThrow('assertion failed: one is two');
    expect(new InvariantBug('a bug').name).toBe('InvariantBug');
    expect(() => assertThat(true, 'one is one')).not.toThrow();
  });

  test.each([
    ['of the table', new ReplichartError('WAL_PRUNED', 'a', details), { evidence: { lsn: 128 } }],
    ['of a system call', systemError, { code: 'ENOENT', path: '/x' }],
    ['of neither', cause, {}],
  ])('%s is described by all that is known of it, and no more', (_, error, further) => {
    const code = error instanceof ReplichartError ? { code: error.code } : {};
    expect(describeError(error)).toStrictEqual({
      name: error.name,
      message: error.message,
      ...code,
      ...further,
    });
  });

  test('that is none is described by its text', () => {
    expect(describeError('thrown')).toEqual({ message: 'thrown' });
    expect(errorText('thrown')).toBe('thrown');
  });

  test('in one line has the code of a system call once', () => {
    expect(errorText(systemError)).toBe('ENOENT: no such file, open');
    expect(errorText(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }))).toBe(
      'ENOENT: no such file',
    );
    expect(errorText(cause)).toBe('the cause');
  });
});

describe('docs/ERRORS.md', () => {
  const documentOf = () => readFile(join(ROOT, 'docs/ERRORS.md'), 'utf8');
  const headings = (text: string) => [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);

  test('documents every code of the table, and no other', async () => {
    expect(headings(await documentOf())).toEqual(CODES);
  });

  test('is what the table says', async () => {
    expect(await documentOf()).toBe(errorsDocument());
  });

  test('says of a code what it means, what to do, and what goes with it', () => {
    const start = errorsDocument().indexOf('### WAL_PRUNED');
    expect(errorsDocument().slice(start).split('\n').slice(0, 8)).toEqual([
      '### WAL_PRUNED',
      '',
      'The WAL asked for is no longer kept.',
      '',
      '- What to do: A replica begins again from a snapshot, in an empty directory (--bootstrap snapshot); its old directory can still be read.',
      '- Invariant: P5-I9',
      '- HTTP status: 410',
      '- Exit code: 7 (history out of retention)',
    ]);
  });

  test('has the exit codes', () => {
    const rows = [...errorsDocument().matchAll(/^\| (\d) +\| (.*?) +\|$/gm)];
    expect(rows.map(([, code, meaning]) => [Number(code), meaning])).toEqual(
      Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [
        Number(code),
        Number(code) === EXIT.tornTail ? `${meaning} (the verdict of a command, not an error)` : meaning,
      ]),
    );
  });
});
