import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { coverageMarkdown, coverageMatrix, type CoverageMatrix } from '../../scripts/coverage-matrix.ts';
import { testTitles } from '../../scripts/test-titles.ts';
import { FAILURES, type FailureId } from '../../src/core/failure-matrix.ts';
import { INVARIANTS, type InvariantId } from '../../src/core/invariants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The rows that must have a test: all of them. */
const MUST_HAVE_A_TEST: readonly (InvariantId | FailureId)[] = [
  ...(Object.keys(INVARIANTS) as InvariantId[]),
  ...(Object.keys(FAILURES) as FailureId[]),
];

/** The rows of a list that no test names. */
function untested(
  { invariants, failures }: CoverageMatrix,
  rows: readonly (InvariantId | FailureId)[],
): readonly string[] {
  const tested = [...invariants, ...failures].filter(({ tests }) => tests.length > 0).map(({ id }) => id);
  return rows.filter((id) => !tested.includes(id));
}

describe('the coverage matrix', () => {
  test('P5-I17: every invariant and failure that is due has a test that names it', async () => {
    expect(untested(await coverageMatrix(ROOT), MUST_HAVE_A_TEST)).toEqual([]);
  });

  test('no test names a row that does not exist', async () => {
    expect((await coverageMatrix(ROOT)).unknown).toEqual([]);
  });

  test('a row without a test is found out, and shown as such', () => {
    const matrix: CoverageMatrix = {
      invariants: [
        { id: 'P5-I1', says: 'one', tests: [{ file: 'test/a.test.ts', title: 'P5-I1: a | b' }] },
        { id: 'P5-I2', says: 'two', tests: [] },
      ],
      failures: [{ id: 'F-P1', says: 'three', tests: [] }],
      unknown: [],
    };
    expect(untested(matrix, ['P5-I1', 'P5-I2', 'F-P1'])).toEqual(['P5-I2', 'F-P1']);
    expect(coverageMarkdown(matrix).split('\n').slice(7, 14)).toEqual([
      '1 of 2 invariants have a test that names them. None yet: P5-I2.',
      '',
      '| invariant | it says | file | test |',
      '|---|---|---|---|',
      '| P5-I1 | one | test/a.test.ts | P5-I1: a \\| b |',
      '| P5-I2 | two | none yet |  |',
      '',
    ]);
  });
});

test('the names of tests are read as the test runner joins them', () => {
  const source = `
    const TABLE = [['first', 1], ['second', 2]] as const;
    describe('outer', () => {
      test('plain', () => {});
      describe.each(TABLE)('suite %s of %i', (name) => {
        it(\`templated \${name}\`, async () => {});
      });
      test.each([{ name: 'x', id: 'F-P1' }, { name: 'y', id: other() }])('$id: $name', () => {});
      test.each(elsewhere)('row %s', () => {});
      test.skip('skipped', () => {});
      describe.todo('later', () => { test('inside', () => {}); });
      for (const k of [1]) test('joined ' + 'text', () => {});
      test.only('concurrently', { timeout: 1 }, () => {});
    });
    expect(test('no title of a test'));
  `;
  expect(testTitles('x.test.ts', source)).toEqual([
    'outer > plain',
    'outer > suite first of 1 > templated ${name}',
    'outer > suite second of 2 > templated ${name}',
    'outer > F-P1: x',
    'outer > $id: y',
    'outer > row %s',
    'outer > joined text',
    'outer > concurrently',
  ]);
});
