import { medianOf, rounded } from '../../src/bench/statistics.ts';
import type { Measured, TitledTable } from '../../src/bench/workload.ts';
import { BATCH_DOCUMENTS, OPERATION_BYTES } from './entries.ts';
import type { IndexStoresOptions } from './index-stores.ts';
import { STORES } from './stores.ts';
import { runsOf, type StoreRun, type Variant } from './variants.ts';

const MEBIBYTE = 2 ** 20;

type Figure = (run: StoreRun) => number | null;

const megabytes = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined ? null : Math.round(bytes / MEBIBYTE);

/** By the name of their column in JSON and for people. */
const FIGURES = {
  applied_entries_per_second: ['applied, entries/s', ({ applied }) => applied.entries_per_second],
  point_reads_per_second: ['point reads/s', ({ read }) => read.point_reads_per_second],
  scan_rows_per_second: ['scanned, rows/s', ({ read }) => read.scan_rows_per_second],
  apply_peak_rss_mebibytes: ['memory applying, MiB', ({ applied }) => megabytes(applied.peak_rss_bytes)],
  read_peak_rss_mebibytes: ['memory reading, MiB', ({ read }) => megabytes(read.peak_rss_bytes)],
  disk_mebibytes: ['disk, MiB', (run) => megabytes(run.disk_bytes)],
  open_after_kill_milliseconds: [
    'open after SIGKILL, ms',
    (run) => run.after_kill?.open_milliseconds ?? null,
  ],
  open_milliseconds: ['open after close, ms', (run) => run.open_milliseconds],
  documents_kept_after_kill: ['documents kept', (run) => run.after_kill?.documents_kept ?? null],
} as const satisfies Readonly<Record<string, readonly [string, Figure]>>;

export function measuredOf(
  options: IndexStoresOptions & { readonly documents: number },
  runs: readonly StoreRun[],
): Measured {
  const summaries = runsOf(options.stores).map((variant) => summaryOf(variant, runs));
  return {
    goals: [],
    figures: {
      workload: {
        name: 'W1',
        documents: options.documents,
        batch_documents: BATCH_DOCUMENTS,
        operation_bytes: OPERATION_BYTES,
        point_reads: options.reads,
      },
      summaries,
      runs,
    },
    tables: [
      {
        title: 'the stores',
        head: ['store', 'what it is'],
        rows: options.stores.map((store) => [store, STORES[store].summary]),
      },
      medianTable(summaries),
      speedTable(summaries),
    ],
  };
}

function summaryOf(variant: Variant, runs: readonly StoreRun[]) {
  const own = runs.filter(({ store, durable }) => store === variant.store && durable === variant.durable);
  const figures = Object.entries(FIGURES).map(([name, [, figure]]) => {
    const values = own.flatMap((run) => figure(run) ?? []);
    return [name, { median: medianOf(values), rounds: values.map(rounded) }] as const;
  });
  return { ...variant, ...(Object.fromEntries(figures) as unknown as Record<keyof typeof FIGURES, Spread>) };
}

interface Spread {
  readonly median: number | null;
  readonly rounds: readonly number[];
}

type Summary = ReturnType<typeof summaryOf>;

function medianTable(summaries: readonly Summary[]): TitledTable {
  const names = Object.keys(FIGURES) as readonly (keyof typeof FIGURES)[];
  return {
    title: 'medians of the rounds',
    head: ['store', 'batches', ...names.map((name) => FIGURES[name][0])],
    rows: summaries.map((one) => [one.store, batchesText(one), ...names.map((name) => one[name].median)]),
  };
}

function speedTable(summaries: readonly Summary[]): TitledTable {
  return {
    title: 'applied entries/s, each round',
    head: ['store', 'batches', 'each round'],
    rows: summaries.map((one) => [
      one.store,
      batchesText(one),
      one.applied_entries_per_second.rounds.join(', '),
    ]),
  };
}

function batchesText({ store, durable }: Variant): string {
  if (!STORES[store].keeps) return 'in memory';
  return durable ? 'durable' : 'not durable';
}
