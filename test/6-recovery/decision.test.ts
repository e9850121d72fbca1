import { describe, expect, test } from 'vitest';
import { decideRecovery, RECOVERY_ANSWERS, type RecoveryInputs } from '../../src/core/recovery/decision.ts';

function everyCombination(): RecoveryInputs[] {
  return Object.entries(RECOVERY_ANSWERS).reduce<Record<string, string>[]>(
    (rows, [question, answers]) =>
      rows.flatMap((row) => answers.map((answer) => ({ ...row, [question]: answer }))),
    [{}],
  ) as unknown as RecoveryInputs[];
}

const rows = everyCombination();

/** The same table said again, in the words of the matrix: what is expected of each combination. */
function expected(row: RecoveryInputs): string {
  if (row.halt === 'recorded') return 'stay halted P5-I10 noHaltIsRecorded';
  if (row.checkpoint === 'damaged') return 'halt P5-I11 checkpointIsIntact';
  if (row.checkpoint === 'absent' && row.wal === 'present') return 'halt P5-I11 checkpointIsIntact';
  if (!['not needed', 'intact'].includes(row.base)) return 'halt P5-I8 baseIsInPlace';
  if (row.prefix === 'broken') return 'halt P5-I4 prefixIsProven';
  if (row.checkpoint === 'absent')
    return row.bootstrap === 'snapshot'
      ? 'bootstrap [discard partials, discard index]'
      : 'replicate [discard partials, discard index, write first checkpoint]';
  const steps = [
    ...(row.partials === 'present' ? ['discard partials'] : []),
    ...(row.end === 'clean' ? [] : ['discard tail']),
    ...(row.proven === 'something' ? ['replay'] : []),
  ];
  return `replicate [${steps.join(', ')}]`;
}

describe('P5-I11: the decision table of recovery', () => {
  test('every combination of its inputs has exactly the outcome that the matrix permits', () => {
    expect(rows).toHaveLength(2 * 3 * 2 * 4 * 2 * 2 * 3 * 2 * 2);
    for (const row of rows) {
      const { outcome, rule, steps } = decideRecovery(row);
      const said = rule === null ? `${outcome} [${steps.join(', ')}]` : `${outcome} ${rule}`;
      expect(said, JSON.stringify(row)).toBe(expected(row));
    }
  });

  test('P5-I10: no combination with anything damaged goes on', () => {
    const damaged = rows.filter(
      (row) =>
        row.halt === 'recorded' ||
        row.checkpoint === 'damaged' ||
        row.prefix === 'broken' ||
        row.base === 'missing' ||
        row.base === 'damaged',
    );
    expect(
      damaged.map((row) => decideRecovery(row).outcome).filter((outcome) => !outcome.includes('halt')),
    ).toEqual([]);
  });

  test('it is a function of its inputs: asked twice it says the same', () => {
    for (const row of rows) expect(decideRecovery({ ...row })).toEqual(decideRecovery(row));
  });

  test('every outcome and every step is reached by some combination', () => {
    const plans = rows.map(decideRecovery);
    expect([...new Set(plans.map(({ outcome }) => outcome))].sort()).toEqual([
      'bootstrap',
      'halt',
      'replicate',
      'stay halted',
    ]);
    expect([...new Set(plans.flatMap(({ steps }) => steps))].sort()).toEqual([
      'discard index',
      'discard partials',
      'discard tail',
      'replay',
      'write first checkpoint',
    ]);
  });
});
