import { largestOf, megabytes, megabytesPerSecond, spreadOf } from '../catch-up/pace.ts';
import { seconds } from '../catch-up/report.ts';
import type { WorkFacts } from '../w1.ts';
import type { Measured, TitledTable } from '../workload.ts';
import type { ScalingRow } from './measure.ts';

/** No goal of the project is named for these: they show where the figures of W1 go from there. */
export function measuredOf(workload: WorkFacts, rows: readonly ScalingRow[]): Measured {
  const summaries = rows.map(summaryOf);
  return { goals: [], figures: { workload, rows: summaries }, tables: [table(summaries)] };
}

function summaryOf({ of: { operationOf: _, replicas: _replicas, ...of }, rounds, ...head }: ScalingRow) {
  const milliseconds = spreadOf(rounds.map((one) => one.milliseconds));
  const { median } = milliseconds;
  return {
    ...of,
    ...head,
    rounds,
    milliseconds,
    /** Of each of them, by the time of the slowest. */
    docs_per_second: median === null ? null : Math.round((of.documents / median) * 1_000),
    docs_per_second_of_all:
      median === null ? null : Math.round(((of.documents * head.replicas) / median) * 1_000),
    user_megabytes_per_second: megabytesPerSecond(of.user_bytes, median),
    wal_megabytes_per_second: megabytesPerSecond(head.wal_bytes, median),
    replica_peak_rss_bytes: largestOf(rounds.map((one) => one.replica_peak_rss_bytes)),
    primary_peak_rss_bytes: largestOf(rounds.map((one) => one.primary_peak_rss_bytes)),
  };
}

function table(rows: readonly ReturnType<typeof summaryOf>[]): TitledTable {
  return {
    title: 'catching up, case by case: medians of the rounds, MB/s of keys and documents for each replica',
    head: [
      'case',
      'documents',
      'at once',
      's',
      'documents/s',
      'of all',
      'MB/s',
      'replica peak MB',
      'primary peak MB',
    ],
    rows: rows.map((row) => [
      row.name,
      row.documents,
      `${row.replicas} ${row.kind}`,
      seconds(row.milliseconds.median),
      row.docs_per_second,
      row.docs_per_second_of_all,
      row.user_megabytes_per_second,
      megabytes(row.replica_peak_rss_bytes),
      megabytes(row.primary_peak_rss_bytes),
    ]),
  };
}
