import { describe, expect, test } from 'vitest';
import { Distribution } from '../../src/core/distribution.ts';

describe('a distribution: exact ends and mean, and upper bounds of percentiles', () => {
  const of = (...values: readonly number[]) => {
    const distribution = new Distribution();
    for (const value of values) distribution.add(value);
    return distribution.toJson();
  };
  const counted = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

  test.each([
    ['nothing', [], null],
    ['one', [1], { min: 1, mean: 1, max: 1, p50_at_most: 1, p99_at_most: 1 }],
    ['a power of two', [4, 4, 4, 8], { min: 4, mean: 5, max: 8, p50_at_most: 4, p99_at_most: 8 }],
    ['more than it', [5, 5, 5, 9], { min: 5, mean: 6, max: 9, p50_at_most: 8, p99_at_most: 9 }],
    ['two halves', [1, 100], { min: 1, mean: 50.5, max: 100, p50_at_most: 1, p99_at_most: 100 }],
    ['1 to 100', counted(1, 100), { min: 1, mean: 50.5, max: 100, p50_at_most: 64, p99_at_most: 100 }],
    [
      '1 to 100 and a thousand times 4',
      [...counted(1, 100), ...counted(1, 1000).map(() => 4)],
      { min: 1, mean: 9050 / 1100, max: 100, p50_at_most: 4, p99_at_most: 100 },
    ],
  ])('%s', (_, values, expected) => {
    expect(of(...values)).toEqual(expected);
  });
});
