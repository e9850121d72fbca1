import { describe, expect, test } from 'vitest';
import { medianOf, summaryOf } from '../../src/bench/statistics.ts';
import { commitsBody, DOCUMENT_BYTES, documentKey, documentText, KEY_BYTES } from '../../src/bench/w1.ts';

describe('a summary of samples', () => {
  test('of a hundred: the nearest rank, whatever their order', () => {
    const samples = Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1);
    expect(summaryOf(samples)).toEqual({ count: 100, min: 1, median: 50, p90: 90, p99: 99, max: 100 });
  });

  test('of one: every figure is that one', () => {
    expect(summaryOf([4])).toEqual({ count: 1, min: 4, median: 4, p90: 4, p99: 4, max: 4 });
  });

  test('of few: the far percentiles are the greatest, never more', () => {
    expect(summaryOf([3, 1, 2])).toEqual({ count: 3, min: 1, median: 2, p90: 3, p99: 3, max: 3 });
  });

  test('of none: there is none', () => {
    expect([summaryOf([]), medianOf([])]).toEqual([null, null]);
  });

  test('sorts as numbers, changes nothing it is given, and keeps microseconds', () => {
    const samples = [10.00049, 9, 100];
    expect(summaryOf(samples)).toEqual({ count: 3, min: 9, median: 10, p90: 100, p99: 100, max: 100 });
    expect(samples).toEqual([10.00049, 9, 100]);
  });

  test('the median of a few is the middle, or between the two in the middle', () => {
    expect([medianOf([3, 1, 2]), medianOf([4, 1, 10, 2])]).toEqual([2, 3]);
  });
});

describe('the documents of workload W1', () => {
  test('have the sizes that the workload is defined by', () => {
    for (const n of [0, 1, 999_999, 123_456_789]) {
      expect(Buffer.byteLength(documentKey(n))).toBe(KEY_BYTES);
      expect(Buffer.byteLength(documentText(n))).toBe(DOCUMENT_BYTES);
      expect(JSON.stringify(JSON.parse(documentText(n)))).toBe(documentText(n));
    }
  });

  test('no two have one key, and their keys come in no order', () => {
    const keys = Array.from({ length: 50_000 }, (_, n) => documentKey(n));
    expect(new Set(keys)).toHaveLength(keys.length);
    const rises = keys.slice(1).filter((key, index) => key > (keys[index] ?? '')).length;
    expect(rises / keys.length).toBeGreaterThan(0.4);
    expect(rises / keys.length).toBeLessThan(0.6);
  });

  test('a request makes one commit of each, the same in every run', () => {
    const body = JSON.parse(commitsBody(7, 3)) as { commits: { ops: object[] }[] };
    expect(body.commits).toEqual(
      [7, 8, 9].map((n) => ({
        ops: [
          {
            op: 'put',
            collection: 'w1',
            id: documentKey(n),
            document: JSON.parse(documentText(n)) as object,
          },
        ],
      })),
    );
    expect(commitsBody(7, 3)).toBe(commitsBody(7, 3));
  });
});
