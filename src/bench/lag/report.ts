import { summaryOf, type Summary } from '../statistics.ts';
import type { Goal, Measured, TitledTable } from '../workload.ts';
import { INTERVALS, type LagWindow, type Sample } from './measure.ts';

/** The 99th percentile of the lag is to be at most this. */
const P99_MILLISECONDS_MAX = 2;

const TIMES = ['lag_ms', 'acknowledged_ms', 'visible_ms'] as const;
const NAMES: Readonly<Record<(typeof TIMES)[number], string>> = {
  lag_ms: 'lag: acknowledged to visible',
  acknowledged_ms: 'sent to acknowledged',
  visible_ms: 'sent to visible',
};

type Times = Readonly<Record<(typeof TIMES)[number], Summary | null>>;

interface Writing extends Times {
  readonly interval_ms: number;
  readonly commits: number;
  readonly visible_before_acknowledged: number;
}

export function measuredOf(workload: object, windows: readonly LagWindow[]): Measured {
  const writings = INTERVALS.map((interval) => writingOf(interval, windows));
  return {
    goals: writings.map(goalOf),
    figures: { workload, writings, windows: windows.map(windowFigures) },
    tables: [timesTable(writings), windowTable(windows)],
  };
}

function timesOf(samples: readonly Sample[]): Times {
  const of = (time: (typeof TIMES)[number]) => summaryOf(samples.map((sample) => sample[time]));
  return { lag_ms: of('lag_ms'), acknowledged_ms: of('acknowledged_ms'), visible_ms: of('visible_ms') };
}

function writingOf(interval: number, windows: readonly LagWindow[]): Writing {
  const samples = windows.filter((one) => one.interval_ms === interval).flatMap((one) => one.samples);
  return {
    interval_ms: interval,
    commits: samples.length,
    visible_before_acknowledged: samples.filter((sample) => sample.lag_ms < 0).length,
    ...timesOf(samples),
  };
}

function windowFigures({ round, interval_ms: interval, milliseconds, samples }: LagWindow) {
  return {
    round,
    interval_ms: interval,
    commits: samples.length,
    commits_per_second: Math.round((samples.length / milliseconds) * 1_000),
    ...timesOf(samples),
  };
}

function goalOf({ interval_ms: interval, lag_ms: lag }: Writing): Goal {
  return {
    id: interval === 0 ? 'P3-p99' : `P3-p99-every-${interval}-ms`,
    goal: `live lag, ${writingText(interval)}: p99 at most ${P99_MILLISECONDS_MAX} ms`,
    met: lag !== null && lag.p99 <= P99_MILLISECONDS_MAX,
    found:
      lag === null ? 'nothing was measured' : `p50 ${lag.median} ms, p99 ${lag.p99} ms, max ${lag.max} ms`,
  };
}

function writingText(interval: number): string {
  return interval === 0 ? 'each commit after the one before' : `a commit every ${interval} ms`;
}

function timesTable(writings: readonly Writing[]): TitledTable {
  return {
    title: 'milliseconds, one writer',
    head: ['writing', 'time', 'commits', 'min', 'median', 'p90', 'p99', 'max'],
    rows: writings.flatMap((writing) =>
      TIMES.map((time) => {
        const summary = writing[time];
        return [
          writingText(writing.interval_ms),
          NAMES[time],
          writing.commits,
          summary?.min ?? null,
          summary?.median ?? null,
          summary?.p90 ?? null,
          summary?.p99 ?? null,
          summary?.max ?? null,
        ];
      }),
    ),
  };
}

function windowTable(windows: readonly LagWindow[]): TitledTable {
  return {
    title: 'window by window',
    head: ['round', 'interval, ms', 'commits', 'commits/s', 'lag: median', 'p99', 'max'],
    rows: windows
      .map(windowFigures)
      .map((one) => [
        one.round,
        one.interval_ms,
        one.commits,
        one.commits_per_second,
        one.lag_ms?.median ?? null,
        one.lag_ms?.p99 ?? null,
        one.lag_ms?.max ?? null,
      ]),
  };
}
