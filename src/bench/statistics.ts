/** Samples of one kind, summed up. Every figure is a sample that was taken. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** `null` where nothing was taken: no sample is no figure. */
export function summaryOf(samples: readonly number[]): Summary | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    count: sorted.length,
    min: rounded(atPart(sorted, 0)),
    median: rounded(atPart(sorted, 0.5)),
    p90: rounded(atPart(sorted, 0.9)),
    p99: rounded(atPart(sorted, 0.99)),
    max: rounded(atPart(sorted, 1)),
  };
}

/** The nearest rank: the least sample that at least this part of all samples does not exceed. */
function atPart(sorted: readonly number[], part: number): number {
  const index = Math.max(0, Math.ceil(part * sorted.length) - 1);
  return sorted[index] ?? Number.NaN;
}

/** The middle one of a few; of an even number the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [lower, upper] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return lower === undefined || upper === undefined ? null : rounded((lower + upper) / 2);
}

const DIGITS = 1_000;

/** Three digits behind the point: microseconds of milliseconds, and nothing that only looks exact. */
export function rounded(value: number): number {
  return Math.round(value * DIGITS) / DIGITS;
}
