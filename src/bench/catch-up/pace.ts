import { medianOf, rounded } from '../statistics.ts';
import type { CatchUp } from './measure.ts';

/** The rounds of one kind of catching up, summed up. */
export interface Paces {
  readonly rounds: number;
  readonly milliseconds: Spread;
  readonly docs_per_second: Spread;
  readonly docs_per_second_from_start: Spread;
  /** Of keys and documents, by the median. */
  readonly user_megabytes_per_second: number | null;
  /** The largest of all rounds; `null` where the system does not tell it. */
  readonly peak_rss_bytes: number | null;
  readonly cpu_milliseconds: number | null;
}

export interface Spread {
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

const MEGABYTE = 1e6;

/** Sums rounds up that were all of the same work, of so many bytes of keys and documents. */
export function pacesOf(rounds: readonly CatchUp[], userBytes: number): Paces {
  const milliseconds = spreadOf(rounds.map((one) => one.milliseconds));
  return {
    rounds: rounds.length,
    milliseconds,
    docs_per_second: spreadOf(rounds.map((one) => one.docs_per_second)),
    docs_per_second_from_start: spreadOf(rounds.map((one) => one.docs_per_second_from_start)),
    user_megabytes_per_second: megabytesPerSecond(userBytes, milliseconds.median),
    peak_rss_bytes: largestOf(rounds.map((one) => one.peak_rss_bytes)),
    cpu_milliseconds: medianOfKnown(rounds.map((one) => one.cpu_milliseconds)),
  };
}

export function spreadOf(values: readonly number[]): Spread {
  const median = medianOf(values);
  return median === null
    ? { median, min: null, max: null }
    : { median, min: Math.min(...values), max: Math.max(...values) };
}

/** `null` where one of them is not known: it could be the largest. */
export function largestOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 || known.length < values.length ? null : Math.max(...known);
}

export function megabytesPerSecond(bytes: number, milliseconds: number | null): number | null {
  return milliseconds === null ? null : rounded(bytes / MEGABYTE / (milliseconds / 1_000));
}

/** For people; `null` stays what is not known. */
export function megabytes(bytes: number | null): number | null {
  return bytes === null ? null : Math.round((bytes / MEGABYTE) * 10) / 10;
}

function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : medianOf(known);
}
